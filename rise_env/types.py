"""The data types of RISE: frozen records without behaviour.

An environment poses a `Problem`, an agent replies to it, and a checker turns the reply into a `CheckResult`.
Reply, check and reward make an `Attempt`. A `Turn` holds an observation and the attempts at it. A
`Trajectory` is one episode. It holds what happened in the episode only: weights and masks for training are
computed from it and are not part of it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Literal, NotRequired, TypedDict


class Message(TypedDict):
    """One chat message: the dict that chat templates and chat servers read."""

    role: Literal["system", "user", "assistant"]
    content: str
    reasoning_content: NotRequired[str]
    """For an assistant message: the reasoning of the model before the reply, if it is known. The chat
    template of the model decides whether a later prompt shows it."""


Conversation = tuple[Message, ...]
"""Chat messages, oldest first: the state of the MDP."""


class Verdict(Enum):
    """The result of checking a reply."""

    CORRECT = "correct"
    """The extracted answer equals the reference."""
    WRONG = "wrong"
    """The extracted answer can be read and differs from the reference."""
    NO_ANSWER = "no_answer"
    """The reply states no final answer."""
    UNREADABLE = "unreadable"
    """The reply states an answer that the checker cannot read."""
    TIMEOUT = "timeout"
    """The check ran out of time or memory. Counted separately, never as correct."""
    WITHHELD = "withheld"
    """The server's content filter withheld the reply, or the model's provider refused to answer: nothing was
    checked. Counted separately, never as correct; no checker returns it."""


Finish = Literal["stop", "length", "tool_calls", "content_filter", "refusal", "error"]
"""Why a reply ended: at a stop token, at the limit of tokens, with a call of a tool, by the server's content
filter, with the provider's refusal, or with an error of the agent."""

NO_REPLY: frozenset[Finish] = frozenset({"content_filter", "refusal", "error"})
"""The values of `Finish` for which there is no reply of the model that could be checked or trained."""


@dataclass(frozen=True, slots=True)
class CheckResult:
    """What a checker found in one reply."""

    verdict: Verdict
    answer: str | None = None
    """The extracted answer, as written in the reply; None if there is none."""
    method: str = ""
    """The stage of the checker that decided, for example "fraction" or "symbolic"."""
    seconds: float = field(default=0.0, compare=False)
    """How long the check took."""
    reason: str = ""
    """Why, in the words of a model that decided; empty for all other checkers."""

    @property
    def correct(self) -> bool:
        """Whether the verdict is CORRECT."""
        return self.verdict is Verdict.CORRECT


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One problem of a set."""

    id: str
    """Unique in its set, for example "gsm8k/test/17"."""
    question: str
    reference: str
    """The final answer alone, not the worked solution."""
    solution: str | None = None
    """A worked solution, if the set has one."""
    source: str = ""
    """The data set that it comes from, with revision and hash."""
    split: str = ""
    """Name of the split, for example "test"."""
    meta: Mapping[str, Any] = field(default_factory=dict)
    """Further facts, such as level, subject or number of steps: JSON values only."""
    extra: Mapping[str, Any] | None = None
    """See `Attempt.extra`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """The tokens of one reply, as the back end counts them."""

    prompt_tokens: int = 0
    completion_tokens: int = 0
    cached_tokens: int = 0
    """Number of the prompt tokens that came from a prefix cache."""
    calls: int = 0
    """Number of replies of models whose tokens are counted here, if the agent asked several; 0 is one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One reply to one observation, checked."""

    agent: str
    """The `name` of the agent that replied."""
    reply: str
    check: CheckResult
    reward: float
    finish: Finish = "stop"
    """Why the reply ended; "length" means that it was cut at the limit of tokens."""
    usage: Usage = Usage()
    reasoning: str = ""
    """The reasoning of the model before the reply, if the agent separates the two. No checker reads it."""
    finish_reason: str = ""
    """The server's word for why the reply ended, if it is not that of `finish`."""
    served_model: str = ""
    """The name of the model as the server gave it with the reply; empty if it gave none."""
    system_fingerprint: str = ""
    """What the server calls its configuration (`system_fingerprint`); empty if it does not name it."""
    token_ids: tuple[int, ...] | None = None
    """The sampled tokens: reasoning, reply and stop token; None if the agent does not return them."""
    logprobs: tuple[float, ...] | None = None
    """Natural logarithm of the probability with which each of the tokens was sampled; None if unknown."""
    messages: tuple[Mapping[str, Any], ...] = field(default=(), hash=False)
    """What happened inside the turn before the reply, such as calls of tools and their results: chat messages
    as JSON objects. No observation contains them, and no fit trains on them."""
    score: float | None = None
    """What the agent itself said of the reply, in [0, 1], without the reference; None if it said nothing."""
    extra: Mapping[str, Any] | None = field(default=None, hash=False)
    """Fields of a stored record that this version of RISE does not know, by name; None if there are none.
    They are stored again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelFormat:
    """How a language model reads conversations and writes replies: what decides token ids.

    Agents with a local model play with it, stores keep it, and a fit trains with it.
    """

    model: str
    """Name of the model, with a hash of its weights or its commit."""
    revision: str | None = None
    """Branch, tag or commit of the hub repository; None is its main branch."""
    adapter: str | None = None
    """Name of the LoRA adapter that was applied, with a hash of its files; None is the model alone."""
    tokenizer: str
    """Hash of the vocabulary. With equal hashes, token ids of two models have the same meaning."""
    chat_template: str
    """Hash of the text of the chat template."""
    template_text: str | None = None
    """The text of the chat template if it was given by a setting; None is the model's own."""
    template_options: Mapping[str, Any] = field(default_factory=dict)
    """Arguments of the chat template, for example {"enable_thinking": False}: JSON values only."""
    stop_tokens: tuple[int, ...]
    """Ids of the tokens that end a reply."""
    thinking: Literal["template", "show", "hide"] = "template"
    """Whether prompts show the reasoning of earlier turns: "template" lets the chat template decide."""
    date: str | None = None
    """The date that the chat template writes, as YYYY-MM-DD; None if it writes none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentFeedback:
    """What an agent wrote about a reply: the next user message. It is not checked and earns no reward."""

    agent: str
    """The `name` of the agent that wrote it."""
    text: str
    finish: Finish = "stop"
    """See `Attempt.finish`. Feedback that a server's filter withheld has no text."""
    usage: Usage = Usage()
    """The tokens of this text alone, which no attempt counts."""
    reasoning: str = ""
    """The reasoning of the agent before the text. No later message shows it."""
    told: bool = False
    """Whether the agent was told the reference answer, so that later observations may depend on it."""
    extra: Mapping[str, Any] | None = field(default=None, hash=False)
    """See `Attempt.extra`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One observation, the attempts at it, and the attempt with which the episode continued."""

    observation: Conversation
    """The conversation that the agent read."""
    attempts: tuple[Attempt, ...]
    chosen: int = 0
    """Index into `attempts` of the reply that became the action."""
    considered: tuple[Attempt, ...] = ()
    """Whole replies that the agent weighed and did not give, checked like others. The action does not depend
    on them, no fit trains them, and of the metrics only p@considered of searches reads them."""
    feedback: AgentFeedback | None = None
    """The feedback to the action, if an agent wrote it."""
    extra: Mapping[str, Any] | None = None
    """See `Attempt.extra`."""

    @property
    def action(self) -> Attempt:
        """The chosen attempt."""
        return self.attempts[self.chosen]


@dataclass(frozen=True, slots=True, kw_only=True)
class Trajectory:
    """One episode."""

    id: str
    """A hash of the problem, the plan and the seed: the same episode has the same id in every run."""
    problem: Problem
    turns: tuple[Turn, ...]
    seed: int
    terminated: bool = False
    """Whether a correct reply ended the episode."""
    truncated: bool = False
    """Whether the limit on turns ended the episode."""
    error: str | None = None
    """Why the episode failed; None if it did not. The turns before the failure are kept."""
    extra: Mapping[str, Any] | None = None
    """See `Attempt.extra`."""

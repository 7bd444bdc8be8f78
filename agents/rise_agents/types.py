"""The agent protocols, and the records that agents and their callers exchange.

An agent receives conversations and returns one reply to each, in order. It sees no rewards and no
environment; only a `ProblemAwareAgent` also receives the problems. A call takes a batch of conversations and
returns when all of them are answered: vLLM and transformers compute batches, and an agent that uses a server
over HTTP sends the requests of a batch concurrently.
"""

import json
import math
import reprlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, get_args, runtime_checkable

from rise_env.errors import AgentError, ConfigError
from rise_env.types import Conversation, Finish, ModelFormat, Problem, Usage


@dataclass(frozen=True, slots=True, kw_only=True)
class SamplingConfig:
    """How replies are sampled. The defaults are those of the RISE paper: temperature 1, whole vocabulary.

    Raises:
        ConfigError: A value is out of range.
    """

    temperature: float = 1.0
    """Temperature of the softmax; 0 is greedy decoding."""
    top_p: float = 1.0
    """Nucleus sampling: the smallest set of tokens whose probabilities reach this sum, in (0, 1]."""
    max_new_tokens: int = 1000
    """Maximal length of a reply in tokens. A longer reply is cut, and its `finish` is "length"."""

    def __post_init__(self) -> None:
        if not 0 <= self.temperature < math.inf:
            raise ConfigError(f"temperature must be finite and at least 0, got {self.temperature}")
        if not 0 < self.top_p <= 1:
            raise ConfigError(f"top_p must be in (0, 1], got {self.top_p}")
        if self.max_new_tokens < 1:
            raise ConfigError(f"max_new_tokens must be at least 1, got {self.max_new_tokens}")


@dataclass(frozen=True, slots=True)
class Considered:
    """A whole reply that an agent weighed and did not give."""

    text: str
    score: float | None = None
    """See `Reply.score`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """The reply of an agent to one conversation.

    Raises:
        AgentError: A field has the wrong type, so that no trajectory store could hold the reply.
    """

    text: str
    """The reply without its stop token and reasoning; if `finish` is "error", the reason for the failure, and
    if it is "refusal", the refusal."""
    finish: Finish = "stop"
    """Why the reply ended. "length" without text and tokens means that the conversation leaves no room for a
    reply in the model's context."""
    token_ids: tuple[int, ...] | None = None
    """Token ids of the reply with its stop token; None if the agent does not return them."""
    logprobs: tuple[float, ...] | None = None
    """Natural logarithm of each token's probability; None if the agent does not return them."""
    usage: Usage = field(default_factory=Usage)
    latency: float = 0.0
    """Time that the call of the model or server took, in seconds."""
    reasoning: str = ""
    """What the model thought before the reply, if the model or its server marks it; no checker reads it."""
    finish_reason: str = ""
    """The server's word for why the reply ended, if it is not that of `finish`."""
    served_model: str = ""
    """The name of the model as the server gave it; empty if it gave none."""
    system_fingerprint: str = ""
    """What the server calls its configuration (`system_fingerprint`); empty if it does not name it."""
    score: float | None = None
    """What the agent itself says of the reply, in [0, 1], without the reference; None if it says nothing."""
    considered: tuple[Considered, ...] = ()
    """Other whole replies that the agent weighed, for the store."""
    messages: tuple[Mapping[str, Any], ...] = ()
    """What happened inside the turn before the reply, such as calls of tools and their results: chat messages
    as JSON objects with a `role`. They are stored; no later observation shows them and no fit trains them."""

    def __post_init__(self) -> None:
        if self.finish not in get_args(Finish):
            raise AgentError(f"a reply's finish must be {', '.join(get_args(Finish))}; got {self.finish!r}")
        for name in ("text", "reasoning", "finish_reason", "served_model", "system_fingerprint"):
            if not isinstance(getattr(self, name), str):
                raise AgentError(f"a reply's {name} must be a str, got {getattr(self, name)!r}")
        ids, logprobs = self.token_ids, self.logprobs
        if ids is not None and not (isinstance(ids, tuple) and all(type(i) is int for i in ids)):
            raise AgentError(f"a reply's token_ids must be a tuple of int, got {ids!r:.80}")
        if logprobs is not None and not (
            isinstance(logprobs, tuple) and all(type(value) is float for value in logprobs)
        ):
            raise AgentError(f"a reply's logprobs must be a tuple of float, got {logprobs!r:.80}")
        if ids is not None and logprobs is not None and len(ids) != len(logprobs):
            raise AgentError(
                f"a reply must have one log-probability per token, got {len(logprobs)} for {len(ids)} tokens"
            )
        if not all(map(_is_score, (self.score, *(one.score for one in self.considered)))):
            raise AgentError(f"a reply's score must be None or in [0, 1], got {self.score!r}")
        if not isinstance(self.messages, tuple) or not all(map(_is_message, self.messages)):
            raise AgentError(
                "a reply's messages must be a tuple of JSON objects with a role, got "
                f"{reprlib.repr(self.messages)}"
            )
        if not isinstance(self.usage, Usage):
            raise AgentError(f"a reply's usage must be a Usage, got {self.usage!r}")
        for name in Usage.__dataclass_fields__:
            if type(getattr(self.usage, name)) is not int:
                raise AgentError(f"usage.{name} must be an int, got {getattr(self.usage, name)!r}")


def _is_message(message: object) -> bool:
    if not isinstance(message, Mapping) or not isinstance(message.get("role"), str):
        return False
    try:
        json.dumps(message, allow_nan=False)
    except (TypeError, ValueError):
        return False
    return True


def _is_score(score: object) -> bool:
    return score is None or (isinstance(score, float) and 0 <= score <= 1)


@runtime_checkable
class Agent(Protocol):
    """A policy that answers conversations."""

    @property
    def name(self) -> str:
        """Identifier of the policy, which trajectories record. The same policy always has the same name."""
        ...

    def act(
        self,
        conversations: Sequence[Conversation],
        sampling: SamplingConfig,
        seeds: Sequence[int] | None = None,
    ) -> list[Reply]:
        """Answer each conversation.

        Args:
            conversations: Each ends with a user message, or, if the agent `continues`, with an assistant
                message: the beginning of the reply. The reply's text is then what follows it.
            sampling: How to sample the replies.
            seeds: One per conversation, in [0, 2**63). With seeds, a reply depends on its conversation, its
                seed and the policy, and not on the rest of the batch, apart from rounding differences between
                batches of different sizes. If None, the agent draws random seeds.

        Returns:
            One reply per conversation, in the same order.
        """
        ...

    def close(self) -> None:
        """Free the device memory and stop the processes of the agent. Calling it twice is harmless."""
        ...


@runtime_checkable
class FormattedAgent(Agent, Protocol):
    """An agent that knows how its model reads conversations and writes replies."""

    @property
    def format(self) -> ModelFormat:
        """The format of the model: stores keep it with the replies, and a fit on these checks it."""
        ...


@runtime_checkable
class ContinuingAgent(Agent, Protocol):
    """An agent that may be able to continue a reply whose beginning is given."""

    @property
    def continues(self) -> bool:
        """Whether a conversation may end with an assistant message, the beginning of the reply."""
        ...


def can_continue(agent: Agent) -> bool:
    """Return whether an agent continues a reply whose beginning is given; see `ContinuingAgent`."""
    return isinstance(agent, ContinuingAgent) and agent.continues


@runtime_checkable
class TokenizingAgent(Agent, Protocol):
    """An agent that knows the tokens of texts."""

    def prompt_tokens(self, conversations: Sequence[Conversation]) -> list[int]:
        """Return the number of tokens of each prompt."""
        ...

    def tokens_before(self, reply: Reply, characters: int) -> int:
        """Return how many of the reply's `token_ids` hold its text up to a place.

        Args:
            reply: A reply of this agent with its token ids.
            characters: The number of characters of the text before the place. Tokens of a thought and a token
                that holds characters on both sides of the place are counted.
        """
        ...


@runtime_checkable
class ScoringAgent(Agent, Protocol):
    """An agent that can say how likely given replies are, without sampling."""

    def logprobs_of(
        self, conversations: Sequence[Conversation], texts: Sequence[Sequence[str]]
    ) -> list[list[float]]:
        """Return the log-probability of each text as the beginning of the reply.

        Args:
            conversations: See `Agent.act`.
            texts: Some texts for each conversation.

        Returns:
            Natural logarithms, summed over the tokens of each text: one list per conversation.
        """
        ...


StreamRequests = Mapping[int, tuple[Conversation, int]]
"""Requests of a stream: request number -> (conversation, seed)."""

OnReply = Callable[[int, Reply], StreamRequests]
"""Callback of `StreamingAgent.stream`: (request number, reply) -> the requests to answer next."""


@runtime_checkable
class StreamingAgent(Agent, Protocol):
    """An agent that accepts new requests while it answers others.

    With such an agent, no episode waits for the slowest reply of a batch.
    """

    @property
    def max_concurrent_requests(self) -> int:
        """How many requests the agent can process at the same time; 0 if this instance does not stream."""
        ...

    def stream(self, requests: StreamRequests, sampling: SamplingConfig, on_reply: OnReply) -> None:
        """Answer requests, and the requests that `on_reply` adds, until none is left.

        Implementations should start an added request before older requests that have not started yet. The
        conversation of an added request usually continues one that was just answered, so the attention keys
        and values of the shared part are still in the prefix cache.

        Args:
            requests: Request number -> (conversation, seed), with conversations and seeds as for `act`.
            sampling: How to sample the replies.
            on_reply: Called once per reply as soon as it is complete. The calls happen one at a time, in the
                thread that called `stream`. It returns the requests to add, under numbers that are not in
                use. If it raises, `stream` cancels or awaits the unfinished requests and raises the same
                exception.
        """
        ...


@runtime_checkable
class ProblemAwareAgent(Protocol):
    """An agent that must know the problems of the conversations, for example a teacher."""

    def set_problems(self, problems: Sequence[Problem]) -> None:
        """Receive the problems of the next batch.

        A rollout calls this before each `act`, with the problems of exactly the conversations that follow.
        The agent may forget the problems of earlier batches.
        """
        ...

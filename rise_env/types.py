"""The vocabulary of RISE: frozen records, without behaviour.

A `Problem` is posed; a policy answers with a reply; a checker gives a `CheckResult`; reply, check and
reward make an `Attempt`; a `Turn` holds what was shown and the attempts made at it; a `Trajectory` is
one episode. It records what *happened*, never what we made of it: weights and masks live elsewhere.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Literal, TypedDict


class Message(TypedDict):
    """One chat message, the dict that chat templates and chat servers read."""

    role: Literal["system", "user", "assistant"]
    content: str


Conversation = tuple[Message, ...]
"""Chat messages, oldest first: the state of the MDP."""


class Verdict(Enum):
    """Why a reply did or did not count."""

    CORRECT = "correct"
    """The extracted answer equals the reference."""
    WRONG = "wrong"
    """The extracted answer was understood and differs."""
    NO_ANSWER = "no_answer"
    """The reply states no final answer."""
    UNREADABLE = "unreadable"
    """The reply states an answer that the checker cannot read."""
    TIMEOUT = "timeout"
    """The check used up its time or memory; counted apart, never as correct."""


@dataclass(frozen=True, slots=True)
class CheckResult:
    """What a checker found in one reply."""

    verdict: Verdict
    answer: str | None = None
    """The extracted answer, as the reply spells it; None where there is none."""
    method: str = ""
    """The stage that decided, for example "fraction" or "symbolic"."""
    seconds: float = field(default=0.0, compare=False)

    @property
    def correct(self) -> bool:
        """Whether the verdict is CORRECT."""
        return self.verdict is Verdict.CORRECT


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One problem of a set."""

    id: str
    """Unique in its set and split, for example "gsm8k/test/17"."""
    question: str
    reference: str
    """The final answer alone, not the worked solution."""
    solution: str | None = None
    """A worked solution, where the set has one."""
    source: str = ""
    """Where it comes from: set, revision."""
    split: str = ""
    meta: Mapping[str, Any] = field(default_factory=dict)
    """Level, subject, number of steps, ...: JSON values only."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What one reply cost. Tokens as the back end counts them."""

    prompt_tokens: int = 0
    completion_tokens: int = 0
    cached_tokens: int = 0
    """Of the prompt tokens, those that a prefix cache served."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One reply to one observation, checked."""

    agent: str
    """Who replied: the agent's `name`."""
    reply: str
    check: CheckResult
    reward: float
    finish: Literal["stop", "length", "error"] = "stop"
    """Why the reply ended; "length" means that it was cut."""
    usage: Usage = Usage()


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One observation, the attempts made at it, and the one that the episode went on with."""

    observation: Conversation
    """What the agent saw."""
    attempts: tuple[Attempt, ...]
    chosen: int = 0
    """Index into `attempts` of the reply that became the action."""

    @property
    def action(self) -> Attempt:
        """The chosen attempt."""
        return self.attempts[self.chosen]


@dataclass(frozen=True, slots=True, kw_only=True)
class Trajectory:
    """One episode."""

    id: str
    """A hash of problem, plan and seed: the same episode has the same id in every run."""
    problem: Problem
    turns: tuple[Turn, ...]
    seed: int
    terminated: bool = False
    """Solved, and the environment stops when solved."""
    truncated: bool = False
    """Ended by the limit on turns."""
    error: str | None = None
    """Why the episode failed; None for a healthy one. Turns before the failure are kept."""

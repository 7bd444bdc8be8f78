"""What an agent is: something that answers conversations, many at a time.

An agent knows nothing of problems, rewards or environments. It is handed conversations and returns one
reply each, in order. Blocking and batched: vLLM and transformers batch natively, an HTTP agent keeps its
concurrency to itself.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol, runtime_checkable

from rise_env.errors import AgentError, ConfigError
from rise_env.types import Conversation, Usage


@dataclass(frozen=True, slots=True, kw_only=True)
class SamplingConfig:
    """How replies are drawn. Defaults are the RISE paper's: temperature 1, nothing cut off."""

    temperature: float = 1.0
    """0 is greedy."""
    top_p: float = 1.0
    max_new_tokens: int = 1000
    """Longest reply in tokens; a longer one is cut and its finish reason is "length"."""

    def __post_init__(self) -> None:
        if self.temperature < 0:
            raise ConfigError(f"temperature must be at least 0, got {self.temperature}")
        if not 0 < self.top_p <= 1:
            raise ConfigError(f"top_p must be in (0, 1], got {self.top_p}")
        if self.max_new_tokens < 1:
            raise ConfigError(f"max_new_tokens must be at least 1, got {self.max_new_tokens}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """One answer of an agent."""

    text: str
    """Without the end token."""
    finish: Literal["stop", "length", "error"] = "stop"
    token_ids: tuple[int, ...] | None = None
    """Of the reply, with its end token, where the back end knows them."""
    logprobs: tuple[float, ...] | None = None
    """Natural logarithms, one per token id, where the back end gives them."""
    usage: Usage = field(default_factory=Usage)
    latency: float = 0.0
    """Seconds."""

    def __post_init__(self) -> None:
        if self.finish not in ("stop", "length", "error"):
            raise AgentError(f"a reply's finish is stop, length or error, got {self.finish!r}")
        if not isinstance(self.text, str):
            raise AgentError(f"a reply's text must be a text, got {self.text!r}")
        if not isinstance(self.usage, Usage):
            raise AgentError(f"a reply's usage must be a Usage, got {self.usage!r}")
        for name in Usage.__dataclass_fields__:
            if type(getattr(self.usage, name)) is not int:
                raise AgentError(f"usage.{name} must be an int, got {getattr(self.usage, name)!r}")


@runtime_checkable
class Agent(Protocol):
    """Whoever plays."""

    @property
    def name(self) -> str:
        """Who this is, as trajectories record it; the same for the same policy."""
        ...

    def act(
        self,
        conversations: Sequence[Conversation],
        sampling: SamplingConfig,
        seeds: Sequence[int] | None = None,
    ) -> list[Reply]:
        """Answer each conversation, in order.

        Args:
            conversations: Each ends with a user message.
            sampling: How to draw.
            seeds: One per conversation, in [0, 2**63). With seeds a reply depends on its conversation,
                its seed and the policy, and not on what else is in the batch, as far as the back end's
                arithmetic allows. Without, the agent draws fresh ones.
        """
        ...

    def close(self) -> None:
        """Free the device, stop servers and workers. Calling it twice is harmless."""
        ...


Requests = Mapping[int, tuple[Conversation, int]]
"""Key -> conversation and seed."""

OnReply = Callable[[int, Reply], Requests]
"""Takes the reply to a request, and returns what to answer next."""


@runtime_checkable
class StreamingAgent(Agent, Protocol):
    """An agent that takes new conversations while it answers others, so that none waits for the slowest."""

    @property
    def max_concurrent_requests(self) -> int:
        """How many requests it can use at a time; 0 if, as it was made, it does not stream."""
        ...

    def stream(
        self,
        requests: Requests,
        sampling: SamplingConfig,
        on_reply: OnReply,
    ) -> None:
        """Answer conversations, and those that follow from the answers, until none is left.

        What follows is best begun before what waited already: its beginning is still in the prefix cache.

        Args:
            requests: Key -> conversation and seed, as for `act`.
            sampling: How to draw.
            on_reply: Called with key and reply as soon as one is there, in the thread that called `stream`,
                one call at a time; returns what to answer next, under keys that are not in use. What it
                raises comes out of `stream`, with nothing left running.
        """
        ...

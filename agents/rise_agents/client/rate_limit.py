"""Prices and estimates of tokens for paid servers, and limits on requests and tokens per minute."""

import math
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from rise_env.errors import ConfigError
from rise_env.types import Conversation, Usage

CHARACTERS_PER_TOKEN = 3.0
"""An estimate for text that was not tokenized. English has about 4; 3 overestimates the cost."""

_TOKENS_PER_MESSAGE = 8
"""Estimated tokens that a chat template adds around each message."""


def estimate_prompt_tokens(conversation: Conversation) -> float:
    """Estimate the length of a conversation as a prompt, in tokens, without a tokenizer."""
    characters = sum(len(message["content"]) for message in conversation)
    return characters / CHARACTERS_PER_TOKEN + _TOKENS_PER_MESSAGE * len(conversation)


@dataclass(frozen=True, kw_only=True)
class Prices:
    """Prices of a server, in US dollars per million tokens."""

    prompt: float = 0.0
    cached: float | None = None
    """Price of prompt tokens from the server's prefix cache; None is the price of other prompt tokens."""
    completion: float = 0.0

    def cost(self, usage: Usage) -> float:
        """Return the cost of a reply in US dollars."""
        cached = self.prompt if self.cached is None else self.cached
        fresh = usage.prompt_tokens - usage.cached_tokens
        total = fresh * self.prompt + usage.cached_tokens * cached + usage.completion_tokens * self.completion
        return total / 1e6


def read_prices(table: object) -> Prices | None:
    """Validate the `prices` setting of an agent.

    Args:
        table: {"prompt": ..., "cached": ..., "completion": ...} in US dollars per million tokens, or None.

    Returns:
        The prices; None if `table` is None.

    Raises:
        ConfigError: A name is unknown, or a price is not a finite number of at least 0.
    """
    if table is None:
        return None
    known = Prices.__dataclass_fields__
    if not isinstance(table, Mapping):
        raise ConfigError(f"prices must be {{name: US dollars per million tokens}}, got {table!r}")
    for name, value in table.items():
        if name not in known:
            raise ConfigError(f"prices must have the names {', '.join(known)}; got {name!r}")
        number = isinstance(value, int | float) and 0 <= value < math.inf
        if not number and not (name == "cached" and value is None):
            raise ConfigError(f"the price {name} must be US dollars per million tokens, got {value!r}")
    return Prices(**table)


class RateLimiter:
    """Spaces requests evenly so that neither limit is exceeded in any minute. It is thread safe.

    Args:
        per_minute: Maximal number of requests per minute; 0 is no limit.
        tokens_per_minute: Maximal number of prompt and reply tokens per minute; 0 is no limit.
        clock: A monotonic clock that returns the time in seconds.
    """

    def __init__(
        self,
        per_minute: float = 0,
        tokens_per_minute: float = 0,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._gaps = (
            60 / per_minute if per_minute else 0.0,
            60 / tokens_per_minute if tokens_per_minute else 0.0,
        )
        self._next = [0.0, 0.0]
        self._clock = clock
        self._lock = threading.Lock()

    def wait(self, tokens: int, sleep: Callable[[float], object] = time.sleep) -> None:
        """Wait until a request of about `tokens` tokens may start.

        Args:
            tokens: Number of tokens of prompt and reply together.
            sleep: Called with a number of seconds. It may return early if the request is cancelled, as
                `threading.Event.wait` does.
        """
        with self._lock:
            now = self._clock()
            start = max(now, *self._next)
            self._next = [start + self._gaps[0], start + self._gaps[1] * tokens]
        if start > now:
            sleep(start - now)

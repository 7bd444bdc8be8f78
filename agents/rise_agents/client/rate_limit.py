"""Limits for paid servers: requests and tokens per minute, and the total cost in US dollars."""

import math
import threading
import time
from collections.abc import Callable, Iterable, Mapping
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


class CostBudget:
    """Adds up the cost of replies, and refuses requests that might exceed a cap. It is thread safe.

    Args:
        cap: US dollars; 0 is no cap.
        prices: Prices of the server; required if there is a cap.
        before: Usage of replies that were paid for earlier and count towards the cap.

    Raises:
        ConfigError: The cap is negative, or there is a cap without prices.
    """

    def __init__(self, cap: float, prices: Prices | None, before: Iterable[Usage] = ()) -> None:
        if cap < 0:
            raise ConfigError(f"max_usd must be at least 0, got {cap}")
        if cap and prices is None:
            raise ConfigError("max_usd needs prices: US dollars per million prompt and completion tokens")
        self._cap = cap
        self._prices = prices or Prices()
        self._settled = threading.Condition()
        self._reserved: list[float] = []
        self.spent = sum(map(self._prices.cost, before), 0.0)
        """Cost of all replies so far, in US dollars."""

    def reserve(self, most: Usage) -> float:
        """Reserve the maximal cost of a request before it is sent.

        If the cost fits under the cap only without the reservations of running requests, the call waits
        until enough of them are settled.

        Args:
            most: Maximal usage of the request.

        Returns:
            The reserved cost in US dollars, for `settle`.

        Raises:
            ConfigError: The cost exceeds the cap even without the reservations.
        """
        cost = self._prices.cost(most)

        def fits(reserved: float) -> bool:
            return not self._cap or self.spent + reserved + cost <= self._cap

        with self._settled:
            self._settled.wait_for(lambda: fits(sum(self._reserved)) or not fits(0.0))
            if not fits(0.0):
                raise ConfigError(
                    f"the cap of ${self._cap:g} is reached: ${self.spent:.4f} spent, and the next request "
                    f"may cost ${cost:.4f}; raise max_usd and run the same command to continue"
                )
            self._reserved.append(cost)
        return cost

    def settle(self, reserved: float, usage: Usage | None) -> None:
        """Replace a reservation by the actual cost.

        Args:
            reserved: The cost that `reserve` returned.
            usage: Usage of the reply; None if the request failed and costs nothing.
        """
        with self._settled:
            self._reserved.remove(reserved)
            if usage is not None:
                self.spent += self._prices.cost(usage)
            self._settled.notify_all()


def billable_usage(usage: Usage, most: Usage) -> Usage:
    """Return the usage that a reply is billed for.

    Args:
        usage: Usage that the server reported, with 0 for numbers that it did not report.
        most: Maximal usage of the request, which replaces numbers that the server did not report.
    """
    return Usage(
        prompt_tokens=usage.prompt_tokens or most.prompt_tokens,
        completion_tokens=usage.completion_tokens or most.completion_tokens,
        cached_tokens=usage.cached_tokens,
    )

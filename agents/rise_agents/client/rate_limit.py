"""Limits on what is asked of a paid server: requests and tokens per minute, and money."""

import math
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from rise_env.errors import ConfigError
from rise_env.types import Usage


@dataclass(frozen=True, kw_only=True)
class Prices:
    """US dollars per million tokens."""

    prompt: float = 0.0
    cached: float | None = None
    """Prompt tokens that the server's prefix cache served; None costs the same as others."""
    completion: float = 0.0

    def cost(self, usage: Usage) -> float:
        """Return what a reply cost, in US dollars."""
        cached = self.prompt if self.cached is None else self.cached
        fresh = usage.prompt_tokens - usage.cached_tokens
        total = fresh * self.prompt + usage.cached_tokens * cached + usage.completion_tokens * self.completion
        return total / 1e6


def read_prices(table: object) -> Prices | None:
    """Return the prices that settings hold; None where there are none.

    Raises:
        ConfigError: They are something else than names and US dollars.
    """
    if table is None:
        return None
    known = Prices.__dataclass_fields__
    if not isinstance(table, Mapping):
        raise ConfigError(f"prices are {{name: US dollars per million tokens}}, got {table!r}")
    for name, value in table.items():
        if name not in known:
            raise ConfigError(f"prices have {', '.join(known)}; got {name!r}")
        number = isinstance(value, int | float) and 0 <= value < math.inf
        if not number and not (name == "cached" and value is None):
            raise ConfigError(f"the price {name} must be US dollars per million tokens, got {value!r}")
    return Prices(**table)


class RateLimiter:
    """Spaces requests so that neither limit is exceeded in any minute. Threads may share one.

    Args:
        per_minute: Requests; 0 is no limit.
        tokens_per_minute: Prompt and reply tokens; 0 is no limit.
        clock: Seconds, monotonic.
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
            tokens: Of prompt and reply.
            sleep: Waits so many seconds, or less when the request is not wanted any more: `Event.wait`.
        """
        with self._lock:
            now = self._clock()
            start = max(now, *self._next)
            self._next = [start + self._gaps[0], start + self._gaps[1] * tokens]
        if start > now:
            sleep(start - now)


class CostBudget:
    """Counts money, and refuses requests that might exceed the cap. Threads may share one.

    Args:
        cap: US dollars; 0 is no cap.
        prices: Needed for a cap.
        before: Replies that were paid for earlier and count, too.

    Raises:
        ConfigError: There is a cap and no prices.
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
        """US dollars, of replies that came."""

    def reserve(self, most: Usage) -> float:
        """Set aside what a request may cost at most, and return it.

        While it would only fit if those in flight cost less than they may, it waits for them.

        Raises:
            ConfigError: With what was spent already, that would exceed the cap.
        """
        cost = self._prices.cost(most)

        def fits(reserved: float) -> bool:
            return not self._cap or self.spent + reserved + cost <= self._cap

        with self._settled:
            self._settled.wait_for(lambda: fits(sum(self._reserved)) or not fits(0.0))
            if not fits(0.0):
                raise ConfigError(
                    f"the cap of ${self._cap:g} is reached: ${self.spent:.4f} spent, and the next request "
                    f"may cost ${cost:.4f}; raise max_usd and run the same command to go on"
                )
            self._reserved.append(cost)
        return cost

    def settle(self, reserved: float, usage: Usage | None) -> None:
        """Replace what was set aside by what the reply cost; None where no reply came."""
        with self._settled:
            self._reserved.remove(reserved)
            if usage is not None:
                self.spent += self._prices.cost(usage)
            self._settled.notify_all()


def billable_usage(usage: Usage, most: Usage) -> Usage:
    """Return what a reply is to be paid for: where the server does not say, as much as there can be."""
    return Usage(
        prompt_tokens=usage.prompt_tokens or most.prompt_tokens,
        completion_tokens=usage.completion_tokens or most.completion_tokens,
        cached_tokens=usage.cached_tokens,
    )

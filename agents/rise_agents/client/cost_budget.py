"""A cap on the cost of all tries, in US dollars."""

import threading
from collections.abc import Iterable

from rise_agents.client.rate_limit import Prices
from rise_env.errors import ConfigError
from rise_env.types import Usage


class CostBudget:
    """Adds up the cost of all tries, and refuses tries that might exceed a cap. It is thread safe.

    Before a try is sent, its estimated cost is reserved. The estimate grows with what was observed: if a
    prompt was longer than estimated, or a reply longer than its maximal length (hidden reasoning), then all
    reservations are larger by the highest such ratio so far, also those of the tries in flight. So the cost
    can exceed the cap only by what the tries in flight cost more than the highest ratio before them, and no
    try is sent after the cap is reached.

    Args:
        cap: US dollars; 0 is no cap.
        prices: Prices of the server; required if there is a cap.
        before: Usage of tries that were paid for earlier and count towards the cap.

    Raises:
        ConfigError: The cap is negative, or there is a cap without prices.
    """

    def __init__(self, cap: float, prices: Prices | None, before: Iterable[Usage] = ()) -> None:
        if not cap >= 0:
            raise ConfigError(f"max_usd must be at least 0, got {cap}")
        if cap and prices is None:
            raise ConfigError("max_usd needs prices: US dollars per million prompt and completion tokens")
        self._cap = cap
        self._prices = prices or Prices()
        self._settled = threading.Condition()
        self._reserved: list[Usage] = []
        """Estimated usage of the tries in flight."""
        self._prompt_ratio = self._completion_ratio = 1.0
        """Highest observed ratio of a usage to its estimate, at least 1."""
        self.spent = sum(map(self._prices.cost, before), 0.0)
        """Cost of all tries so far, in US dollars."""

    def reserve(self, most: Usage) -> None:
        """Reserve the maximal cost of a try before it is sent.

        If the cost fits under the cap only without the reservations of running tries, the call waits until
        enough of them are settled.

        Args:
            most: Estimated maximal usage of the try. Pass the same value to `settle`.

        Raises:
            ConfigError: The cost exceeds the cap even without the reservations.
        """
        with self._settled:
            self._settled.wait_for(lambda: self._fits(most, *self._reserved) or not self._fits(most))
            if not self._fits(most):
                raise ConfigError(
                    f"the cap of ${self._cap:g} is reached: ${self.spent:.4f} spent, and the next request "
                    f"may cost ${self._cost(most):.4f}; raise max_usd and run the same command to continue"
                )
            self._reserved.append(most)

    def settle(self, most: Usage, usage: Usage | None) -> None:
        """Replace a reservation by the actual cost.

        Args:
            most: What was passed to `reserve`.
            usage: Usage of the try; None if it costs nothing.
        """
        with self._settled:
            self._reserved.remove(most)
            if usage is not None:
                self.spent += self._prices.cost(usage)
                self._prompt_ratio = max(self._prompt_ratio, _ratio(usage.prompt_tokens, most.prompt_tokens))
                self._completion_ratio = max(
                    self._completion_ratio, _ratio(usage.completion_tokens, most.completion_tokens)
                )
            self._settled.notify_all()

    def _fits(self, *tries: Usage) -> bool:
        return not self._cap or self.spent + sum(map(self._cost, tries)) <= self._cap

    def _cost(self, estimate: Usage) -> float:
        """Return the cost of an estimated usage, corrected by the observed ratios."""
        price = max(self._prices.prompt, self._prices.cached or 0.0)
        prompt = price * estimate.prompt_tokens * self._prompt_ratio
        return (prompt + self._prices.completion * estimate.completion_tokens * self._completion_ratio) / 1e6


def billable_usage(usage: Usage, most: Usage) -> Usage:
    """Return the usage that a try is billed for.

    Args:
        usage: Usage that the server reported, with 0 for numbers that it did not report.
        most: Estimated maximal usage of the try, which replaces numbers that the server did not report.
    """
    return Usage(
        prompt_tokens=usage.prompt_tokens or most.prompt_tokens,
        completion_tokens=usage.completion_tokens or most.completion_tokens,
        cached_tokens=usage.cached_tokens,
    )


def _ratio(actual: int, estimate: int) -> float:
    return actual / max(estimate, 1)

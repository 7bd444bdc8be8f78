"""How long to wait before a request is tried again."""

import random
import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime

LONGEST_WAIT = 60.0
"""Maximal number of seconds between two tries, if the server does not say how long to wait."""

LONGEST_RETRY_AFTER = 300.0
"""Maximal number of seconds between two tries, if the server says how long to wait."""


class Backoff:
    """Seconds until the next try: what the server says, else exponential backoff with jitter.

    Args:
        seed: Seed of the jitter. It differs between requests, so that they do not retry at the same moment.
    """

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    def seconds(self, failures: int, retry_after: float | None) -> float:
        """Return the seconds to wait.

        Args:
            failures: Number of failed tries so far, at least 1.
            retry_after: What the server said; see `retry_after`.
        """
        if retry_after is not None:
            return min(retry_after, LONGEST_RETRY_AFTER)
        return min(LONGEST_WAIT, 0.5 * 2.0 ** (failures - 1)) * self._random.uniform(0.5, 1.0)


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Return the seconds that a response tells the client to wait; None if it does not say.

    It reads `retry-after-ms` (OpenAI, Azure) and `retry-after`, a number of seconds or a date.
    """
    for name, unit in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        try:
            seconds = float(headers.get(name, "")) * unit
        except ValueError:
            continue
        if seconds >= 0:  # False for NaN
            return seconds
    try:
        return max(0.0, parsedate_to_datetime(headers.get("retry-after", "")).timestamp() - time.time())
    except ValueError:
        return None

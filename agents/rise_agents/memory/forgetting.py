"""The forgetting curve: how well an item is retained, and what using it changes.

Time is counted in problems, so that nothing depends on a clock or on how many machines play. Source: SAGE
(arXiv:2409.00872), with the retention of Ebbinghaus. All numbers, the rehearsal and its cap are ours: the
paper gives none.
"""

import math
from typing import Literal

from rise_env.errors import ConfigError

Place = Literal["short", "long", "forgotten"]


def retention(time: float, strength: float) -> float:
    """Return exp(-time / strength), in (0, 1]: a larger strength keeps longer.

    >>> retention(0, 20), retention(10, 20) < retention(10, 40)
    (1.0, True)

    Args:
        time: Problems since the last use, at least 0.
        strength: In problems, above 0.

    Raises:
        ConfigError: An argument is out of range.
    """
    if time < 0 or strength <= 0:
        raise ConfigError(f"need time >= 0 and strength > 0, got {time} and {strength}")
    return math.exp(-time / strength)


def place(retained: float, theta1: float, theta2: float) -> Place:
    """Return where an item belongs: short-term from `theta1` on, long-term from `theta2` on, or nowhere."""
    if retained >= theta1:
        return "short"
    return "long" if retained >= theta2 else "forgotten"


def rehearsed(strength: float, rho: float, most: float) -> float:
    """Return the strength after an item was used with success: `rho` times it, at most `most`.

    A strength that is above `most` already stays.
    """
    return max(strength, min(rho * strength, most))

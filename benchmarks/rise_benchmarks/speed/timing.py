"""Counts how often something can be done in a second, by wall clock and by CPU time."""

import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rate:
    """How often per second. On a machine that others use, CPU time says what an idle one would do."""

    name: str
    per_second: float
    """By wall clock."""
    per_cpu_second: float
    """By CPU time of this process."""


def measure(name: str, run: Callable[[], int], *, seconds: float = 1.0, repeats: int = 5) -> Rate:
    """Return the best of several repeats.

    Args:
        name: What is measured.
        run: Does it some times and returns how often.
        seconds: At least so long is each repeat.
        repeats: How many.
    """
    run()
    wall = cpu = 0.0
    for _ in range(repeats):
        count, start, start_cpu = 0, time.perf_counter(), time.process_time()
        while time.perf_counter() - start < seconds:
            count += run()
        wall = max(wall, count / (time.perf_counter() - start))
        cpu = max(cpu, count / (time.process_time() - start_cpu))
    return Rate(name, wall, cpu)

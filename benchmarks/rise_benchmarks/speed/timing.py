"""Helps to measure speeds: how often a function runs per second, and agents without cached states."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from rise_agents.kept_agents import ForgettingAgent
from rise_agents.types import Agent


@dataclass(frozen=True, slots=True)
class Rate:
    """A rate per second. On a busy machine, the rate per CPU second is close to that of an idle machine."""

    name: str
    per_second: float
    """Rate per second of wall time."""
    per_cpu_second: float
    """Rate per second of CPU time of this process."""


def measure(name: str, run: Callable[[], int], *, seconds: float = 1.0, repeats: int = 5) -> Rate:
    """Return the best of several repeats.

    Args:
        name: A name for the result.
        run: Does the work a few times, and returns the number of times.
        seconds: The minimum duration of each repeat.
        repeats: The number of repeats.
    """
    run()
    wall = cpu = 0.0
    for _ in range(repeats):
        count, start, start_cpu = 0, time.perf_counter(), time.process_time()
        while (
            not count or time.perf_counter() - start < seconds
        ):  # at least once, however busy the machine is
            count += run()
        wall = max(wall, count / max(time.perf_counter() - start, 1e-9))
        cpu = max(cpu, count / max(time.process_time() - start_cpu, 1e-9))
    return Rate(name, wall, cpu)


def forget(agent: Agent) -> None:
    """Empty the prefix cache of an agent, so that a run does not use states of the run before."""
    if isinstance(agent, ForgettingAgent):
        agent.forget()

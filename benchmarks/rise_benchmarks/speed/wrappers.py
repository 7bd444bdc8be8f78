"""Time that the wrappers of `gymnasium.make` add to a step of `MathEnv`, and of an empty environment.

    python -m rise_benchmarks.speed.wrappers

The cost of the wrappers is the CPU time of a step with them minus that of the same step without them, in
microseconds. `ratio` is this cost for `MathEnv` divided by the cost for an environment that returns the same
observations and does nothing else. It should be at most 1.2. The wrappers run the same code for both (a test
counts it), so the difference comes from the state of the CPU caches.
"""

import json
import statistics
import time
from collections.abc import Callable, Sequence
from typing import Any

import gymnasium

from rise_benchmarks.speed.env import WRONG, episodes, problems_at_hand
from rise_env.checkers import NumericChecker
from rise_env.envs.math_env import MathEnv
from rise_env.types import Conversation, Problem


class EmptyEnv(gymnasium.Env[Conversation, str]):
    """Returns given observations and does nothing else."""

    metadata: dict[str, Any] = {"render_modes": []}  # noqa: RUF012

    def __init__(self, observations: Sequence[Conversation], like: gymnasium.Env[Conversation, str]) -> None:
        self.observation_space, self.action_space = like.observation_space, like.action_space
        self._observations, self._turn = observations, 0

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Conversation, dict[str, Any]]:
        """Return the first observation."""
        self._turn = 0
        return self._show(), {}

    def step(self, action: str) -> tuple[Conversation, float, bool, bool, dict[str, Any]]:
        """Return the next observation."""
        self._turn += 1
        return self._show(), 0.0, False, self._turn + 1 == len(self._observations), {}

    def _show(self) -> Conversation:
        return tuple(message.copy() for message in self._observations[self._turn])


def empty(problems: Sequence[Problem]) -> EmptyEnv:
    """Return an environment with the observations of `MathEnv` for problem 0 and five wrong replies."""
    env = MathEnv(problems, NumericChecker())
    return EmptyEnv([env.reset(options={"index": 0})[0], *(env.step(WRONG)[0] for _ in range(5))], env)


def wrapped(env: gymnasium.Env[Any, str]) -> gymnasium.Env[Any, str]:
    """Return `env` in the wrappers of `gymnasium.make`."""
    return gymnasium.wrappers.OrderEnforcing(gymnasium.wrappers.PassiveEnvChecker(env))


def added(problems: Sequence[Problem], rounds: int = 100) -> dict[str, float]:
    """Return microseconds per step, bare and added by the wrappers, and the ratio.

    Bare and wrapped loops alternate in blocks of a few milliseconds, and the order within a pair alternates
    as well. So other programs on the machine and warm caches affect both alike. The result is the median of
    (wrapped - bare).

    Args:
        problems: The problems of the environments.
        rounds: The number of runs of each loop.
    """
    checker = NumericChecker()
    makers: dict[str, Callable[[], gymnasium.Env[Any, str]]] = {
        "ours": lambda: MathEnv(problems, checker),
        "empty": lambda: empty(problems),
    }
    result: dict[str, float] = {}
    for name, make in makers.items():
        plain, inside = episodes(make(), problems, 5), episodes(wrapped(make()), problems, 5)
        pairs: list[tuple[float, float]] = []
        for turn in range(rounds + 1):
            if turn % 2:
                pairs.append((_microseconds(plain), _microseconds(inside)))
            else:
                pairs.append((_microseconds(inside), _microseconds(plain))[::-1])
        pairs = pairs[1:]  # the first round warms up
        result[f"{name}_bare"] = statistics.median(before for before, _ in pairs)
        result[f"added_to_{name}"] = statistics.median(after - before for before, after in pairs)
    return result | {"ratio": result["added_to_ours"] / result["added_to_empty"]}


def _microseconds(play: Callable[[], int]) -> float:
    start = time.process_time()
    steps = play()
    return (time.process_time() - start) / steps * 1e6


if __name__ == "__main__":
    print(json.dumps(added(problems_at_hand()[1])))

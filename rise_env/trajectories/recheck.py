"""Checks stored replies again, with another checker."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from rise_env.checkers.base import Checker
from rise_env.envs.rewards import RewardFunction
from rise_env.types import Trajectory, Turn, Verdict


@dataclass(slots=True)
class Changes:
    """In which verdicts another checker differs. `recheck` fills it while its episodes are consumed."""

    checked: int = 0
    counts: Counter[tuple[Verdict, Verdict]] = field(default_factory=Counter)
    """(verdict before, verdict now) -> number of replies; only pairs that differ."""
    examples: list[tuple[Trajectory, int, int, Verdict]] = field(default_factory=list)
    """Some replies with another verdict: (episode, turn, attempt, verdict now); turn and attempt from 0."""

    @property
    def changed(self) -> int:
        """How many replies have another verdict than before."""
        return sum(self.counts.values())


def recheck(
    trajectories: Iterable[Trajectory],
    checker: Checker,
    rewards: RewardFunction,
    changes: Changes,
    *,
    examples: int = 5,
) -> Iterator[Trajectory]:
    """Yield the episodes with the verdicts of `checker`; a reply with another verdict gets another reward.

    The course of an episode does not change: neither the reply that was chosen at each turn nor the last
    turn.

    Args:
        trajectories: As stored.
        checker: Checks every attempt.
        rewards: Give the reward of a reply whose verdict changed.
        changes: The differences are added to it.
        examples: How many replies with another verdict to keep in `changes`.

    Yields:
        One episode per stored one, in the same order.
    """
    for trajectory in trajectories:
        problem = trajectory.problem
        turns = []
        for number, turn in enumerate(trajectory.turns):
            attempts = []
            for place, attempt in enumerate(turn.attempts):
                check = checker.check(attempt.reply, problem.reference, question=problem.question)
                changes.checked += 1
                before = attempt.check.verdict
                reward = attempt.reward
                if check.verdict is not before:
                    changes.counts[before, check.verdict] += 1
                    if len(changes.examples) < examples:
                        changes.examples.append((trajectory, number, place, check.verdict))
                    reward = rewards(check, number)
                attempts.append(replace(attempt, check=check, reward=reward))
            turns.append(Turn(observation=turn.observation, attempts=tuple(attempts), chosen=turn.chosen))
        yield replace(trajectory, turns=tuple(turns))

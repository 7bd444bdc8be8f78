"""Stored replies, checked by another checker."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from rise_env.checkers.base import Checker
from rise_env.envs.rewards import Rewards
from rise_env.types import Trajectory, Turn, Verdict


@dataclass(slots=True)
class Changes:
    """What another checker found otherwise. Filled as episodes are rechecked."""

    checked: int = 0
    counts: Counter[tuple[Verdict, Verdict]] = field(default_factory=Counter)
    """(verdict before, verdict now) -> replies, changed ones only."""
    examples: list[tuple[Trajectory, int, int, Verdict]] = field(default_factory=list)
    """Some changed replies: episode, turn, attempt, verdict now."""

    @property
    def changed(self) -> int:
        """How many replies have another verdict."""
        return sum(self.counts.values())


def recheck(
    trajectories: Iterable[Trajectory],
    checker: Checker,
    rewards: Rewards,
    changes: Changes,
    *,
    examples: int = 5,
) -> Iterator[Trajectory]:
    """Yield the episodes as `checker` finds them; a changed verdict gets its reward from `rewards`.

    What happened stays: which reply the episode went on with, and where it ended.

    Args:
        trajectories: As stored.
        checker: Checks every attempt.
        rewards: What a changed verdict is worth.
        changes: Gets the differences.
        examples: How many changed replies to keep in `changes`.
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
                    reward = rewards.of(check, number)
                attempts.append(replace(attempt, check=check, reward=reward))
            turns.append(Turn(observation=turn.observation, attempts=tuple(attempts), chosen=turn.chosen))
        yield replace(trajectory, turns=tuple(turns))

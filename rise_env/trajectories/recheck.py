"""Checks stored replies again, with another checker."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from rise_env.checkers.base import Checker
from rise_env.envs.rewards import RewardFunction
from rise_env.metrics.self_verification import METHOD, verification_check
from rise_env.types import Attempt, Problem, Trajectory, Turn, Verdict


@dataclass(slots=True)
class Changes:
    """The verdicts that another checker changed. `recheck` adds to it with every episode that it yields."""

    checked: int = 0
    """Number of replies that were checked."""
    counts: Counter[tuple[Verdict, Verdict]] = field(default_factory=Counter)
    """(old verdict, new verdict) -> number of replies; only pairs of different verdicts."""
    examples: list[tuple[Trajectory, int, int, Verdict]] = field(default_factory=list)
    """Some replies with a changed verdict: (episode, turn, attempt, new verdict); turn and attempt from 0."""

    @property
    def changed(self) -> int:
        """Number of replies whose verdict changed."""
        return sum(self.counts.values())


def recheck(
    trajectories: Iterable[Trajectory],
    checker: Checker,
    rewards: RewardFunction,
    changes: Changes,
    *,
    examples: int = 5,
) -> Iterator[Trajectory]:
    """Yield the episodes with the verdicts of `checker`, and new rewards for replies whose verdict changed.

    The chosen reply of each turn and the number of turns do not change. Replies that an agent only considered
    are checked as well, but not counted.

    Args:
        trajectories: Stored episodes.
        checker: Checks every attempt that was not withheld. A reply that says whether the one before is right
            is graded by the new verdict of that one.
        rewards: Returns the reward of a reply whose verdict changed.
        changes: Counts the changed verdicts.
        examples: The largest number of replies with a changed verdict to keep in `changes`.

    Yields:
        The episodes in their order.
    """
    for trajectory in trajectories:
        problem = trajectory.problem
        turns: list[Turn] = []
        for number, turn in enumerate(trajectory.turns):
            attempts = []
            for place, attempt in enumerate(turn.attempts):
                if attempt.check.verdict is Verdict.WITHHELD:
                    attempts.append(attempt)
                    continue
                if attempt.check.method == METHOD and turns:
                    correct = turns[-1].action.check.correct
                    rating = None if attempt.check.answer is None else float(attempt.check.answer)
                    check = verification_check(rating, correct)
                else:
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
            considered = tuple(_rechecked(one, problem, checker, rewards, number) for one in turn.considered)
            turns.append(replace(turn, attempts=tuple(attempts), considered=considered))
        yield replace(trajectory, turns=tuple(turns))


def _rechecked(
    attempt: Attempt, problem: Problem, checker: Checker, rewards: RewardFunction, turn: int
) -> Attempt:
    check = checker.check(attempt.reply, problem.reference, question=problem.question)
    same = check.verdict is attempt.check.verdict
    return replace(attempt, check=check, reward=attempt.reward if same else rewards(check, turn))

"""Which attempts are learned from, and with which history: trajectories to targets. Pure functions.

A `TrainingTarget` is one reply to be trained, with what the policy saw before it. The criteria have exactly
the meaning of the released code of RISE (arXiv:2407.18219, `workflow_convert.py`), tested on its worked
cases.
"""

import dataclasses
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from rise_env.errors import ConfigError
from rise_env.types import Conversation, Message, Trajectory, Turn

Criterion = Literal["all", "better", "best", "successful"]
"""all: every turn. better: reward above the turn before. best: reward at least that of every earlier turn.
successful: reward of at least `success`. The first turn is always kept, except by "successful"."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingTarget:
    """One reply to learn from."""

    trajectory: str
    """The id of its trajectory."""
    problem: str
    """The id of its problem."""
    turn: int
    """From 0, counted in the trajectory as it was played."""
    start: Conversation
    """What every turn of the trajectory begins with: the messages shown before the first reply."""
    history: Conversation
    """What came after it: earlier replies, each followed by its feedback."""
    reply: str
    reward: float
    complete: bool = True
    """The reply ended by itself; a reply that was cut by its length limit has no end to learn."""

    @property
    def prompt(self) -> Conversation:
        """All that the policy sees before it replies."""
        return self.start + self.history


@dataclass(frozen=True, kw_only=True)  # no slots: jsonargparse reads a nested default's __dict__
class Selection:
    """What to learn from. Defaults keep everything that was played up to the first success."""

    criterion: Criterion = "all"
    turns: Literal["all", "first", "last", "later"] = "all"
    """Of those that the criterion keeps: all, the first turn, the last played turn, or all but the first."""
    history: int | None = None
    """How many earlier attempts a target may see, the latest; None: as played, 0: the problem alone."""
    solved_only: bool = False
    """Drop trajectories that never succeed."""
    keep_after_success: bool = False
    """Keep turns after the first success (correct-to-correct pairs)."""
    drop_duplicates: bool = False
    """Remove replies that are empty or repeat an earlier one of the trajectory, from history as well."""
    per_problem: int | None = None
    """At most this many trajectories of one problem, drawn at random; None keeps all."""
    success: float = 1.0
    """The smallest reward that is a success."""

    def __post_init__(self) -> None:
        if self.criterion not in get_args(Criterion):
            raise ConfigError(f"no criterion {self.criterion!r}; there are: {', '.join(get_args(Criterion))}")
        if self.turns not in ("all", "first", "last", "later"):
            raise ConfigError(f"turns must be all, first, last or later, got {self.turns!r}")
        if self.history is not None and self.history < 0:
            raise ConfigError(f"history must be at least 0, got {self.history}")
        if self.per_problem is not None and self.per_problem < 1:
            raise ConfigError(f"per_problem must be at least 1, got {self.per_problem}")


def kept_turns(rewards: Sequence[float], criterion: Criterion, success: float = 1.0) -> list[int]:
    """Return the indices of the turns that the criterion keeps.

    >>> kept_turns([0, 0, -1, 1], "better"), kept_turns([0, 0, -1, 1], "best")
    ([0, 3], [0, 1, 3])
    """
    if criterion == "all":
        return list(range(len(rewards)))
    if criterion == "successful":
        return [index for index, reward in enumerate(rewards) if reward >= success]
    if criterion == "better":
        return [i for i in range(len(rewards)) if i == 0 or rewards[i] > rewards[i - 1]]
    return [i for i in range(len(rewards)) if all(rewards[i] >= earlier for earlier in rewards[:i])]


def targets(trajectory: Trajectory, selection: Selection) -> list[TrainingTarget]:
    """Return what one trajectory teaches, in the order in which it was played."""
    turns = [(index, turn) for index, turn in enumerate(trajectory.turns) if turn.action.finish != "error"]
    if not selection.keep_after_success:
        turns = _until_success(turns, selection.success)
    rewards = [turn.action.reward for _, turn in turns]
    if selection.solved_only and not any(reward >= selection.success for reward in rewards):
        return []
    if selection.drop_duplicates:
        turns = _without_duplicates(turns)
        rewards = [turn.action.reward for _, turn in turns]
    kept = kept_turns(rewards, selection.criterion, selection.success)
    if selection.turns == "first":
        kept = [place for place in kept if turns[place][0] == 0]
    elif selection.turns == "later":
        kept = [place for place in kept if turns[place][0] > 0]
    elif selection.turns == "last":
        kept = kept if kept and kept[-1] == len(turns) - 1 else []
        kept = kept[-1:]
    return [_target(trajectory, *turns[place], selection) for place in kept]


def select_targets(
    trajectories: Iterable[Trajectory], selection: Selection, *, seed: int = 0
) -> list[TrainingTarget]:
    """Return the targets of all trajectories.

    Args:
        trajectories: Pooled over stores and iterations; a trajectory given twice (same id) counts once.
        selection: What to keep.
        seed: Of the draw where `per_problem` limits the trajectories of a problem.
    """
    unique = {trajectory.id: trajectory for trajectory in trajectories}
    chosen = list(unique.values())
    if selection.per_problem is not None:
        chosen = _capped(chosen, selection.per_problem, seed)
    return [target for trajectory in chosen for target in targets(trajectory, selection)]


def shortened(target: TrainingTarget, attempts: int) -> TrainingTarget:
    """Return the target with only the latest `attempts` earlier attempts in its history."""
    return dataclasses.replace(target, history=_latest(target.history, attempts))


def attempts_in(history: Conversation) -> int:
    """Return how many earlier attempts a history holds."""
    return sum(message["role"] == "assistant" for message in history)


def _until_success(turns: list[tuple[int, Turn]], success: float) -> list[tuple[int, Turn]]:
    for place, (_, turn) in enumerate(turns):
        if turn.action.reward >= success:
            return turns[: place + 1]
    return turns


def _without_duplicates(turns: list[tuple[int, Turn]]) -> list[tuple[int, Turn]]:
    seen = {""}
    unique = []
    for index, turn in turns:
        reply = turn.action.reply.strip()
        if reply not in seen:
            seen.add(reply)
            unique.append((index, turn))
    return unique


def _target(trajectory: Trajectory, index: int, turn: Turn, selection: Selection) -> TrainingTarget:
    start = trajectory.turns[0].observation
    shared = turn.observation[: len(start)] == start
    # an observation that does not begin like the first one (a wrapper rewrote it) is taken as it is
    begin, history = (start, turn.observation[len(start) :]) if shared else (turn.observation, ())
    if selection.drop_duplicates:
        history = _unique_attempts(history)
    if selection.history is not None:
        history = _latest(history, selection.history)
    return TrainingTarget(
        trajectory=trajectory.id,
        problem=trajectory.problem.id,
        turn=index,
        start=begin,
        history=history,
        reply=turn.action.reply,
        reward=turn.action.reward,
        complete=turn.action.finish == "stop",
    )


def _attempts(history: Conversation) -> list[Conversation]:
    """Split a history into earlier attempts: each a reply with the messages that answer it."""
    parts: list[list[Message]] = []
    for message in history:
        if message["role"] == "assistant" or not parts:
            parts.append([])
        parts[-1].append(message)
    return [tuple(part) for part in parts]


def _latest(history: Conversation, attempts: int) -> Conversation:
    parts = _attempts(history)
    kept = parts[len(parts) - attempts :] if attempts < len(parts) else parts
    return tuple(message for part in kept for message in part)


def _unique_attempts(history: Conversation) -> Conversation:
    seen = {""}
    kept = []
    for part in _attempts(history):
        reply = part[0]["content"].strip()
        if part[0]["role"] == "assistant" and reply in seen:
            continue
        seen.add(reply)
        kept.append(part)
    return tuple(message for part in kept for message in part)


def _capped(trajectories: list[Trajectory], limit: int, seed: int) -> list[Trajectory]:
    rng = np.random.default_rng(np.random.SeedSequence((seed, len(trajectories))))
    count: dict[str, int] = {}
    kept: set[str] = set()
    for place in rng.permutation(len(trajectories)):
        trajectory = trajectories[int(place)]
        if count.get(trajectory.problem.id, 0) < limit:
            count[trajectory.problem.id] = count.get(trajectory.problem.id, 0) + 1
            kept.add(trajectory.id)
    return [trajectory for trajectory in trajectories if trajectory.id in kept]

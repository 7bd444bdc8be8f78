"""Decides which sequences each optimizer step trains; every rank computes the same plan.

A step trains at most `batch_size` replies. The replies of one trajectory are always in one step: a
trajectory with more replies than that is a step of its own. In every epoch the trajectories are shuffled, and
each one goes into the first step that has room for all its replies (first fit). A step therefore holds the
same replies whether the turns of a trajectory share a sequence or have one each, and whatever the micro batch
and the number of ranks are.
"""

import heapq
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from rise_trainers.data.dataset import Example


@dataclass(frozen=True, slots=True)
class StepPlan:
    """The optimizer steps of a fit."""

    epochs: tuple[tuple[tuple[int, ...], ...], ...]
    """Epoch, step of the epoch, index of a sequence. All epochs have the same number of steps."""

    @property
    def steps_per_epoch(self) -> int:
        """The number of optimizer steps of every epoch."""
        return len(self.epochs[0])

    def passes(self, micro_batch_size: int, ranks: int) -> int:
        """Return how many forward passes of each rank the largest step needs.

        Args:
            micro_batch_size: The largest number of sequences per forward pass of one rank.
            ranks: The number of processes.
        """
        largest = max(len(step) for epoch in self.epochs for step in epoch)
        return math.ceil(largest / (micro_batch_size * ranks))


def plan_steps(examples: Sequence[Example], *, batch_size: int, epochs: float, seed: int = 0) -> StepPlan:
    """Return the plan of a fit.

    Args:
        examples: The training sequences.
        batch_size: The largest number of replies per optimizer step, over all ranks.
        epochs: Number of passes over the data; it may be a fraction.
        seed: Epoch e is shuffled with `SeedSequence((seed, e))`.
    """
    members: dict[int, list[int]] = {}
    for index, example in enumerate(examples):
        members.setdefault(example.trajectory, []).append(index)
    trajectories = list(members.values())
    replies = [sum(examples[index].replies for index in own) for own in trajectories]
    shuffled = [
        np.random.default_rng(np.random.SeedSequence((seed, epoch))).permutation(len(trajectories)).tolist()
        for epoch in range(max(1, math.ceil(epochs)))
    ]
    assigned = [first_fit(order, replies, batch_size) for order in shuffled]
    most = max(len(steps) for steps in assigned)
    return StepPlan(
        tuple(
            tuple(tuple(index for own in step for index in trajectories[own]) for step in _split(steps, most))
            for steps in assigned
        )
    )


def describe_steps(examples: Sequence[Example], plan: StepPlan, *, batch_size: int) -> list[str]:
    """Return sentences for the log: how many steps there are, and how many replies they hold.

    Args:
        examples: The training sequences.
        plan: The plan of the fit.
        batch_size: The largest number of replies per optimizer step.
    """
    replies = [sum(examples[index].replies for index in step) for epoch in plan.epochs for step in epoch]
    mean = sum(replies) / len(replies)
    notes = [f"{plan.steps_per_epoch} optimizer steps per epoch, with {mean:.1f} replies on average"]
    larger = max(replies)
    if larger > batch_size:
        notes.append(
            f"a trajectory has {larger} replies, more than batch_size {batch_size}, and is a step of its own"
        )
    return notes


def first_fit(order: Sequence[int], replies: Sequence[int], batch_size: int) -> list[list[int]]:
    """Assign trajectories to steps: each one to the first step that has room for all its replies.

    Args:
        order: Indices of the trajectories, in the order in which they are assigned.
        replies: Number of replies of each trajectory.
        batch_size: The largest number of replies per step, unless one trajectory alone has more.

    >>> first_fit([0, 1, 2, 3], [2, 3, 2, 1], batch_size=4)
    [[0, 2], [1, 3]]
    """
    steps: list[list[int]] = []
    by_room: dict[int, list[int]] = {}  # free places -> heap of the steps with so many
    for trajectory in order:
        size = min(replies[trajectory], batch_size)
        fitting = [(heap[0], room) for room, heap in by_room.items() if heap and room >= size]
        if fitting:
            step, room = min(fitting)
            heapq.heappop(by_room[room])
        else:
            step, room = len(steps), batch_size
            steps.append([])
        steps[step].append(trajectory)
        if room > size:
            heapq.heappush(by_room.setdefault(room - size, []), step)
    return steps


def _split(steps: list[list[int]], count: int) -> list[list[int]]:
    """Halve the steps with the most trajectories until there are `count` steps.

    First fit may need one step more in one epoch than in another, but the learning rate schedule needs the
    same number in every epoch.
    """
    steps = list(steps)
    while len(steps) < count:
        place = max(range(len(steps)), key=lambda at: len(steps[at]))
        middle = len(steps[place]) // 2
        steps[place : place + 1] = [steps[place][:middle], steps[place][middle:]]
    return steps

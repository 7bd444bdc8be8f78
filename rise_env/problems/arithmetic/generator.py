r"""Generated word problems: unlimited, embedded, each with a worked solution and an integer answer.

A problem is a chain of quantities ("Ava has 12 shells. Ben has 5 more shells than Ava. ..."). Problem
`i` of a split is a pure function of (difficulty, split, seed, i). Which split a problem may belong to is
decided by a hash of its skeleton, the numbers and relations without names and wording, so that no two
splits share a problem, not even one told with other words.

>>> problems = ArithmeticProblems(split="test")
>>> problems[0] == ArithmeticProblems(split="test")[0]
True
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import overload

from rise_env.errors import ConfigError
from rise_env.problems.arithmetic import wording as text
from rise_env.problems.arithmetic.steps import Draws, Step
from rise_env.types import Problem

SPLITS = {"train": range(0, 8), "validation": range(8, 9), "test": range(9, 10)}
"""Split -> which tenths of all skeletons belong to it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Difficulty:
    """How hard the problems are."""

    min_steps: int = 2
    max_steps: int = 3
    """Calculations per problem, both ends included."""
    operations: tuple[str, ...] = ("more", "fewer", "times", "share", "sum")
    largest: int = 199
    """Largest quantity that appears anywhere."""
    largest_change: int = 30
    """Largest number added or taken away in one step."""
    largest_factor: int = 5
    distractors: float = 0.3
    """Probability of one sentence that has nothing to do with the question."""
    branching: float = 0.0
    """Probability that a step starts from the quantity before the last one, where there is one."""
    turned: float = 0.0
    """Probability that a relation is told from the other side: "Ava has 5 fewer than Ben"."""
    answer_first: float = 0.5
    """Probability that the answer is asked for before the steps, so that a reply commits itself before it
    has worked anything out."""

    def __post_init__(self) -> None:
        if not 1 <= self.min_steps <= self.max_steps <= len(text.NAMES) - 2:
            raise ConfigError(
                f"need 1 <= min_steps <= max_steps <= {len(text.NAMES) - 2}, "
                f"got {self.min_steps} and {self.max_steps}"
            )
        unknown = sorted(set(self.operations) - set(text.RELATIONS))
        if unknown or not set(self.operations) & {"more", "fewer", "times"}:
            raise ConfigError(
                f"operations must be from {sorted(text.RELATIONS)} with at least one of more, fewer, times; "
                f"got {list(self.operations)}"
            )
        if self.largest < 40 or self.largest_change < 2 or self.largest_factor < 2:
            raise ConfigError(
                "need largest >= 40, largest_change >= 2 and largest_factor >= 2, "
                f"got {self.largest}, {self.largest_change} and {self.largest_factor}"
            )
        for name in ("distractors", "branching", "turned", "answer_first"):
            if not 0 <= getattr(self, name) <= 1:
                raise ConfigError(f"{name} is a probability, got {getattr(self, name)}")


@dataclass(frozen=True, slots=True)
class Story:
    """A skeleton told in words: quantity `i` belongs to `people[i]`."""

    question: str
    people: tuple[str, ...]
    start: int
    steps: tuple[Step, ...]
    answer_first: bool = False

    @property
    def solution(self) -> str:
        """The worked solution."""
        return text.write_solution(self.people, self.steps, answer_first=self.answer_first)


def draw_skeleton(draws: Draws, difficulty: Difficulty) -> tuple[int, tuple[Step, ...]]:
    """Draw the first quantity and the steps that follow from it."""
    d = difficulty
    values = [draws.between(3, min(30, d.largest))]
    steps: list[Step] = []
    for index in range(1, draws.between(d.min_steps, d.max_steps) + 1):
        step = None
        while step is None:
            back = 1 if draws.below(1000) < d.branching * 1000 else 0
            of = max(0, index - 1 - back)
            step = _draw_step(draws, d, values, of)
        steps.append(step)
        values.append(step.value)
    return values[0], tuple(steps)


def _draw_step(draws: Draws, d: Difficulty, values: list[int], of: int) -> Step | None:
    """Draw one step from quantity `of`; None where the draw does not fit."""
    relation = d.operations[draws.below(len(d.operations))]
    a = values[of]
    if relation == "sum":
        if len(values) < 2:
            return None
        number = (of + 1 + draws.below(len(values) - 1)) % len(values)
        expression, value = f"{a}+{values[number]}", a + values[number]
    elif relation == "more":
        number = draws.between(2, d.largest_change)
        expression, value = f"{a}+{number}", a + number
    elif relation == "fewer":
        number = draws.between(2, d.largest_change)
        expression, value = f"{a}-{number}", a - number
    elif relation == "times":
        number = draws.between(2, d.largest_factor)
        expression, value = f"{a}*{number}", a * number
    else:
        number = draws.between(2, d.largest_factor)
        if a % number:
            return None
        expression, value = f"{a}/{number}", a // number
    return Step(relation, of, number, expression, value) if 1 <= value <= d.largest else None


def _tenth(start: int, steps: tuple[Step, ...]) -> int:
    """Return which tenth of all skeletons this one belongs to; names and wording play no part."""
    canonical = repr((start, [(s.relation, s.of, s.number) for s in steps]))
    return int.from_bytes(hashlib.blake2b(canonical.encode(), digest_size=8).digest()) % 10


class ArithmeticProblems(Sequence[Problem]):
    """The problems of one split, made on demand; nothing is stored.

    Args:
        split: "train", "validation" or "test". No two splits share a problem.
        seed: Another seed, other problems.
        size: How many; by default 1,000,000 for "train" and 1,000 otherwise.
        difficulty: See `Difficulty`.

    Raises:
        ConfigError: The split is unknown, or seed or size is negative.
    """

    def __init__(
        self,
        *,
        split: str = "train",
        seed: int = 0,
        size: int | None = None,
        difficulty: Difficulty | None = None,
    ) -> None:
        if split not in SPLITS:
            raise ConfigError(f"no split {split!r}; there are: {', '.join(SPLITS)}")
        if seed < 0 or (size is not None and size < 1):
            raise ConfigError(f"seed must be at least 0 and size at least 1, got {seed} and {size}")
        self.split = split
        self.seed = seed
        self.difficulty = difficulty or Difficulty()
        self._size = size or (1_000_000 if split == "train" else 1_000)

    def __len__(self) -> int:
        return self._size

    @overload
    def __getitem__(self, index: int) -> Problem: ...
    @overload
    def __getitem__(self, index: slice) -> list[Problem]: ...
    def __getitem__(self, index: int | slice) -> Problem | list[Problem]:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(self._size))]
        if not -self._size <= index < self._size:
            raise IndexError(f"problem {index} of {self._size}")
        return self._make(index % self._size)

    def __iter__(self) -> Iterator[Problem]:
        return (self._make(index) for index in range(self._size))

    def story(self, index: int) -> Story:
        """Return problem `index` as its skeleton and words; `problems[index]` is the same as a `Problem`."""
        draws = Draws((self.seed, list(SPLITS).index(self.split), index))
        start, steps = draw_skeleton(draws, self.difficulty)
        while _tenth(start, steps) not in SPLITS[self.split]:
            start, steps = draw_skeleton(draws, self.difficulty)
        question, people = text.tell(
            draws,
            start,
            steps,
            distractors=self.difficulty.distractors,
            turned=self.difficulty.turned,
        )
        answer_first = draws.below(1000) < self.difficulty.answer_first * 1000
        if answer_first:
            question = f"{question} {text.ANSWER_FIRST}"
        return Story(question, people, start, steps, answer_first)

    def _make(self, index: int) -> Problem:
        story = self.story(index)
        return Problem(
            id=f"arithmetic/{self.split}/{self.seed}/{index}",
            question=story.question,
            reference=str(story.steps[-1].value),
            solution=story.solution,
            source="generated by rise_env.problems.arithmetic, version 2",
            split=self.split,
            meta={"steps": len(story.steps)},
        )

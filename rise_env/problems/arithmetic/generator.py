r"""Generated word problems, each with a worked solution and an integer answer. They need no data.

A problem is a chain of quantities ("Ava has 12 shells. Ben has 5 more shells than Ava. ..."). Problem
`i` of a split is a pure function of (difficulty, split, seed, i).

The skeleton of a problem is its numbers and relations, without names and wording. A hash of the skeleton
decides which split the problem may belong to, so that no two splits share a problem, in whatever words.

>>> problems = ArithmeticProblems(split="test")
>>> problems[0] == ArithmeticProblems(split="test")[0]
True
"""

import hashlib
from dataclasses import dataclass

from rise_env.errors import ConfigError
from rise_env.problems.arithmetic import wording
from rise_env.problems.arithmetic.steps import Draws, Step
from rise_env.problems.generated import GeneratedProblems
from rise_env.types import Problem

SIZES = {"train": 1_000_000, "validation": 1_000, "test": 1_000}
"""Split -> default number of problems."""

TENTHS = {"train": range(0, 8), "validation": range(8, 9), "test": range(9, 10)}
"""Split -> which tenths of all skeletons belong to it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Difficulty:
    """How hard the problems are.

    Raises:
        ConfigError: A value is out of range.
    """

    min_steps: int = 2
    max_steps: int = 3
    """Maximal number of calculations per problem."""
    operations: tuple[str, ...] = ("more", "fewer", "times", "share", "sum")
    largest: int = 199
    """Largest quantity in a problem."""
    largest_change: int = 30
    """Largest number that one step adds or subtracts."""
    largest_factor: int = 5
    distractors: float = 0.3
    """Probability that a problem has one sentence that is irrelevant to the answer."""
    branching: float = 0.0
    """Probability that a step starts from the quantity before the last one, if there is one."""
    turned: float = 0.0
    """Probability that a relation is stated from the other side: "Ava has 5 fewer than Ben"."""
    answer_first: float = 0.5
    """Probability that the problem asks for the answer before the steps. A reply then states an answer before
    it has calculated anything."""

    def __post_init__(self) -> None:
        if not 1 <= self.min_steps <= self.max_steps <= len(wording.NAMES) - 2:
            raise ConfigError(
                f"need 1 <= min_steps <= max_steps <= {len(wording.NAMES) - 2}, "
                f"got {self.min_steps} and {self.max_steps}"
            )
        unknown = sorted(set(self.operations) - set(wording.RELATIONS))
        if unknown or not set(self.operations) & {"more", "fewer", "times"}:
            raise ConfigError(
                f"operations must be from {sorted(wording.RELATIONS)} with at least one of "
                f"more, fewer, times; got {list(self.operations)}"
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
    """A skeleton (`start` and `steps`), and the choices that its wording depends on."""

    question: str
    people: tuple[str, ...]
    """The person who has each quantity."""
    start: int
    """The first quantity."""
    steps: tuple[Step, ...]
    """The calculations; step `i` gives quantity `i + 1`."""
    answer_first: bool = False
    """Whether the question asks for the answer before the steps."""

    @property
    def solution(self) -> str:
        """The worked solution."""
        return wording.write_solution(self.people, self.steps, answer_first=self.answer_first)


def draw_skeleton(draws: Draws, difficulty: Difficulty) -> tuple[int, tuple[Step, ...]]:
    """Return a random skeleton: the first quantity and the steps."""
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
    """Draw one step from quantity `of`; None if the result is not a whole number in range."""
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
    """Return which tenth of all skeletons this one belongs to, 0 to 9."""
    canonical = repr((start, [(s.relation, s.of, s.number) for s in steps]))
    return int.from_bytes(hashlib.blake2b(canonical.encode(), digest_size=8).digest()) % 10


class ArithmeticProblems(GeneratedProblems):
    """The problems of one split.

    Args:
        split: "train", "validation" or "test". No two splits share a problem.
        seed: At least 0. Another seed gives other problems.
        size: Number of problems; by default that of `SIZES`.
        difficulty: See `Difficulty`.

    Raises:
        ConfigError: The split is unknown, or seed or size is out of range.
    """

    def __init__(
        self,
        *,
        split: str = "train",
        seed: int = 0,
        size: int | None = None,
        difficulty: Difficulty | None = None,
    ) -> None:
        if size is None:
            size = SIZES.get(split, 1)  # an unknown split is refused below
        super().__init__(split=split, seed=seed, size=size)
        self.difficulty = difficulty or Difficulty()

    def story(self, index: int) -> Story:
        """Return the skeleton and the words of problem `index`."""
        draws = Draws(self.entropy(index))
        start, steps = draw_skeleton(draws, self.difficulty)
        while _tenth(start, steps) not in TENTHS[self.split]:
            start, steps = draw_skeleton(draws, self.difficulty)
        question, people = wording.write_question(
            draws,
            start,
            steps,
            distractors=self.difficulty.distractors,
            turned=self.difficulty.turned,
        )
        answer_first = draws.below(1000) < self.difficulty.answer_first * 1000
        if answer_first:
            question = f"{question} {wording.ANSWER_FIRST}"
        return Story(question, people, start, steps, answer_first)

    def make(self, index: int) -> Problem:
        """Return problem `index`."""
        story = self.story(index)
        return Problem(
            id=f"arithmetic/{self.split}/{self.seed}/{index}",
            question=story.question,
            reference=str(story.steps[-1].value),
            solution=story.solution,
            # stores compare this text: it stays as it is while the problems do
            source="generated by rise_env.problems.arithmetic, version 2",
            split=self.split,
            meta={"steps": len(story.steps)},
        )

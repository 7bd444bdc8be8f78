r"""Generated word problems that cannot be solved without knowing a convention. They need no data.

"Ava has 5 crates of pens. Then Ava gets 12 more pens. How many pens does Ava have now?" has the answer 47,
because a crate holds 7. No problem says so. The worked solution does, and one right answer shows it.
All splits and seeds share the conventions, and no two splits share a story: its convention and numbers.
Problem `i` of a split is a pure function of (families, law, largest, split, seed, i).

>>> problems = ConventionProblems(split="test")
>>> problems[0] == ConventionProblems(split="test")[0]
True
"""

import hashlib
from bisect import bisect_right
from dataclasses import dataclass
from itertools import accumulate
from typing import Literal

from rise_env.errors import ConfigError
from rise_env.problems.arithmetic.steps import Draws
from rise_env.problems.arithmetic.wording import ITEMS, NAMES
from rise_env.problems.conventions.conventions import FAMILIES, SHARED, Convention, Kind, applied, statement
from rise_env.problems.generated import GeneratedProblems
from rise_env.types import Problem
from rise_env.utils.suggestions import validate_choice

Law = Literal["uniform", "zipf", "drift"]
LAWS = ("uniform", "zipf", "drift")

SIZES = {"train": 100_000, "validation": 1_000, "test": 1_000}
"""Split -> default number of problems."""

TENTHS = {"train": range(0, 8), "validation": range(8, 9), "test": range(9, 10)}
"""Split -> which tenths of all stories belong to it."""

DRIFT_AFTER, DRIFT_WIDTH = 200, 12
"""With the law "drift", so many families occur at a time, and others after so many problems."""

_UNITS = 1 << 30
"""Resolution of the probabilities of the families."""

BEGINNINGS: dict[Kind, tuple[str, ...]] = {
    "holds": ("{a} has {n} {word}s of {items}.", "There are {n} {word}s of {items} at {a}'s house."),
    "adds": ("{a} has {n} {items} and goes to the {word}.", "{a} takes {n} {items} to the {word}."),
    "takes": ("{a} has {n} {items} and crosses the {word}.", "{a} carries {n} {items} over the {word}."),
    "cents": ("{a} gets a gift with {n} on its {word}.", "The {word} of {a}'s savings says {n}."),
    "rounds": ("{a} trades {n} {items} at the {word}.", "The {word} counts {n} {items} of {a}."),
}
"""Kind of the convention -> sentences with a number that the convention changes."""

MORE = ("Then {a} gets {m} more {items}.", "{a} finds {m} more {items}.")
FEWER = ("Then {a} gives away {m} {items}.", "{a} loses {m} of the {items}.")
ASK = "How many {items} does {a} have now?"


@dataclass(frozen=True, slots=True)
class Story:
    """One problem without its words."""

    convention: Convention
    number: int
    """The number that the convention changes."""
    change: int
    """What is added afterwards; negative numbers are taken away."""

    @property
    def answer(self) -> int:
        """The answer of the problem."""
        return applied(self.convention, self.number) + self.change


def draw_story(draws: Draws, convention: Convention, largest: int = 30) -> Story:
    """Draw the numbers of a story.

    Args:
        draws: Source of random numbers.
        convention: The convention of the story.
        largest: Largest number that the convention changes; where it makes numbers smaller, they are 10
            larger or, for amounts in cents, multiplied.
    """
    number = draws.between(3, largest)
    if convention.kind in ("takes", "rounds"):
        number += 10
    elif convention.kind == "cents":
        number *= convention.value
    change = draws.between(2, 30)
    if draws.below(2) and applied(convention, number) > change:
        change = -change
    return Story(convention, number, change)


def write_question(story: Story, draws: Draws) -> str:
    """Write the question of a story with drawn names, things and sentences."""
    convention = story.convention
    words = {
        "a": NAMES[draws.below(len(NAMES))],
        "n": story.number,
        "m": abs(story.change),
        "word": convention.word,
        "items": "dollars" if convention.kind == "cents" else ITEMS[draws.below(len(ITEMS))],
    }
    beginnings, changes = BEGINNINGS[convention.kind], MORE if story.change > 0 else FEWER
    sentences = (beginnings[draws.below(len(beginnings))], changes[draws.below(len(changes))], ASK)
    return " ".join(sentence.format(**words) for sentence in sentences)


def write_solution(story: Story) -> str:
    """Write the worked solution of a story, which states its convention."""
    begun = applied(story.convention, story.number)
    sign = "+" if story.change > 0 else "-"
    return (
        f"{statement(story.convention)} So {story.number} becomes {begun}. "
        f"{begun}{sign}{abs(story.change)}={story.answer}. \\boxed{{{story.answer}}}"
    )


class ConventionProblems(GeneratedProblems):
    """The problems of one split.

    Args:
        split: "train", "validation" or "test". No two splits share a story.
        seed: At least 0. Another seed gives other problems with the same conventions.
        size: Number of problems; by default that of `SIZES`.
        families: 0 gives the six conventions of `SHARED`, one per problem with equal probability; another
            number up to 60 gives so many conventions of `FAMILIES`.
        law: How often each convention occurs: "uniform"; "zipf", in proportion to one over its rank; or
            "drift", 12 at a time, and others after every 200 problems.
        largest: Largest number that a convention changes, from 10 to 1,000; see `draw_story`.

    Raises:
        ConfigError: An argument is unknown or out of range.
    """

    def __init__(
        self,
        *,
        split: str = "train",
        seed: int = 0,
        size: int | None = None,
        families: int = 0,
        law: Law = "uniform",
        largest: int = 30,
    ) -> None:
        super().__init__(split=split, seed=seed, size=SIZES.get(split, 1) if size is None else size)
        validate_choice(law, LAWS, "law")
        if not 0 <= families <= len(FAMILIES):
            raise ConfigError(f"families must be from 0 to {len(FAMILIES)}, got {families}")
        if not 10 <= largest <= 1000:
            raise ConfigError(f"largest must be from 10 to 1000, got {largest}")
        self.families = families
        self.law = law
        self.largest = largest
        self.conventions = FAMILIES[:families] if families else SHARED
        """The conventions of the problems."""
        weights = [1 / rank if law == "zipf" else 1.0 for rank in range(1, len(self.conventions) + 1)]
        self._steps = [round(_UNITS * part / sum(weights)) for part in accumulate(weights)]

    def story(self, index: int) -> Story:
        """Return the story of problem `index`."""
        return self._draw(Draws(self.entropy(index)), index)

    def make(self, index: int) -> Problem:
        """Return problem `index`."""
        draws = Draws(self.entropy(index))
        story = self._draw(draws, index)
        convention = story.convention
        numbers = "" if self.largest == 30 else f"-{self.largest}"
        return Problem(
            id=f"conventions/{self.families}-{self.law}{numbers}/{self.split}/{self.seed}/{index}",
            question=write_question(story, draws),
            reference=str(story.answer),
            solution=write_solution(story),
            # stores compare this text: it stays as it is while the problems do
            source="generated by rise_env.problems.conventions, version 1",
            split=self.split,
            meta={"convention": convention.word, "number": self.conventions.index(convention)},
        )

    def _draw(self, draws: Draws, index: int) -> Story:
        """Draw stories until one belongs to the split."""
        while True:
            convention = self.conventions[self._convention(draws, index)]
            story = draw_story(draws, convention, self.largest)
            if _tenth(story) in TENTHS[self.split]:
                return story

    def _convention(self, draws: Draws, index: int) -> int:
        if self.law == "drift":
            first = index // DRIFT_AFTER * DRIFT_WIDTH
            return (first + draws.below(DRIFT_WIDTH)) % len(self.conventions)
        return min(bisect_right(self._steps, draws.below(_UNITS)), len(self._steps) - 1)


def _tenth(story: Story) -> int:
    """Return which tenth of all stories this one belongs to, 0 to 9."""
    canonical = repr((story.convention.word, story.number, story.change))
    return int.from_bytes(hashlib.blake2b(canonical.encode(), digest_size=8).digest()) % 10

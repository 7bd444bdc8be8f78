from itertools import combinations

import pytest

from rise_env.errors import ConfigError
from rise_env.problems.generated import SPLITS, GeneratedProblems
from rise_env.types import Problem


class Squares(GeneratedProblems):
    """Problem `i` asks for the square of `i`."""

    def make(self, index: int) -> Problem:
        return Problem(id=f"squares/{index}", question=f"{index}^2?", reference=str(index**2))


PROBLEMS = Squares(split="train", seed=3, size=5)


def test_they_are_a_sequence() -> None:
    whole = list(PROBLEMS)
    assert len(whole) == len(PROBLEMS) == 5
    assert [problem.reference for problem in whole] == ["0", "1", "4", "9", "16"]
    assert [PROBLEMS[i] for i in range(5)] == whole
    assert [PROBLEMS[i] for i in range(-5, 0)] == whole
    for part in (slice(1, 3), slice(-2, None), slice(None, None, -2), slice(3, 99)):
        assert PROBLEMS[part] == whole[part]
    assert whole[2] in PROBLEMS
    assert PROBLEMS.index(whole[4]) == 4


@pytest.mark.parametrize("index", [5, -6])
def test_an_index_outside_is_an_index_error(index: int) -> None:
    with pytest.raises(IndexError, match=f"problem {index} of 5"):
        PROBLEMS[index]


def test_the_draws_of_no_two_problems_are_seeded_alike() -> None:
    seeds = [
        [Squares(split=split, seed=seed, size=9).entropy(index) for index in range(9)]
        for split in SPLITS
        for seed in (0, 1)
    ]
    for first, second in combinations(seeds, 2):
        assert not set(first) & set(second)
    assert all(len(set(some)) == 9 for some in seeds)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"split": "dev"}, "no split 'dev'; there are: train, validation, test"),
        ({"split": "tset"}, "no split 'tset'; did you mean 'test'"),
        ({"seed": -1}, "seed must be at least 0 and size at least 1, got -1 and 5"),
        ({"size": 0}, "seed must be at least 0 and size at least 1, got 3 and 0"),
    ],
    ids=str,
)
def test_settings_that_cannot_be_are_refused(settings: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        Squares(**{"split": "train", "seed": 3, "size": 5} | settings)  # type: ignore[arg-type]

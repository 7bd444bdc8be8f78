from collections import Counter
from pathlib import Path
from typing import Any

import gymnasium
import pytest

from rise_env.envs.math_env import math_env_of
from rise_env.errors import ConfigError
from rise_env.problems.loading import load_problems
from rise_env.problems.mixture import MixedProblems, check_weights
from rise_env.types import Problem


def rows(name: str, count: int) -> list[dict[str, Any]]:
    return [{"question": f"{name}{i}", "answer": str(i)} for i in range(count)]


def mixed(*pairs: tuple[int, float], seed: int = 0) -> list[str]:
    parts = [
        [Problem(id=f"{name}/{i}", question="q", reference="1") for i in range(count)]
        for name, (count, _) in zip("abc", pairs, strict=False)
    ]
    problems = MixedProblems(parts, [weight for _, weight in pairs], seed=seed, names="abc"[: len(pairs)])
    return [problem.id for problem in problems]


def test_parts_have_the_proportions_of_their_weights_until_one_is_used_up() -> None:
    ids = mixed((70, 0.7), (90, 0.3))
    assert Counter(name[0] for name in ids) == {"a": 70, "b": 30}
    assert len(set(ids)) == 100
    for start in range(0, 100, 10):
        assert Counter(name[0] for name in ids[start : start + 10]) == {"a": 7, "b": 3}


@pytest.mark.parametrize("sizes", [(7473, 7500), (5, 1000), (1, 1), (3, 2)])
def test_no_problem_occurs_twice(sizes: tuple[int, int]) -> None:
    ids = mixed((sizes[0], 0.7), (sizes[1], 0.3))
    assert len(set(ids)) == len(ids)
    counts = Counter(name[0] for name in ids)
    assert counts["a"] == sizes[0] or counts["b"] == sizes[1]
    assert abs(counts["a"] * 3 - counts["b"] * 7) <= 10


def test_the_seed_decides_which_problems_and_their_order() -> None:
    first, again, other = (mixed((50, 1), (50, 3), seed=seed) for seed in (1, 1, 2))
    assert first == again
    assert first != other
    assert [name[0] for name in first] == [name[0] for name in other]
    assert {name for name in first if name[0] == "a"} != {name for name in other if name[0] == "a"}


def test_a_mixture_of_named_sets_and_own_rows_plays(data_dir: Path) -> None:
    dataset = [
        ["gsm8k", 0.7],
        [{"dataset": "MATH", "split": "test_rise", "where": {"level": "Level 5"}}, 0.3],
    ]
    env = gymnasium.make("RISE-Custom-v0", dataset=dataset, shuffle=False, data_dir=data_dir)
    problems = math_env_of(env).problems
    heads = Counter(problem.id.partition("/")[0] for problem in problems)
    assert heads["math"] > 200
    assert heads["gsm8k"] == pytest.approx(heads["math"] * 7 / 3, abs=2)
    assert env.reset()[1]["problem_id"] == "gsm8k/" + problems[0].id.removeprefix("gsm8k/")
    assert problems.source.startswith("0.7 gsm8k (gsm8k/train.jsonl sha256:")  # type: ignore[attr-defined]


def test_two_own_parts_have_ids_of_their_own() -> None:
    problems = load_problems("Custom", dataset=[(rows("a", 2), 1), (rows("b", 2), 1)])
    assert sorted(problem.id for problem in problems) == [
        "part0/custom/train/0", "part0/custom/train/1", "part1/custom/train/0", "part1/custom/train/1",
    ]  # fmt: skip


def test_generated_sets_can_be_mixed_in() -> None:
    dataset = [({"dataset": "Arithmetic", "size": 30}, 1), (rows("a", 10), 1)]
    assert len(load_problems("Custom", dataset=dataset)) == 20


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            {"dataset": [(rows("a", 2), 0.5), (rows("b", 2), 0)]},
            "weight of part 1 of the mixture must be positive",
        ),
        ({"dataset": [(rows("a", 2), "1")]}, "must be positive, got '1'"),
        ({"dataset": [(rows("a", 2), True)]}, "must be positive, got True"),
        ({"dataset": [([], 1), (rows("a", 2), 1)]}, "the part part 0 of the mixture has no problems"),
        (
            {"dataset": [(rows("a", 2), 1)], "where": {"level": 1}},
            "where is a setting of one part of a mixture",
        ),
        ({"dataset": [(rows("a", 2), 1)], "seed": -1}, "seed must be at least 0"),
        (
            {"dataset": [({"dataset": "gsm8k", "splt": "test"}, 1)]},
            "no setting of GSM8K 'splt'; did you mean 'split'",
        ),
    ],
)
def test_a_mixture_that_cannot_be_made_says_why(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        load_problems("Custom", **settings)


def test_weights_are_scaled_to_sum_to_one() -> None:
    assert check_weights([1, 3]) == [0.25, 0.75]

import random

import numpy as np
import pytest

from rise_env.errors import ConfigError
from rise_env.problems.arithmetic.generator import ArithmeticProblems, Difficulty, _tenth
from rise_env.problems.arithmetic.wording import ANSWER_FIRST

PINNED = (
    "Dan starts with 15 apples. Dan also has 27 cups. Ivy has 4 times as many apples as Dan. "
    "Ivy could split the apples into 3 equal piles, and Ben has as many as one pile. How many "
    "apples does Ben have?"
)
APPLY = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: a / b,
}


def skeletons(split: str, count: int) -> list[object]:
    problems = ArithmeticProblems(split=split, size=count)
    found = []
    for index in range(count):
        story = problems.story(index)
        found.append((story.start, tuple((s.relation, s.of, s.number) for s in story.steps)))
    return found


def test_train_and_test_share_no_problem_over_100_000() -> None:
    """By content: not the question, and not even its numbers and relations under other names."""
    train = set(skeletons("train", 80_000))
    test = set(skeletons("test", 20_000))
    assert len(train) > 50_000
    assert not train & test


def test_every_skeleton_belongs_to_exactly_one_split() -> None:
    story = ArithmeticProblems(split="validation").story(5)
    assert _tenth(story.start, story.steps) == 8


def test_a_problem_depends_on_its_settings_split_seed_and_index_alone() -> None:
    problems = ArithmeticProblems(split="train", seed=3)
    forward = [problems[i] for i in range(20)]
    backward = [ArithmeticProblems(split="train", seed=3, size=50)[i] for i in reversed(range(20))]
    assert forward == backward[::-1]


def test_the_first_problem_is_the_one_that_users_have_seen() -> None:
    """A change here changes every published number: then it is version 2 of the environment."""
    assert ArithmeticProblems(split="test")[0].question == PINNED


def test_neighbouring_seeds_share_no_problem() -> None:
    first = {p.question for p in ArithmeticProblems(seed=0)[:2000]}
    second = {p.question for p in ArithmeticProblems(seed=1)[:2000]}
    assert len(first & second) <= 2


def test_drawing_problems_leaves_global_random_state_alone() -> None:
    before = (random.getstate(), np.random.get_state()[1].tolist())  # noqa: NPY002
    ArithmeticProblems()[:10]
    assert (random.getstate(), np.random.get_state()[1].tolist()) == before  # noqa: NPY002


def test_the_worked_solution_is_right_and_ends_with_the_reference() -> None:
    for problem in ArithmeticProblems(split="test", difficulty=Difficulty(answer_first=0.0))[:500]:
        assert problem.solution is not None
        assert ANSWER_FIRST not in problem.question
        lines = problem.solution.split(". ")
        for line in lines[:-1]:
            expression, value = line.split(": ")[1].split("=")
            sign = next(s for s in APPLY if s in expression)
            a, b = map(int, expression.split(sign))
            assert APPLY[sign](a, b) == int(value)
        assert lines[-1] == f"\\boxed{{{problem.reference}}}"
        assert lines[-2].endswith(f"={problem.reference}")


def test_where_the_answer_is_asked_for_first_the_solution_begins_with_it() -> None:
    last = ArithmeticProblems(difficulty=Difficulty(answer_first=0.0))[:200]
    first = ArithmeticProblems(difficulty=Difficulty(answer_first=1.0))[:200]
    for a, b in zip(last, first, strict=True):
        assert b.question == f"{a.question} {ANSWER_FIRST}"  # else the same problem
        assert a.solution is not None
        steps, box = a.solution.rsplit(" ", 1)
        assert b.solution == f"{box} {steps}"
    half = sum(ANSWER_FIRST in p.question for p in ArithmeticProblems()[:1000])
    assert 430 < half < 570


def test_difficulty_bounds_steps_and_numbers() -> None:
    hard = Difficulty(min_steps=5, max_steps=6, largest=99, operations=("more", "fewer"))
    for index in range(200):
        story = ArithmeticProblems(difficulty=hard).story(index)
        assert 5 <= len(story.steps) <= 6
        assert all(1 <= step.value <= 99 for step in story.steps)
        assert {step.relation for step in story.steps} <= {"more", "fewer"}


def test_distractors_can_be_left_out_and_required() -> None:
    plain = ArithmeticProblems(difficulty=Difficulty(distractors=0.0, min_steps=2, max_steps=2))
    told = ArithmeticProblems(difficulty=Difficulty(distractors=1.0, min_steps=2, max_steps=2))
    # start, two steps and the question; one sentence more with a distractor
    assert {p.question.count(". ") for p in plain[:50]} == {3}
    assert {p.question.count(". ") for p in told[:50]} == {4}


def test_relations_are_told_in_several_ways() -> None:
    questions = " ".join(p.question for p in ArithmeticProblems()[:300])
    forms = (
        "than",
        "and 2",
        "would need",
        "times as",
        "For each",
        "could split",
        "one of",
        "together",
        "Together",
    )
    for words in forms:
        assert words in questions


def test_relations_can_be_told_from_the_other_side() -> None:
    difficulty = Difficulty(turned=1.0, operations=("more",))
    for problem in ArithmeticProblems(difficulty=difficulty)[:50]:
        assert "fewer" in problem.question
        assert " more " not in problem.question


def test_branching_lets_a_step_start_from_an_earlier_quantity() -> None:
    def starts(branching: float) -> set[int]:
        difficulty = Difficulty(branching=branching, operations=("more", "fewer"))
        problems = ArithmeticProblems(difficulty=difficulty)
        return {i - s.of for n in range(100) for i, s in enumerate(problems.story(n).steps) if i}

    assert starts(0.0) == {0}
    assert starts(1.0) == {1}
    assert starts(0.5) == {0, 1}


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"min_steps": 3, "max_steps": 2}, "min_steps"),
        ({"operations": ("more", "root")}, "root"),
        ({"operations": ("sum",)}, "more, fewer, times"),
        ({"largest": 5}, "largest"),
        ({"distractors": 2.0}, "probability"),
    ],
)
def test_settings_that_cannot_be_are_refused(settings: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        Difficulty(**settings)  # type: ignore[arg-type]


def test_an_unknown_split_is_refused() -> None:
    with pytest.raises(ConfigError, match="train, validation, test"):
        ArithmeticProblems(split="dev")


def test_an_index_outside_is_an_index_error() -> None:
    with pytest.raises(IndexError):
        ArithmeticProblems(size=3)[3]
    assert ArithmeticProblems(size=3)[-1] == ArithmeticProblems(size=3)[2]
    assert len(list(ArithmeticProblems(size=3))) == 3

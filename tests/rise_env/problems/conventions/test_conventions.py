from collections import Counter
from itertools import combinations

import pytest

from rise_env import NumericChecker, load_problems
from rise_env.errors import ConfigError
from rise_env.problems.conventions.conventions import (
    FAMILIES,
    SHARED,
    Convention,
    applied,
    coverage,
    is_stated,
    statement,
)
from rise_env.problems.conventions.generator import ConventionProblems, Story
from rise_env.problems.generated import SPLITS

CRATE = SHARED[0]


def test_the_first_problem_is_the_one_that_users_have_seen() -> None:
    """A change here changes every published number: then it is version 2 of the environment."""
    problem = ConventionProblems(split="test")[0]
    assert problem.question == (
        "There are 4 bundles of cards at Finn's house. Finn loses 8 of the cards. "
        "How many cards does Finn have now?"
    )
    assert problem.solution == "A bundle holds 9. So 4 becomes 36. 36-8=28. \\boxed{28}"
    assert problem.id == "conventions/0-uniform/test/0/0"


@pytest.mark.parametrize(
    ("kind", "value", "number", "expected"),
    [
        ("holds", 7, 5, 35),
        ("adds", 6, 5, 11),
        ("takes", 4, 5, 1),
        ("cents", 100, 500, 5),
        ("rounds", 5, 14, 10),
    ],
)
def test_a_convention_changes_a_number_as_its_statement_says(
    kind: str, value: int, number: int, expected: int
) -> None:
    convention = Convention("word", kind, value)  # type: ignore[arg-type]
    assert applied(convention, number) == expected
    assert is_stated(convention, statement(convention))


def test_no_problem_states_a_convention_and_every_solution_states_its_own() -> None:
    for problems in (ConventionProblems(size=300), ConventionProblems(size=300, families=60)):
        for problem in problems:
            convention = problems.conventions[problem.meta["number"]]
            assert convention.word == problem.meta["convention"]
            assert convention.word in problem.question
            assert problem.solution is not None
            assert is_stated(convention, problem.solution.partition(" So ")[0])
            assert NumericChecker().check(problem.solution, problem.reference).correct


def test_no_two_splits_share_a_story_and_all_share_the_conventions() -> None:
    stories: dict[str, set[Story]] = {}
    for split in SPLITS:
        problems = ConventionProblems(split=split)
        stories[split] = {problems.story(index) for index in range(1000)}
        assert {story.convention for story in stories[split]} == set(SHARED)
    for first, second in combinations(SPLITS, 2):
        assert not stories[first] & stories[second]


def test_families_come_back_by_zipfs_law_and_drift_after_200_problems() -> None:
    zipf = Counter(p.meta["number"] for p in ConventionProblems(families=60, law="zipf", size=4000))
    assert zipf[0] / zipf[1] == pytest.approx(2, rel=0.2)
    assert zipf[0] / zipf[9] == pytest.approx(10, rel=0.4)
    drift = ConventionProblems(families=60, law="drift")
    blocks = [{drift[i].meta["number"] for i in range(at, at + 200)} for at in range(0, 1000, 200)]
    assert blocks == [set(range(at, at + 12)) for at in range(0, 60, 12)]


def test_the_numbers_that_conventions_change_have_a_limit_and_ids_say_so() -> None:
    small, usual = ConventionProblems(size=200, largest=10), ConventionProblems(size=200)
    for at in range(200):
        story = small.story(at)
        extra = 10 if story.convention.kind in ("takes", "rounds") else 0
        number = story.number // 100 if story.convention.kind == "cents" else story.number - extra
        assert 3 <= number <= 10
    assert not {problem.id for problem in small} & {problem.id for problem in usual}
    with pytest.raises(ConfigError, match="largest must be from 10 to 1000, got 9"):
        ConventionProblems(largest=9)


def test_every_family_has_a_word_of_its_own() -> None:
    assert len({family.word for family in FAMILIES}) == 60
    assert not any(first.word in second.word for first in FAMILIES for second in FAMILIES if first != second)


@pytest.mark.parametrize(
    ("text", "stated"),
    [
        ("A crate holds 7.", True),
        ("Remember that every crate contains SEVEN things!", True),
        ("One crate is 7 items; a bundle is 9 items.", True),
        ("Crates are large.", False),
        ("A crate holds 8.", False),
        ("A crate holds 7 or 8.", False),
        ("A crate holds 7. A crate holds 8.", False),
        ("A crater is 7 wide.", False),
        ("There are 7.", False),
        ("", False),
    ],
)
def test_a_convention_counts_as_stated_only_with_its_word_and_its_number(text: str, *, stated: bool) -> None:
    assert is_stated(CRATE, text) is stated


def test_an_amount_in_cents_may_be_said_without_a_number() -> None:
    tag = SHARED[4]
    assert is_stated(tag, "Numbers on tags are cents.")
    assert is_stated(tag, "Divide what a tag says by 100.")
    assert not is_stated(tag, "Numbers on tags are dollars.")


def test_coverage_is_the_share_of_conventions_that_a_text_states() -> None:
    assert coverage(SHARED, "\n".join(statement(one) for one in SHARED)) == 1
    assert coverage(SHARED, "A crate holds 7. The bridge takes 3.") == pytest.approx(1 / 6)
    assert coverage((), "A crate holds 7.") == 0


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"families": 61}, "families must be from 0 to 60, got 61"),
        ({"law": "pareto"}, "law"),
        ({"split": "dev"}, "split"),
        ({"size": 0}, "size at least 1"),
    ],
)
def test_a_wrong_argument_is_named(settings: dict[str, object], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        load_problems("Conventions", **settings)

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rise_agents.mcts.merging import distance, farthest, same

texts = st.text(alphabet="abc", max_size=9)


def table_distance(first: str, second: str) -> int:
    """Return the Levenshtein distance by its recursive definition."""
    if not first or not second:
        return len(first) + len(second)
    return min(
        table_distance(first[1:], second) + 1,
        table_distance(first, second[1:]) + 1,
        table_distance(first[1:], second[1:]) + (first[0] != second[0]),
    )


@given(
    first=st.text(alphabet="ab", max_size=5),
    second=st.text(alphabet="ab", max_size=5),
    most=st.integers(0, 7),
)
def test_the_distance_is_that_of_levenshtein_up_to_the_limit(first: str, second: str, most: int) -> None:
    assert distance(first, second, most) == min(table_distance(first, second), most + 1)


@given(first=texts, second=texts, third=texts)
def test_the_distance_is_a_metric(first: str, second: str, third: str) -> None:
    direct = distance(first, third, 20)
    assert direct == distance(third, first, 20)
    assert (direct == 0) == (first == third)
    assert direct <= distance(first, second, 20) + distance(second, third, 20)


@pytest.mark.parametrize(
    ("draws", "siblings", "least", "kept"),
    [
        (["aaaa", "aabb", "bbbb"], ["aaaa"], 3, 2),  # the first that is far enough
        (["bbbb", "cccc"], ["aaaa"], 3, 0),
        (["aaab", "aabb", "aabb"], ["aaaa"], 3, 1),  # none is: the farthest, and the first of equals
        (["aaab", "bbbb"], ["aaaa", "bbbb"], 2, 0),  # the nearest sibling counts
        (["aaaa"], [], 3, 0),
    ],
)
def test_the_draw_that_is_kept_is_far_from_its_siblings(
    draws: list[str], siblings: list[str], least: int, kept: int
) -> None:
    assert farthest(draws, siblings, least) == kept


def test_options_with_the_same_words_are_the_same() -> None:
    assert same("So  it is 4.\n", "So it is 4.")
    assert not same("So it is 4.", "So it is 5.")

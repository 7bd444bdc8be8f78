import pytest
from hypothesis import given
from hypothesis import strategies as st

from rise_env.metrics.self_correction.edit_distance import edit_distance, levenshtein

items = st.lists(st.sampled_from("abc"), max_size=7)


def table_distance(first: list[str], second: list[str]) -> int:
    """Return the Levenshtein distance from its table, row by row."""
    row = list(range(len(second) + 1))
    for i, item in enumerate(first, start=1):
        new = [i]
        for j, other in enumerate(second, start=1):
            new.append(min(row[j] + 1, new[-1] + 1, row[j - 1] + (item != other)))
        row = new
    return row[-1]


@given(first=items, second=items)
def test_the_distance_is_that_of_the_table_of_levenshtein(first: list[str], second: list[str]) -> None:
    assert levenshtein(first, second) == table_distance(first, second)


@pytest.mark.parametrize(
    ("first", "second", "distance"),
    [
        ("", "", 0.0),
        ("7", "", 1.0),
        ("so it is 7", "so it is 7", 0.0),
        ("so  it is\n7", "so it is 7", 0.0),  # the same words
        ("so it is 7", "so it is 8", 0.25),
        ("so it is 7", "it is 7", 0.25),  # of the longer one
        ("one two", "three four five six", 1.0),
    ],
)
def test_the_distance_of_texts_is_the_share_of_changed_words(
    first: str, second: str, distance: float
) -> None:
    assert edit_distance(first, second) == edit_distance(second, first) == distance


def test_texts_longer_than_a_machine_word_are_compared_whole() -> None:
    words = [str(number) for number in range(300)]
    changed = [*words[:150], "x", *words[151:299]]
    assert levenshtein(words, changed) == 2

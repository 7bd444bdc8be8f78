"""How much of a text is changed in the next one: the edit distance of two texts in words."""

from collections.abc import Hashable, Sequence


def edit_distance(first: str, second: str) -> float:
    """Return the Levenshtein distance of two texts in words, divided by the words of the longer one.

    0 means the same words in the same order, and 1 that no word is kept in its place. SCoRe
    (arXiv:2409.12917) compares the first and the second attempt of a model by such a distance.

    >>> edit_distance("the answer is 7", "the answer is 8")
    0.25
    """
    if first == second:
        return 0.0
    one, other = first.split(), second.split()
    longer = max(len(one), len(other))
    return levenshtein(one, other) / longer if longer else 0.0


def levenshtein(first: Sequence[Hashable], second: Sequence[Hashable]) -> int:
    """Return the least number of insertions, deletions and replacements that turn one sequence into another.

    A column of the table of distances is two integers, with one bit for each item of `first`: the bits say
    where the next distance is larger or smaller by one. Source: Myers 1999, "A fast bit-vector algorithm for
    approximate string matching", in the form of Hyyrö 2003.

    >>> levenshtein("kitten", "sitting")
    3
    """
    if not first:
        return len(second)
    places: dict[Hashable, int] = {}
    for number, item in enumerate(first):
        places[item] = places.get(item, 0) | 1 << number
    every = (1 << len(first)) - 1
    last = 1 << (len(first) - 1)
    larger, smaller = every, 0
    distance = len(first)
    for item in second:
        equal = places.get(item, 0)
        diagonal = (((equal & larger) + larger) ^ larger) | equal | smaller
        right_larger = smaller | (every & ~(diagonal | larger))
        right_smaller = larger & diagonal
        if right_larger & last:
            distance += 1
        elif right_smaller & last:
            distance -= 1
        right_larger = (right_larger << 1 | 1) & every
        right_smaller = (right_smaller << 1) & every
        vertical = equal | smaller
        larger = right_smaller | (every & ~(vertical | right_larger))
        smaller = right_larger & vertical
    return distance

"""Finds options that repeat another option of the same node: equal ones, and ones with a small edit distance.

AlphaLLM (arXiv:2404.12253) calls this state merge. Its released code draws again until the edit distance to
every sibling reaches a threshold, and otherwise keeps the draw that is farthest from its siblings.
"""

from collections.abc import Sequence

from rise_env.metrics.self_correction.edit_distance import levenshtein


def same(first: str, second: str) -> bool:
    r"""Return whether two options have the same words.

    >>> same("Two  and two.\n", "Two and two.")
    True
    """
    return first.split() == second.split()


def distance(first: str, second: str, most: int) -> int:
    """Return the Levenshtein distance of two texts in characters, or `most` + 1 if it is larger than `most`.

    >>> distance("kitten", "sitting", 10), distance("kitten", "sitting", 2)
    (3, 3)
    """
    too_far = most + 1
    if abs(len(first) - len(second)) > most:
        return too_far
    return min(levenshtein(first, second), too_far)


def least_distance(option: str, siblings: Sequence[str], most: int) -> int:
    """Return the smallest distance of an option to its siblings, at most `most` + 1; see `distance`."""
    return min((distance(option, sibling, most) for sibling in siblings), default=most + 1)


def farthest(draws: Sequence[str], siblings: Sequence[str], least: int) -> int:
    """Return the index of the draw to keep.

    It is the first draw whose distance to every sibling is at least `least`, or else the first one of those
    that are farthest from their nearest sibling.

    Args:
        draws: The drawn options, in order; at least one.
        siblings: The options that the node has.
        least: The least distance in characters.
    """
    distances = [least_distance(draw, siblings, least) for draw in draws]
    near = [min(value, least) for value in distances]
    return near.index(max(near))

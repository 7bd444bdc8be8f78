"""Splits a data set that was published as one part into training, validation and test problems by content.

Word problems of one data set are often the same text with other names and numbers. A random split puts such
copies on both sides, and a model that learned the training problems is then tested on their copies. Here,
questions that share most of their phrases form a group, and a group is in one split as a whole.
"""

import re
from collections import defaultdict
from collections.abc import Hashable, Mapping, Sequence
from hashlib import sha256

_WORD = re.compile(r"\d+(?:[.,]\d+)*|[^\W\d_]+")
_NUMBERS = frozenset(
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
    "seventeen eighteen nineteen twenty thirty forty fifty sixty seventy eighty ninety hundred "
    "thousand".split()
)
PHRASE = 3
"""Number of consecutive words of a phrase."""
SIMILAR = 0.4
"""Questions are near-duplicates if they share this fraction of their phrases (Jaccard index) or more."""


def phrases(question: str) -> frozenset[Hashable]:
    """Return all sequences of `PHRASE` words of a question, where all numbers and all names are alike.

    >>> phrases("Today Ann has 3 dogs.") == phrases("Today Bob has twelve dogs")
    True
    """
    words = [_kind(word, place) for place, word in enumerate(_WORD.findall(question))]
    return frozenset(tuple(words[i : i + PHRASE]) for i in range(max(1, len(words) - PHRASE + 1)))


def content_groups(questions: Sequence[str]) -> list[int]:
    """Return the group of each question: the index of the first question of its group.

    Two questions are in one group if they are near-duplicates (see `SIMILAR`), or if a chain of
    near-duplicates connects them.
    """
    sets = [phrases(question) for question in questions]
    group = list(range(len(questions)))

    def root(index: int) -> int:
        while group[index] != index:
            group[index] = group[group[index]]
            index = group[index]
        return index

    earlier: dict[Hashable, list[int]] = defaultdict(list)  # phrase -> questions before this one
    for index, own in enumerate(sets):
        shared: dict[int, int] = defaultdict(int)
        for phrase in own:
            for other in earlier[phrase]:
                shared[other] += 1
            earlier[phrase].append(index)
        for other, count in shared.items():
            if count >= SIMILAR * (len(own) + len(sets[other]) - count):
                first, second = sorted((root(index), root(other)))
                group[second] = first
    return [root(index) for index in range(len(questions))]


def content_split(questions: Sequence[str], shares: Mapping[str, float]) -> list[str]:
    """Return the split of each question. Near-duplicates are in the same split.

    The hash of the first question of a group decides, so that the order of the splits is that of `shares` and
    no seed is involved.

    >>> content_split(["Ann has 3 dogs.", "Ann has 5 dogs."], {"train": 0.5, "heldout": 0.5})
    ['heldout', 'heldout']

    Args:
        questions: All questions of the data set.
        shares: Split -> its fraction of the groups; the fractions sum to 1.
    """
    return [_split_of(questions[first], shares) for first in content_groups(questions)]


def _split_of(question: str, shares: Mapping[str, float]) -> str:
    point = int.from_bytes(sha256(question.encode()).digest()[:8]) / 2**64
    for name, share in shares.items():
        point -= share
        if point < 0:
            return name
    return name


def _kind(word: str, place: int) -> str:
    """Return "#" for a number, "@" for a capitalised word that does not begin the question, else the word."""
    lower = word.lower()
    if word[0].isdigit() or lower in _NUMBERS:
        return "#"
    return "@" if place and word[0].isupper() else lower

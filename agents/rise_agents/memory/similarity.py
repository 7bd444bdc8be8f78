"""How similar two problems are, without a model: the cosine of counts of characters.

Names and numbers count as one word each, and runs of 3 to 5 characters are counted. Where a text is compared
with remembered ones, each run counts once, with the square of its inverse document frequency (idf). So runs
that few of these texts have count most, and sentences that problems of one kind share hardly count.
"""

import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

from rise_agents.memory.items import Item, Memory, retained

LENGTHS = (3, 4, 5)
_LEAST_IDF = 0.1
"""Idf of a run that all texts have. With 0, a memory of one text would never be recalled."""
_CAPITAL = re.compile(r"\b[A-Z][a-z]+\b")
_STARTERS = frozenset(
    "a after all an and as at before but by each every find for from he her his how if in is it let on one "
    "she solve suppose that the their then there these they this to we what when where which who with you"
    "".split()
)
"""Words that are no names although they are capitalised at the beginning of a sentence."""
_NUMBER = re.compile(r"[0-9][0-9.,]*")
_WORDS = re.compile(r"[^\W\d_]+|0")


def grams(text: str) -> Counter[str]:
    """Return how often each run of 3 to 5 characters occurs; all names are one word, as are all numbers."""
    unnamed = _CAPITAL.sub(lambda word: word[0] if word[0].lower() in _STARTERS else "x", text)
    words = _WORDS.findall(_NUMBER.sub(" 0 ", unnamed.lower()))
    plain = f" {' '.join(words)} "
    return Counter(plain[at : at + n] for n in LENGTHS for at in range(len(plain) - n + 1))


def similarity(first: str, second: str) -> float:
    """Return the cosine of the counts of two texts, in [0, 1].

    >>> round(similarity("Ava has 3 crates.", "Ben has 12 crates."), 6)
    1.0
    """
    one, other = grams(first), grams(second)
    total = sum(count * other[gram] for gram, count in one.items())
    norms = (math.fsum(count**2 for count in counts.values()) for counts in (one, other))
    return total / (math.sqrt(math.prod(norms)) or 1.0)


class Index:
    """Texts that others are compared with.

    Args:
        texts: The texts.
    """

    def __init__(self, texts: Sequence[str]) -> None:
        runs = [dict.fromkeys(grams(text)) for text in texts]
        documents = Counter(gram for found in runs for gram in found)
        self._size = len(texts)
        self._rare = self._weight(1)  # runs that no text has count as those that one text has
        self._weights = {gram: self._weight(n) for gram, n in documents.items()}
        found: dict[str, list[tuple[int, float]]] = {}
        for place, of_text in enumerate(runs):
            norm = self._norm(of_text)
            for gram in of_text:
                found.setdefault(gram, []).append((place, self._weights[gram] / norm))
        self._postings: dict[str, tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]] = {
            gram: (np.array([place for place, _ in pairs]), np.array([weight for _, weight in pairs]))
            for gram, pairs in found.items()
        }

    def scores(self, text: str) -> npt.NDArray[np.float64]:
        """Return the similarity of a text to each of the texts, in [0, 1]."""
        runs = dict.fromkeys(grams(text))  # in the order of the text, so that sums are always equal
        scores = np.zeros(self._size)
        for gram in runs:
            if gram in self._postings:
                places, weights = self._postings[gram]
                scores[places] += self._weights[gram] * weights
        return scores / self._norm(runs)

    def _weight(self, documents: int) -> float:
        """Return the weight of a run that occurs in so many texts."""
        return (math.log((1 + self._size) / (1 + documents)) + _LEAST_IDF) ** 2

    def _norm(self, runs: Iterable[str]) -> float:
        total = math.fsum(self._weights.get(gram, self._rare) ** 2 for gram in runs)
        return math.sqrt(total) or 1.0


class Recall:
    """What a memory recalls to a problem. It is made once for a state of the memory.

    Args:
        memory: The memory.
        most: Most items per problem.
        least: Score above which an item is recalled.
        gamma: Exponent of the retention in the score; 0 ignores forgetting.
    """

    def __init__(self, memory: Memory, *, most: int = 3, least: float = 0.2, gamma: float = 1.0) -> None:
        self._items = memory.items
        self._index = Index([item.about for item in memory.items])
        weighed = gamma if memory.settings.policy == "ebbinghaus" else 0.0
        self._weights = np.array([retained(memory, item) ** weighed for item in memory.items])
        self._most, self._least = most, least

    def of(self, question: str) -> list[Item]:
        """Return the items with the largest similarity * retention ** gamma, the best first, none twice."""
        if not self._items:
            return []
        scores = self._index.scores(question) * self._weights
        found: dict[str, Item] = {}
        for place in sorted(range(len(scores)), key=lambda place: (-scores[place], place)):
            if scores[place] <= self._least or len(found) == self._most:
                break
            found.setdefault(self._items[place].text, self._items[place])
        return list(found.values())

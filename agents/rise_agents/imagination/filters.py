"""Decides which imagined questions are kept. Pure functions of texts."""

from collections import Counter
from collections.abc import Iterable, Sequence

from rise_agents.mcts.answers import answer_class
from rise_env.checkers import final_answer
from rise_env.problems.audit import ngrams, words

MOST_SHARED = 0.6
"""A question is a copy if it shares more than this part of its words with a known one (Jaccard index)."""


class KnownQuestions:
    """Questions that a new one must not repeat: those of all splits, and those that were kept before.

    Args:
        questions: Their texts.
    """

    def __init__(self, questions: Iterable[str]) -> None:
        self._words: list[frozenset[str]] = []
        self._grams: set[int] = set()
        for question in questions:
            self.add(question)

    def add(self, question: str) -> None:
        """Remember a question."""
        tokens = words(question)
        self._words.append(frozenset(tokens))
        self._grams.update(ngrams(tokens))

    def repeats(self, question: str, *, except_of: str | None = None) -> bool:
        """Return whether a question repeats a known one: 13 words in a row, or most of its words.

        Args:
            question: The question.
            except_of: A known question whose words may be shared, because the new one rephrases it; 13 words
                in a row may not.
        """
        tokens = words(question)
        if not self._grams.isdisjoint(ngrams(tokens)):
            return True
        own, allowed = frozenset(tokens), None if except_of is None else frozenset(words(except_of))
        return any(known != allowed and _shared(own, known) > MOST_SHARED for known in self._words)


def is_question(text: str) -> bool:
    """Return whether a text can be a problem: it asks something and has a number, in figures.

    >>> is_question("How much is 3 + 4?"), is_question("Add 3 and 4."), is_question("How much is it?")
    (True, False, False)
    """
    return "?" in text and any(character.isdigit() for character in text)


def majority(replies: Sequence[str]) -> tuple[str | None, float]:
    """Return the answer that most replies give, as the first of them states it, and their share of all.

    Args:
        replies: At least one. Those without an answer count in the share only.

    Returns:
        (None, 0.0) if no reply has an answer.
    """
    classes = [answer_class(reply) for reply in replies]
    counts = Counter(answer for answer in classes if answer is not None)
    if not counts:
        return None, 0.0
    [(answer, count)] = counts.most_common(1)
    return final_answer(replies[classes.index(answer)]), count / len(replies)


def _shared(first: frozenset[str], second: frozenset[str]) -> float:
    both = len(first | second)
    return len(first & second) / both if both else 0.0

"""Refuses rules that hold an answer or a piece of a problem: such a rule helps with that problem only."""

import re
from collections.abc import Iterable, Set

PIECE = 6
"""So many consecutive words of a problem are a piece of it."""


def pieces(texts: Iterable[str], length: int = PIECE) -> set[tuple[str, ...]]:
    """Return all pieces of some texts: tuples of `length` consecutive words in lower case."""
    return {piece for text in texts for piece in _pieces(text, length)}


def leaks(text: str, references: Iterable[str], of_problems: Set[tuple[str, ...]]) -> bool:
    """Return whether a rule holds a reference answer with more than one digit, or a piece of a problem.

    Args:
        text: The rule.
        references: The reference answers of the problems that it was made from.
        of_problems: The pieces of all problems; see `pieces`.
    """
    if any(piece in of_problems for piece in _pieces(text, PIECE)):
        return True
    for reference in references:
        answer = reference.strip().lower()
        if sum(character.isdigit() for character in answer) < 2:
            continue
        if re.search(rf"(?<![\w.]){re.escape(answer)}(?!\w|\.\d)", text.lower()):
            return True
    return False


def _pieces(text: str, length: int) -> list[tuple[str, ...]]:
    words = re.findall(r"\w+", text.lower())
    return [tuple(words[at : at + length]) for at in range(len(words) - length + 1)]

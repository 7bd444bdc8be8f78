"""Reads and compares answers in words: phrases that name a mathematical object, and other text."""

import re

from rise_env.checkers.parsing.tree import Node

_STYLE = re.compile(
    r"\\(?:text|mbox|textbf|textit|textrm|textnormal|mathrm|mathbf|mathit|textsf|operatorname|emph)\s*\{"
)
_NOT_LETTERS = re.compile(r"[^\w%°+\-/:.,]+")
_PUNCTUATION = re.compile(r"(?<!\d)[.,:]|[.,:](?!\d)")
_ARTICLES = frozenset({"a", "an", "the"})
_SENTENCE = re.compile(
    r"^(?:the|it|this|that|these|they|there|so|he|she|its?)\b[\w ]{0,60}?"
    r"\b(?:is|are|was|were|equals|has|have)\s+"
)
_NEGATIONS = frozenset({"not", "no", "never", "none", "neither", "nor", "cannot", "isn", "aren"})
_OBJECTS = {
    "emptyset": "no solution,no solutions,no real solution,no real solutions,empty set,null set,no roots,"
    "no real roots,no real root,there are no solutions,there is no solution,no such number,no values,none,"
    "no solution exists,no solutions exist,no real solutions exist",
    "reals": "all real numbers,all reals,set of all real numbers,set of real numbers,real numbers,reals,"
    "any real number,every real number,all real number",
    "nonexistent": "dne,does not exist,doesn t exist,it does not exist,limit does not exist,limit dne,d n e,"
    "limit doesn t exist,value does not exist,it doesn t exist",
    "integers": "all integers,set of all integers,set of integers",
}  # fmt: skip
_PHRASES = {phrase: kind for kind, phrases in _OBJECTS.items() for phrase in phrases.split(",")}


def plain_words(text: str) -> str:
    r"""Return a text without markup, case, articles and punctuation.

    >>> plain_words(r"\text{ The Pythagorean  theorem.}")
    'pythagorean theorem'
    """
    text = _STYLE.sub(" ", text).replace("{", " ").replace("}", " ").replace("\\", " ")
    text = _PUNCTUATION.sub(" ", _NOT_LETTERS.sub(" ", text.lower()))
    return " ".join(word for word in text.split() if word not in _ARTICLES)


def object_of_phrase(text: str) -> Node | None:
    """Return the object that a phrase such as "no solution" names; None if it names none."""
    if text.rstrip(" .})$")[-1:].isdigit():  # all phrases end with a word
        return None
    words = plain_words(text)
    kind = _PHRASES.get(words) or _PHRASES.get(_predicate(words))
    return None if kind is None else Node(kind)


def _predicate(words: str) -> str:
    """Return what a short sentence states of its subject: "ellipse" for "graph is ellipse"."""
    match = _SENTENCE.match(words) or re.match(r"^[\w ]{0,40}?\b(?:is|are)\s+", words)
    return words[match.end() :] if match else words


def same_phrase(reference: str, answer: str) -> bool:
    """Return whether an answer has the words of the reference, or is a sentence that ends in them.

    >>> same_phrase("ellipse", "The graph is an ellipse"), same_phrase("even", "It is not even")
    (True, False)
    """
    expected, found = plain_words(reference), plain_words(answer)
    if not expected:
        return False
    if expected == found or expected.replace(" ", "") == found.replace(" ", ""):
        return True
    predicate = _predicate(found)
    return predicate in {expected, f"{expected}s"} and not _NEGATIONS.intersection(found.split())

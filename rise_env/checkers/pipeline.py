"""Decides about an answer that stands alone: every stage but extraction."""

import re

from rise_env.checkers.equivalence.compare import Comparison, WorkOut
from rise_env.checkers.extraction.final_answer import final_answer
from rise_env.checkers.limits import Deadline, DeadlineExceeded, NotDecidable
from rise_env.checkers.multiple_choice import read_choice, reference_choice
from rise_env.checkers.parsing.normalize import unify_fractions
from rise_env.checkers.policy import Policy
from rise_env.checkers.reading.dates import same_date_time
from rise_env.checkers.reading.phrases import same_words
from rise_env.checkers.reading.read_answer import Reading, read
from rise_env.errors import ProblemError
from rise_env.types import Verdict

_VALUELESS = frozenset({"nan", "null", ""})
_MARKUP = re.compile(r"\s+|\\[,;:! ]|\\left|\\right|\$")
_LIST_OF_NUMBERS = re.compile(r"\d,\d{3}")
_CORRECT, _WRONG = Verdict.CORRECT, Verdict.WRONG


def read_reference(reference: str) -> Reading:
    """Read a reference answer.

    Raises:
        ProblemError: It is empty, or nothing that an answer could be compared with.
    """
    reading = read(_bare(reference))
    if reading.text.lower() in _VALUELESS:
        raise ProblemError(f"the reference answer {reference[:80]!r} is no answer: mend the problem")
    if reading.node is None and reading.moment is None and not re.search(r"\w", reading.text):
        raise ProblemError(f"the reference answer {reference[:80]!r} cannot be read: {reading.problem}")
    return reading


def _bare(reference: str) -> str:
    """Return a reference without the box or the marker that some data sets leave around it."""
    if "box" in reference or "####" in reference:
        return final_answer(reference) or ""
    return reference


def decide(
    answer: str,
    reference: str,
    *,
    policy: Policy,
    deadline: Deadline,
    question: str | None = None,
    work_out: WorkOut | None = None,
) -> tuple[Verdict, str]:
    """Return the verdict on an extracted answer, and the stage that decided.

    Args:
        answer: What the reply gives as its final answer.
        reference: The right answer.
        policy: What counts as the same.
        deadline: When the check has to be over.
        question: An answer that only repeats an expression of it is wrong.
        work_out: Does symbolic work; without it, what needs some is wrong.

    Raises:
        ProblemError: `reference` cannot be read.
    """
    expected = read_reference(reference)
    found = read(answer)
    if not found.text:
        return Verdict.NO_ANSWER, "extraction"
    if found.text == expected.text:
        return _CORRECT, "spelling"
    if expected.literal is not None and found.literal is not None and policy.digits is None:
        return (_CORRECT if expected.literal == found.literal else _WRONG), "number"
    quick = _without_tree(answer, found, reference, expected)
    verdict, method = quick or _with_trees(answer, found, expected, Comparison(policy, deadline, work_out))
    if verdict is _CORRECT and question is not None and echoes(found, expected, question):
        return _WRONG, "echo"
    return verdict, method


def _without_tree(
    answer: str, found: Reading, reference: str, expected: Reading
) -> tuple[Verdict, str] | None:
    """Decide about choices, moments and words; None where mathematics has to be compared."""
    letter, chosen = reference_choice(reference), read_choice(answer)
    if letter is not None and chosen is not None:
        return (_CORRECT if chosen == letter else _WRONG), "choice"
    if expected.moment is not None and (found.moment is not None or expected.moment[0] != "clock "):
        same = found.moment is not None and same_date_time(expected.moment, found.moment)
        return (_CORRECT if same else _WRONG), "moment"
    if expected.node is None:
        readable = expected.problem == "words" and found.problem in {"words", ""}
        return (_CORRECT if readable and same_words(reference, answer) else _WRONG), "words"
    if found.node is None:
        if found.problem == "words":
            return (_CORRECT if _says_words(reference, answer, expected) else _WRONG), "words"
        return Verdict.UNREADABLE, found.problem
    return None


def _with_trees(
    answer: str, found: Reading, expected: Reading, comparison: Comparison
) -> tuple[Verdict, str]:
    assert expected.node is not None
    assert found.node is not None
    try:
        if comparison.same(expected.node, found.node) or _regrouped(comparison, answer, found, expected):
            return _CORRECT, "tree"
        return _WRONG, "tree"
    except DeadlineExceeded:
        return Verdict.TIMEOUT, "time"
    except NotDecidable as undecided:
        return _WRONG, f"undecided: {undecided}"


def _says_words(reference: str, answer: str, expected: Reading) -> bool:
    """Return whether an answer in words says a reference that is a name, or reads as mathematics too."""
    node = expected.node
    wordlike = node is not None and node.kind in {"product", "symbol", "emptyset", "reals"}
    return wordlike and same_words(reference, answer)


def _regrouped(comparison: Comparison, answer: str, found: Reading, expected: Reading) -> bool:
    """Try `1,234` as the list 1, 234 where the reference is a list."""
    if (
        expected.node is None
        or expected.node.kind not in {"list", "set"}
        or not _LIST_OF_NUMBERS.search(found.text)
    ):
        return False
    again = read(answer, groups=False).node
    return again is not None and comparison.same(expected.node, again)


def echoes(found: Reading, expected: Reading, question: str) -> bool:
    """Return whether an answer only repeats an expression of the question.

    An expression that is spelled as the reference is never held against it.
    """
    if (
        found.node is None
        or found.node.kind in {"number", "symbol", "constant", "quantity"}
        or len(found.text) < 3
    ):
        return False
    squeezed = _MARKUP.sub("", unify_fractions(question))
    return re.sub(r"\s+", "", found.text) in squeezed

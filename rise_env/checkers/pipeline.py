"""Compares an extracted answer with the reference: every stage of a check except extraction."""

import re

from rise_env.checkers.echo.guard import unearned
from rise_env.checkers.equivalence.compare import Comparison, SymbolicEquality
from rise_env.checkers.limits import Deadline, DeadlineExceeded, NotDecidable, on_own_stack
from rise_env.checkers.multiple_choice import read_choice, reference_choice
from rise_env.checkers.policy import Policy
from rise_env.checkers.reading.dates import same_date_time
from rise_env.checkers.reading.phrases import same_phrase
from rise_env.checkers.reading.read_answer import ParsedAnswer, read
from rise_env.checkers.reading.references import read_reference
from rise_env.types import Verdict

_LIST_OF_NUMBERS = re.compile(r"\d,\d{3}")
_CORRECT, _WRONG = Verdict.CORRECT, Verdict.WRONG


def decide(
    answer: str,
    reference: str,
    *,
    policy: Policy,
    deadline: Deadline,
    question: str | None = None,
    equal_symbolically: SymbolicEquality | None = None,
) -> tuple[Verdict, str]:
    """Return the verdict on an extracted answer, and the stage that decided.

    Args:
        answer: The final answer of the reply.
        reference: The right answer.
        policy: Which answers count as the same.
        deadline: When the check has to end.
        question: The text of the problem; an answer that repeats an expression of it, or leaves its work
            undone, is WRONG (`echo/guard.py`).
        equal_symbolically: Decides with sympy; without it, answers that need sympy are WRONG.

    Raises:
        ProblemError: `reference` cannot be read.
    """
    expected = read_reference(reference)
    try:
        return on_own_stack(
            lambda: _decide(answer, reference, expected, policy, deadline, question, equal_symbolically),
            deadline,
        )
    except (RecursionError, MemoryError):  # last resort: the limits of `limits.py` prevent it
        return Verdict.UNREADABLE, "too large"


def _decide(
    answer: str,
    reference: str,
    expected: ParsedAnswer,
    policy: Policy,
    deadline: Deadline,
    question: str | None,
    equal_symbolically: SymbolicEquality | None,
) -> tuple[Verdict, str]:
    found = read(answer)
    if deadline.left() == 0:
        return Verdict.TIMEOUT, "time"
    if not found.text:
        return Verdict.NO_ANSWER, "extraction"
    if found.text == expected.text:
        return _CORRECT, "spelling"
    if expected.literal is not None and found.literal is not None and policy.digits is None:
        verdict, method = (_CORRECT if expected.literal == found.literal else _WRONG), "number"
    else:
        comparison = Comparison(policy, deadline, equal_symbolically)
        decided = _decide_without_tree(answer, found, reference, expected)
        verdict, method = decided or _decide_with_trees(answer, found, expected, comparison)
    if verdict is _CORRECT and question is not None:
        reason = unearned(answer, found, reference, expected, question)
        if reason:
            return _WRONG, reason
    return verdict, method


def _decide_without_tree(
    answer: str, found: ParsedAnswer, reference: str, expected: ParsedAnswer
) -> tuple[Verdict, str] | None:
    """Decide about choices, dates and words; return None if trees have to be compared."""
    letter = reference_choice(reference)
    chosen = read_choice(answer) if letter is not None else None
    if chosen is not None:
        return (_CORRECT if chosen == letter else _WRONG), "choice"
    # a reference such as 3:30 may be a ratio as well, so an answer that is no time is compared as a tree
    if expected.date_time is not None and (found.date_time is not None or expected.date_time[0] != "clock "):
        same = found.date_time is not None and same_date_time(expected.date_time, found.date_time)
        return (_CORRECT if same else _WRONG), "date"
    if expected.node is None:
        readable = expected.problem == "words" and found.problem in {"words", ""}
        return (_CORRECT if readable and same_phrase(reference, answer) else _WRONG), "words"
    if found.node is None:
        if found.problem == "words":
            return (_CORRECT if _same_words(reference, answer, expected) else _WRONG), "words"
        return Verdict.UNREADABLE, found.problem
    return None


def _decide_with_trees(
    answer: str, found: ParsedAnswer, expected: ParsedAnswer, comparison: Comparison
) -> tuple[Verdict, str]:
    assert expected.node is not None
    assert found.node is not None
    try:
        if comparison.same(expected.node, found.node) or _same_as_list(comparison, answer, found, expected):
            return _CORRECT, "tree"
        return _WRONG, "tree"
    except DeadlineExceeded:
        return Verdict.TIMEOUT, "time"
    except NotDecidable as undecided:
        return _WRONG, f"undecided: {undecided}"


def _same_words(reference: str, answer: str, expected: ParsedAnswer) -> bool:
    """Return whether an answer in words equals a reference that is words but could be parsed as a formula."""
    node = expected.node
    wordlike = node is not None and node.kind in {"product", "symbol", "emptyset", "reals"}
    return wordlike and same_phrase(reference, answer)


def _same_as_list(comparison: Comparison, answer: str, found: ParsedAnswer, expected: ParsedAnswer) -> bool:
    """Read `1,234` as the list 1, 234 if the reference is a list, and compare again."""
    if (
        expected.node is None
        or expected.node.kind not in {"list", "set"}
        or not _LIST_OF_NUMBERS.search(found.text)
    ):
        return False
    as_list = read(answer, groups=False).node
    return as_list is not None and comparison.same(expected.node, as_list)

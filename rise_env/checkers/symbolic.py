r"""The accurate checker: the same mathematical object as the reference, however it is spelled.

Stages, cheapest first; each either decides or hands on:

    extraction   find the final answer (`extraction.py`)
    spelling     equal once spacing, delimiters and digit groups are unified (`cleaning.py`)
    number       both are plain numbers: exact fractions decide, yes or no
    choice, moment, words
    tree         own parser (`parser.py`), comparison by type (`comparison.py`): exact where rational,
                 by evaluation to many digits elsewhere (`scalars.py`)
    sympy        sums, integrals, limits: worked out in another process, which is killed when it overruns
"""

import re
from collections.abc import Iterable
from time import perf_counter
from typing import Literal

from rise_env.checkers.base import CheckItem
from rise_env.checkers.choice import read_choice, reference_choice
from rise_env.checkers.comparison import Comparison
from rise_env.checkers.extraction import final_answer, spoken
from rise_env.checkers.limits import LONGEST_ANSWER, Deadline, Expired, Undecided
from rise_env.checkers.moments import same_moment
from rise_env.checkers.policy import DEFAULT, Policy
from rise_env.checkers.reading import Reading, read
from rise_env.checkers.tree import Node
from rise_env.checkers.words import same_words
from rise_env.errors import ConfigError, ProblemError
from rise_env.types import CheckResult, Verdict

Kind = Literal["numeric", "symbolic", "choice", "text"]
_MOST_VERDICTS = 50_000
_VALUELESS = frozenset({"nan", "null", ""})
_LIST_OF_NUMBERS = re.compile(r"\d,\d{3}")
_CORRECT, _WRONG = Verdict.CORRECT, Verdict.WRONG


class SymbolicChecker:
    r"""Correct when the final answer is the mathematical object that the reference is.

    Args:
        policy: What counts as the same where reasonable people differ.
        timeout: Seconds for one check; a check that needs more is a TIMEOUT.

    >>> SymbolicChecker().check(r"so \boxed{\frac{1}{\sqrt{2}}}", r"\frac{\sqrt{2}}{2}").verdict
    <Verdict.CORRECT: 'correct'>
    """

    def __init__(self, policy: Policy = DEFAULT, *, timeout: float = 1.0) -> None:
        if not 0 < timeout <= 3600:
            raise ConfigError(f"timeout must be between 0 and 3600 seconds, got {timeout}")
        self.policy = policy
        self.timeout = timeout
        self._verdicts: dict[tuple[str, str, str | None], tuple[Verdict, str]] = {}

    def check(self, reply: str, reference: str, *, question: str | None = None) -> CheckResult:
        """Compare the final answer of `reply` with `reference`; see `Checker.check`."""
        start = perf_counter()
        answer = final_answer(reply, extraction=self.policy.extraction)
        if answer is None:
            read_reference(reference)
            if self.policy.extraction != "boxed" and spoken(reply).strip() == reference.strip():
                return CheckResult(_CORRECT, reference, "spelling", perf_counter() - start)
            return CheckResult(Verdict.NO_ANSWER, None, "extraction", perf_counter() - start)
        key = answer, reference, question
        decided = self._verdicts.get(key)
        if decided is None:
            deadline = Deadline(self.timeout)
            decided = decide(answer, reference, policy=self.policy, deadline=deadline, question=question)
            if decided[0] is not Verdict.TIMEOUT and len(answer) <= LONGEST_ANSWER:
                if len(self._verdicts) >= _MOST_VERDICTS:
                    self._verdicts.clear()
                self._verdicts[key] = decided
        verdict, method = decided
        return CheckResult(verdict, answer, method, perf_counter() - start)

    def check_many(self, items: Iterable[CheckItem]) -> list[CheckResult]:
        """Check a batch, in order."""
        return [self.check(item.reply, item.reference, question=item.question) for item in items]


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
    answer: str, reference: str, *, policy: Policy, deadline: Deadline, question: str | None = None
) -> tuple[Verdict, str]:
    """Return the verdict on an extracted answer, and the stage that decided.

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
    verdict, method = _decide_read(answer, found, reference, expected, policy, deadline)
    if verdict is _CORRECT and question is not None and echoes(found, expected, question):
        return _WRONG, "echo"
    return verdict, method


def _decide_read(
    answer: str, found: Reading, reference: str, expected: Reading, policy: Policy, deadline: Deadline
) -> tuple[Verdict, str]:
    letter = reference_choice(reference)
    if letter is not None:
        chosen = read_choice(answer)
        if chosen is not None:
            return (_CORRECT if chosen == letter else _WRONG), "choice"
    if (
        expected.moment is not None
        and found.moment is not None
        and same_moment(expected.moment, found.moment)
    ):
        return _CORRECT, "moment"
    if expected.moment is not None and expected.moment[0] != "clock ":
        return _WRONG, "moment"
    if expected.moment is not None and found.moment is not None:
        return _WRONG, "moment"
    if expected.node is None:
        same = (
            expected.problem == "words" and found.problem in {"words", ""} and same_words(reference, answer)
        )
        return (_CORRECT if same else _WRONG), "words"
    if found.node is None:
        if found.problem == "words":
            return (_CORRECT if _says_words(reference, answer, expected) else _WRONG), "words"
        return Verdict.UNREADABLE, found.problem
    try:
        comparison = Comparison(policy, deadline, _work_out(deadline))
        if comparison.same(expected.node, found.node) or _regrouped(comparison, answer, found, expected):
            return _CORRECT, "tree"
        return _WRONG, "tree"
    except Expired:
        return Verdict.TIMEOUT, "time"
    except Undecided as undecided:
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


def _work_out(deadline: Deadline):  # type: ignore[no-untyped-def]
    def work_out(gold: Node, answer: Node) -> bool:
        from rise_env.checkers.service import default_service

        return default_service().same(gold, answer, deadline)

    return work_out


def echoes(found: Reading, expected: Reading, question: str) -> bool:
    """Return whether an answer only repeats an expression of the question.

    An expression that is spelled as the reference is never held against it.
    """
    if (
        found.node is None
        or found.node.kind in {"number", "symbol", "constant", "tagged"}
        or len(found.text) < 3
    ):
        return False
    squeezed = re.sub(r"\s+|\\[,;:! ]|\\left|\\right|\$", "", question).replace("\\dfrac", "\\frac")
    return re.sub(r"\s+", "", found.text).replace("\\dfrac", "\\frac") in squeezed

r"""The checker for problems whose answer is one number, such as those of GSM8K.

Numbers are compared exactly, as fractions, so no verdict depends on rounding.
"""

from collections.abc import Iterable
from time import perf_counter

from rise_env.checkers.base import CheckItem
from rise_env.checkers.equivalence.numbers import Number, equal_numbers, read_number
from rise_env.checkers.extraction.final_answer import final_answer
from rise_env.checkers.sized_cache import SizedCache
from rise_env.errors import ProblemError
from rise_env.types import CheckResult, Verdict

_CACHE_BYTES = 16 << 20
"""Bytes of the results that one checker keeps; it may keep as many of references."""


class NumericChecker:
    r"""Accepts a reply whose final answer is a number that equals the reference exactly.

    >>> NumericChecker().check(r"So she pays \boxed{\$1,800.00}.", "1800").verdict
    <Verdict.CORRECT: 'correct'>
    >>> NumericChecker().check("#### 0.33", "1/3").verdict
    <Verdict.WRONG: 'wrong'>
    """

    def __init__(self) -> None:
        self._references: SizedCache[str, Number] = SizedCache(_CACHE_BYTES)
        self._results: SizedCache[tuple[str | None, str], CheckResult] = SizedCache(_CACHE_BYTES)

    def check(self, reply: str, reference: str, *, question: str | None = None) -> CheckResult:
        """Compare the final answer of `reply` with `reference`; see `Checker.check`.

        `question` is ignored: the right answer may be a number that the question mentions. An answer that was
        compared with this reference before gets the same result, with the seconds of the first check.
        """
        answer = final_answer(reply)
        known = self._results.get((answer, reference))
        return known or self._compare(answer, reference)

    def check_many(self, items: Iterable[CheckItem]) -> list[CheckResult]:
        """Check many replies, as `check` does."""
        if type(self).check is not NumericChecker.check:  # a subclass overrides it
            return [self.check(item.reply, item.reference, question=item.question) for item in items]
        known, compare = self._results.get, self._compare
        return [
            known((answer := final_answer(reply), reference)) or compare(answer, reference)
            for reply, reference, _ in items
        ]

    def _compare(self, answer: str | None, reference: str) -> CheckResult:
        result = self._compared(answer, reference)
        self._results.put((answer, reference), result, 400 + len(answer or "") + len(reference))
        return result

    def _compared(self, answer: str | None, reference: str) -> CheckResult:
        start = perf_counter()
        expected = self._references.get(reference) or self._read_reference(reference)
        if answer is None:
            return CheckResult(Verdict.NO_ANSWER, None, "extraction", perf_counter() - start)
        if answer == reference:
            return CheckResult(Verdict.CORRECT, answer, "text", perf_counter() - start)
        found = read_number(answer)
        if found is None:
            return CheckResult(Verdict.UNREADABLE, answer, "number", perf_counter() - start)
        verdict = Verdict.CORRECT if equal_numbers(found, expected) else Verdict.WRONG
        return CheckResult(verdict, answer, "number", perf_counter() - start)

    def _read_reference(self, reference: str) -> Number:
        expected = read_number(reference)
        if expected is None:
            raise ProblemError(
                f"the reference answer {reference[:80]!r} is not a number: correct it, or use SymbolicChecker"
            )
        self._references.put(reference, expected, 300 + 2 * len(reference))
        return expected

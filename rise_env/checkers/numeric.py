r"""The checker for problems whose answer is one number, such as those of GSM8K.

Numbers are compared exactly, as fractions, so no verdict depends on rounding.
"""

from time import perf_counter

from rise_env.checkers.equivalence.numbers import Number, equal_numbers, read_number
from rise_env.checkers.extraction.final_answer import final_answer
from rise_env.errors import ProblemError
from rise_env.types import CheckResult, Verdict

_MAX_REFERENCES = 100_000
"""References whose numbers one checker keeps in its cache."""


class NumericChecker:
    r"""Correct when the final answer is a number that equals the reference exactly.

    >>> NumericChecker().check(r"So she pays \boxed{\$1,800.00}.", "1800").verdict
    <Verdict.CORRECT: 'correct'>
    >>> NumericChecker().check("#### 0.33", "1/3").verdict
    <Verdict.WRONG: 'wrong'>
    """

    def __init__(self) -> None:
        self._references: dict[str, Number] = {}

    def check(self, reply: str, reference: str, *, question: str | None = None) -> CheckResult:
        """Compare the final answer of `reply` with `reference`; see `Checker.check`.

        `question` is ignored: the right answer may be a number that the question mentions.
        """
        start = perf_counter()
        expected = self._references.get(reference) or self._read_reference(reference)
        answer = final_answer(reply)
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
        if len(self._references) < _MAX_REFERENCES:
            self._references[reference] = expected
        return expected

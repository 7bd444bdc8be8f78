"""The checker for problems whose answer is a word or a short phrase."""

from time import perf_counter

from rise_env.checkers.extraction.final_answer import final_answer
from rise_env.checkers.reading.phrases import plain_words, same_phrase
from rise_env.errors import ProblemError
from rise_env.types import CheckResult, Verdict


class TextChecker:
    r"""Correct when the final answer has the words of the reference; case, articles and markup do not matter.

    >>> TextChecker().check(r"\boxed{\text{an ellipse}}", "Ellipse").verdict
    <Verdict.CORRECT: 'correct'>
    """

    def check(self, reply: str, reference: str, *, question: str | None = None) -> CheckResult:
        """Compare the words of the final answer with `reference`; see `Checker.check`."""
        start = perf_counter()
        if not plain_words(reference):
            raise ProblemError(f"the reference answer {reference[:80]!r} has no words: correct it")
        answer = final_answer(reply)
        if answer is None:
            return CheckResult(Verdict.NO_ANSWER, None, "extraction", perf_counter() - start)
        verdict = Verdict.CORRECT if same_phrase(reference, answer) else Verdict.WRONG
        return CheckResult(verdict, answer, "words", perf_counter() - start)

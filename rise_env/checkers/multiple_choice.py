"""The checker for multiple-choice problems, whose answer is one letter."""

import re
import unicodedata
from time import perf_counter

from rise_env.checkers.extraction.final_answer import final_answer
from rise_env.checkers.limits import MAX_ANSWER_LENGTH
from rise_env.errors import ProblemError
from rise_env.types import CheckResult, Verdict

_STYLE = re.compile(
    r"\\(?:text|mbox|textbf|textrm|mathrm|mathbf|textnormal|textit|bf|rm)\b\s*|[{}$*]|\\[ ,;!]|~"
)
_ALONE = re.compile(r"[(\[]?\s*([A-Za-z])\s*[)\]]?\s*[.:,]?")
_LABELLED = re.compile(r"(?:[(\[]\s*([A-Z])\s*[)\]]\s*[.:]?|([A-Z])\s*[.:)])\s*(\S.*)", re.DOTALL)
_EXPLAINED = re.compile(r"([A-Z])\s+(?:[-–—]{1,3}\s+|(?=\())(\S.*)", re.DOTALL)
"""A letter and its text after a dash or in brackets. For other checkers, `E - x` and `E (x)` are formulas."""
_LEAD_IN = re.compile(
    r"^(?:i (?:think|believe) )?(?:(?:it is|it's|that is) )?(?:the )?(?:final |correct |best |right )?"
    r"(?:(?:answer|option|choice)\s*(?:is|:)?\s*){0,2}",
    re.IGNORECASE,
)
_FOREIGN_ENDS = re.compile(
    "^[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]{1,8}|[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af。]{1,8}$"
)
_NAMED = re.compile(r"([A-Z])\s+[A-Z][a-z]{2,}")
_REPEATED = re.compile(r"([A-Za-z])(?:\s*/\s*([A-Za-z]))+")
_OTHERS = re.compile(r"(?:^|\bor\b|\band\b|[,;/(])\s*\(?([A-Z])\b\s*(?:[).,;/]|$|\bor\b|\band\b)")


def read_choice(text: str, *, formulas: bool = True) -> str | None:
    r"""Return the capital letter that `text` chooses; None if it chooses none, or several.

    Args:
        text: A final answer.
        formulas: Whether the answer may be a formula, so that `E - x` chooses nothing.

    >>> read_choice(r"\textbf{(B)}\ 42"), read_choice("b."), read_choice("A or B")
    ('B', 'B', None)
    """
    if len(text) > MAX_ANSWER_LENGTH:
        return None
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text)
    plain = " ".join(_STYLE.sub(" ", text).split())
    plain = _FOREIGN_ENDS.sub("", _LEAD_IN.sub("", plain)).strip()
    alone = _ALONE.fullmatch(plain)
    if alone:
        return alone.group(1).upper()
    labelled = _LABELLED.fullmatch(plain) or (None if formulas else _EXPLAINED.fullmatch(plain))
    if labelled:
        *letters, explanation = labelled.groups()
        letter = next(letter for letter in letters if letter)
        return letter if not set(_OTHERS.findall(explanation)) - {letter} else None
    named = _NAMED.fullmatch(plain)
    if named:
        return named.group(1)
    repeated = _REPEATED.fullmatch(plain)
    if repeated and len(set(re.findall(r"[A-Za-z]", plain.upper()))) == 1:
        return plain[0].upper()
    return None


def reference_choice(reference: str) -> str | None:
    """Return the letter of a reference that is one capital letter, alone or in brackets; else None."""
    plain = "".join(_STYLE.sub(" ", reference).split())
    match = re.fullmatch(r"\(?([A-Z])\)?\.?", plain)
    return match.group(1) if match else None


class ChoiceChecker:
    """Correct when the final answer chooses the letter of the reference, and no other letter."""

    def check(self, reply: str, reference: str, *, question: str | None = None) -> CheckResult:
        """Compare the letter that `reply` chooses with `reference`; see `Checker.check`."""
        start = perf_counter()
        expected = reference_choice(reference.upper())
        if expected is None:
            raise ProblemError(f"the reference answer {reference[:80]!r} is not a letter: correct it")
        answer = final_answer(reply)
        if answer is None:
            return CheckResult(Verdict.NO_ANSWER, None, "extraction", perf_counter() - start)
        found = read_choice(answer, formulas=False)
        if found is None:
            return CheckResult(Verdict.UNREADABLE, answer, "choice", perf_counter() - start)
        verdict = Verdict.CORRECT if found == expected else Verdict.WRONG
        return CheckResult(verdict, answer, "choice", perf_counter() - start)

r"""The checkers of the released RISE code, with its mistakes, for comparison with published numbers only.

They misread 14 of the 1319 references of the GSM8K test set, and truncate 9 of 1000 references of MATH. They
differ from a correct checker as follows:

| GSM8K                                                     | MATH                                          |
| --------------------------------------------------------- | --------------------------------------------- |
| a reference ends at its thousands comma: 2,125 is read 2   | braces inside braces end a box               |
| only whole numbers count: 18.0, $18 and 12.5 are no answer | answers are compared as normalised texts only |

The released code accepts a reply without an answer if the reference has none either; these checkers raise
instead. The normal form for MATH unifies more commands for fractions (`reading/math_normalizer.py`).

Source: environments/gsm8k.py and environments/math.py of github.com/cmu-mind/RISE, written anew.
"""

import re

from rise_env.checkers.reading.math_normalizer import normalized
from rise_env.errors import ProblemError
from rise_env.types import CheckResult, Verdict

MAX_LENGTH = 100_000
"""Characters at the end of a reply that are read. The released code has no limit."""
_BOX = re.compile(r"boxed\{([^}]+)\}")
_REFERENCE = re.compile(r"\s*([-+]?\d+(?:\.\d+)?)")


class ReleasedRiseGSM8KChecker:
    r"""Correct when the last box is an integer that equals the reference as the released code reads it.

    >>> ReleasedRiseGSM8KChecker().check(r"\boxed{2}", "2,125").verdict
    <Verdict.CORRECT: 'correct'>
    """

    def check(self, reply: str, reference: str, *, question: str | None = None) -> CheckResult:
        """Compare the last box of `reply` with `reference`; see `Checker.check`. `question` is ignored."""
        expected = _REFERENCE.match(reference)
        if expected is None:
            raise ProblemError(f"the released code cannot read the reference {reference!r}")
        boxes = _BOX.findall(reply[-MAX_LENGTH:])
        if not boxes:
            return CheckResult(Verdict.NO_ANSWER, method="released_rise")
        try:
            found = int(boxes[-1].replace(",", ""))
            correct = float(found) == float(expected[1])
        except (ValueError, OverflowError):
            return CheckResult(Verdict.UNREADABLE, boxes[-1], "released_rise")
        return CheckResult(Verdict.CORRECT if correct else Verdict.WRONG, boxes[-1], "released_rise")


class ReleasedRiseMathChecker:
    r"""Correct when the last box and the reference, both truncated at nested braces, have one normal form.

    >>> ReleasedRiseMathChecker().check(r"\boxed{\frac{\sqrt{3}}{7}}", r"\frac{\sqrt{3}}{2}").verdict
    <Verdict.CORRECT: 'correct'>
    """

    def check(self, reply: str, reference: str, *, question: str | None = None) -> CheckResult:
        """Compare the last box of `reply` with `reference`; see `Checker.check`. `question` is ignored."""
        expected = truncated_box(f"boxed{{{reference}}}")
        if expected is None:
            raise ProblemError(f"the released code cannot read the reference {reference!r}")
        found = truncated_box(reply[-MAX_LENGTH:])
        if found is None:
            return CheckResult(Verdict.NO_ANSWER, method="released_rise")
        verdict = Verdict.CORRECT if normalized(found) == normalized(expected) else Verdict.WRONG
        return CheckResult(verdict, found, "released_rise")


def truncated_box(text: str) -> str | None:
    r"""Return the content of the last box by an expression that knows only one level of braces inside.

    With two levels, the closing brace of the inner one is taken for that of the outer one, and the next one
    for the end of the box.

    >>> truncated_box(r"\boxed{\frac{\sqrt{3}}{2}}")
    '\\frac{\\sqrt{3}'
    """
    found = None
    start = text.find("boxed{")
    while start >= 0:
        inner = start + len("boxed{")
        end = _end(text, inner)
        if end is not None:
            found = text[inner:end]
        start = text.find("boxed{", inner if end is None else end)
    return found


def _end(text: str, place: int) -> int | None:
    while place < len(text):
        if text[place] == "}":
            return place
        if text[place] == "{":
            place = text.find("}", place)
            if place < 0:
                return None
        place += 1
    return None

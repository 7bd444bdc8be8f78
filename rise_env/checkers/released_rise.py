r"""The released RISE code's way of checking, mistakes included: for comparison with published numbers only.

What it does otherwise than a right checker (GSM8K test set: 14 of 1319 references are misread; MATH: 9 of
1000 are cut):

| GSM8K                                                     | MATH                                          |
| --------------------------------------------------------- | --------------------------------------------- |
| a reference ends at its thousands comma: 2,125 is read 2   | braces inside braces end a box               |
| only whole numbers count: 18.0, $18 and 12.5 are no answer | answers are compared as normalised texts only |

Where it would give a reply without an answer full marks because the reference has none either, this raises.
Source: environments/gsm8k.py and environments/math.py of github.com/cmu-mind/RISE, described in our words.
"""

import re

from rise_env.checkers.reading.math_normalizer import normalized
from rise_env.errors import ProblemError
from rise_env.types import CheckResult, Verdict

MAX_LENGTH = 100_000
"""Characters of a reply that are looked at, the last ones: the original has no limit."""
_BOX = re.compile(r"boxed\{([^}]+)\}")
_GOLD = re.compile(r"\s*([-+]?\d+(?:\.\d+)?)")


class ReleasedRiseGSM8KChecker:
    r"""Correct when the last box is a whole number that equals the misread reference.

    >>> ReleasedRiseGSM8KChecker().check(r"\boxed{2}", "2,125").verdict
    <Verdict.CORRECT: 'correct'>
    """

    def check(self, reply: str, reference: str, *, question: str | None = None) -> CheckResult:
        """Compare; see `Checker.check`. `question` is not looked at."""
        gold = _GOLD.match(reference)
        if gold is None:
            raise ProblemError(f"the released code cannot read the reference {reference!r}")
        boxes = _BOX.findall(reply[-MAX_LENGTH:])
        if not boxes:
            return CheckResult(Verdict.NO_ANSWER, method="released_rise")
        try:
            found = int(boxes[-1].replace(",", ""))
            right = float(found) == float(gold[1])
        except (ValueError, OverflowError):
            return CheckResult(Verdict.UNREADABLE, boxes[-1], "released_rise")
        return CheckResult(Verdict.CORRECT if right else Verdict.WRONG, boxes[-1], "released_rise")


class ReleasedRiseMathChecker:
    r"""Correct when the last box, cut at nested braces, has the reference's normal form, cut the same way.

    >>> ReleasedRiseMathChecker().check(r"\boxed{\frac{\sqrt{3}}{7}}", r"\frac{\sqrt{3}}{2}").verdict
    <Verdict.CORRECT: 'correct'>
    """

    def check(self, reply: str, reference: str, *, question: str | None = None) -> CheckResult:
        """Compare; see `Checker.check`. `question` is not looked at."""
        gold = cut_box(f"boxed{{{reference}}}")
        if gold is None:
            raise ProblemError(f"the released code cannot read the reference {reference!r}")
        found = cut_box(reply[-MAX_LENGTH:])
        if found is None:
            return CheckResult(Verdict.NO_ANSWER, method="released_rise")
        verdict = Verdict.CORRECT if normalized(found) == normalized(gold) else Verdict.WRONG
        return CheckResult(verdict, found, "released_rise")


def cut_box(text: str) -> str | None:
    r"""Return what the last box holds, as a reader sees it who knows one level of braces within.

    A second level ends it: its closing brace is taken for the first level's, and the next one for the box's.

    >>> cut_box(r"\boxed{\frac{\sqrt{3}}{2}}")
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

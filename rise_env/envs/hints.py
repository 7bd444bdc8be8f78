"""The steps of a worked solution that can be shown without giving the answer away."""

import re
from fractions import Fraction
from itertools import takewhile

from rise_env.checkers.parsing.vocabulary import FRACTIONS

_THOUSANDS = re.compile(r"(?<=\d)(?:,|\{,\}|\\,|\\!|\s)(?=\d{3}(?!\d))")
_COMMAND = re.compile(rf"\\(?:{'|'.join(sorted(FRACTIONS))})(?![A-Za-z])")
_RATIO = re.compile(r"\\frac\{(\d{1,999})\}\{(\d{1,999})\}|(\d{1,999})\s*/\s*(\d{1,999})")
_NUMBER = re.compile(r"\d{1,999}(?:\.\d{1,999})?|\.\d{1,999}")
_SPACING = re.compile(r"\\left|\\right|\\[,!;:]|[\s$]")


def hint_steps(solution: str, reference: str) -> list[str]:
    """Return the steps of a worked solution before the first one that states the answer.

    A step that has the answer's number in it by chance ends the list as well.

    Args:
        solution: The worked solution.
        reference: The final answer.
    """
    return list(takewhile(lambda step: not states(step, reference), solution_steps(solution)))


def solution_steps(solution: str) -> list[str]:
    """Return the steps of a worked solution, without the last one and those with a box.

    Steps are lines, or sentences if there are fewer than three lines. GSM8K's calculator marks
    (`<<16-3=13>>`) are removed.
    """
    body = solution.split("####", 1)[0].strip()
    body = re.sub(r"^\\boxed\{[^{}]*\}\s*", "", body)  # where the answer comes first
    steps = [line.strip() for line in body.splitlines() if line.strip()]
    if len(steps) < 3:
        steps = [part.strip() for part in re.split(r"(?<=[.!?])\s+", body) if part.strip()]
    before_answer = [step for step in steps[:-1] if "boxed" not in step]
    return [re.sub(r"<<[^<>]*>>", "", step) for step in before_answer]


def states(text: str, answer: str) -> bool:
    r"""Return whether a text contains the number of an answer, or the answer itself if it is not a number.

    Signs and the spelling of numbers are ignored.

    >>> states("This is 7 - 4 = 3.", "-4"), states("Half of it is 0.50", r"\frac{1}{2}"), states("17", "7")
    (True, True, False)
    """
    text, answer = (_COMMAND.sub(r"\\frac", part) for part in (text, answer))
    joined = _THOUSANDS.sub("", answer).strip(" $%+-")
    wanted = {Fraction(joined)} if _NUMBER.fullmatch(joined) else _ratios(answer) or _numbers(answer)
    if len(wanted) == 1:
        return bool(wanted & (_numbers(text) | _ratios(text)))
    characters = f"(?:{_SPACING.pattern})*".join(map(re.escape, _SPACING.sub("", answer)))
    return re.search(rf"(?<![A-Za-z0-9]){characters}(?![A-Za-z0-9])", text) is not None


def _numbers(text: str) -> set[Fraction]:
    # "1,234" is one number or two
    return {Fraction(number) for form in (text, _THOUSANDS.sub("", text)) for number in _NUMBER.findall(form)}


def _ratios(text: str) -> set[Fraction]:
    pairs = [(a or c, b or d) for a, b, c, d in _RATIO.findall(text)]
    return {Fraction(int(above), int(below)) for above, below in pairs if int(below)}

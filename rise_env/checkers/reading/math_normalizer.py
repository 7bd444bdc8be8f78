r"""The normal form by which the evaluation code of MATH compares answers: as texts, and never as values.

Source: Hendrycks et al. 2021, arXiv:2103.03874, whose evaluation code compares answers in such a form; the
rules are theirs, the code is ours, for comparison with published numbers. So only the commands that they know
are replaced, and not all of `vocabulary.FRACTIONS`.
"""

import re

_REMOVED = ("\n", "\\!", "\\left", "\\right", "^{\\circ}", "^\\circ", "\\$", "\\%", "%")
_FRACTION = re.compile("dfrac|tfrac")
_WHOLE = re.compile(r"-?\d+")


def normalized(answer: str) -> str:
    r"""Return the normal form of an answer.

    >>> normalized(r"x = \dfrac12"), normalized(".5"), normalized(r"12\text{ cm}")
    ('\\frac{1}{2}', '\\frac{1}{2}', '12')
    """
    text = answer.replace("\n", "").replace("\\!", "").replace("\\\\", "\\")
    text = _FRACTION.sub("frac", text)
    for mark in _REMOVED:
        text = text.replace(mark, "")
    if text.count("\\text{ ") == 1:
        text = text.split("\\text{ ")[0]  # a unit on the right
    text = text.replace(" .", " 0.").replace("{.", "{0.")
    if not text:
        return text
    if text.startswith("."):
        text = "0" + text
    sides = text.split("=")
    if len(sides) == 2 and len(sides[0]) <= 2:
        text = sides[1]
    text = _with_fractions(_with_roots(text).replace(" ", ""))
    return _slash("\\frac{1}{2}" if text == "0.5" else text)


def _with_roots(text: str) -> str:
    r"""Write \sqrt3 as \sqrt{3}."""
    return re.sub(r"\\sqrt(?=[^{])(.)", r"\\sqrt{\1}", text)


def _with_fractions(text: str) -> str:
    r"""Write \frac12, \frac1{2} as \frac{1}{2}; where one cannot be read, all stay as they are."""
    first, *rest = text.split("\\frac")
    parts = [first]
    for part in rest:
        if part.startswith("{"):
            parts.append(part)
        elif len(part) < 2:
            return text
        elif part[1] == "{":
            parts.append(f"{{{part[0]}}}{part[1:]}")
        else:
            parts.append(f"{{{part[0]}}}{{{part[1]}}}{part[2:]}")
    return "\\frac".join(parts)


def _slash(text: str) -> str:
    r"""Write 1/2 as \frac{1}{2} where both are whole numbers in their shortest spelling."""
    sides = text.split("/")
    if len(sides) != 2 or not all(_WHOLE.fullmatch(side) for side in sides):
        return text
    shortest = [str(int(side)) if len(side) < 4000 else side for side in sides]
    return f"\\frac{{{sides[0]}}}{{{sides[1]}}}" if shortest == sides else text

r"""Turns the worked solutions of data sets into replies: clean prose with one box, as the prompts ask.

A model that is trained on solutions learns everything that they contain. So the marks that a data set uses
for itself are removed: GSM8K's calculator annotations `<<7+6=13>>` and its last line `#### 13`, and the
source code of MATH's drawings.
"""

import re

_CALCULATOR = re.compile(r"<<[^<>\n]*>>")
_HASHES = re.compile(r"\s*####.*", re.DOTALL)
_ASY = re.compile(r"\s*\[asy\].*?\[/asy\]\s*", re.DOTALL)
_BOX = "\\boxed"
_ANSWER = "The final answer is \\boxed{%s}."


def write_reply(solution: str, reference: str | None) -> str:
    r"""Return a solution as a reply without a data set's own marks, and with exactly one box.

    The last box of the solution is kept; earlier ones are replaced by their content. A solution without a box
    gets a last sentence with the reference answer.

    >>> write_reply("He has 7+6=<<7+6=13>>13 cats.\n#### 13", "13")
    'He has 7+6=13 cats.\nThe final answer is \\boxed{13}.'

    Args:
        solution: A worked solution; it may be empty.
        reference: The final answer; None leaves a solution without a box as it is.
    """
    text = _HASHES.sub("", _CALCULATOR.sub("", _ASY.sub("\n", solution))).strip()
    text, boxed = _with_one_box(text)
    if boxed or reference is None:
        return text
    separator = "\n" if "\n" in solution.strip() else " "
    return f"{text}{separator}{_ANSWER % reference}" if text else _ANSWER % reference


def _with_one_box(text: str) -> tuple[str, bool]:
    """Return the text with the last complete box alone, and whether there is one."""
    last = None
    for start in reversed([match.start() for match in re.finditer(re.escape(_BOX), text)]):
        end = _end_of_group(text, start + len(_BOX))
        if last is None and end is not None:
            last = text[start:end]
            text = text[:start] + "\0" + text[end:]
        elif end is not None:
            text = text[:start] + text[start + len(_BOX) + 1 : end - 1] + text[end:]
        else:
            text = text[:start] + text[start + len(_BOX) :].lstrip(" ")
    return (text, False) if last is None else (text.replace("\0", last), True)


def _end_of_group(text: str, start: int) -> int | None:
    """Return the position after the group in braces that begins at `start`; None if there is none."""
    if text[start : start + 1] != "{":
        return None
    depth = 0
    for position in range(start, len(text)):
        if text[position] in "{}" and text[position - 1] != "\\":
            depth += 1 if text[position] == "{" else -1
            if depth == 0:
                return position + 1
    return None

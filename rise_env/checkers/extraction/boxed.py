r"""Finds the content of the last `\boxed{...}` of a text, in time linear in its length.

Of nested boxes the outermost counts. Boxes with only commas, "and" or "or" between them are one list:
`\boxed{1}, \boxed{2}` is "1, 2". If the last box is empty or not closed, the text has no answer, and no
earlier box counts, because the reply did not end with it.
"""

import re
from typing import NamedTuple

# All repetitions are bounded, so that many equal characters in a row take linear time.
_TOKEN = re.compile(r"\\{0,4}(?:boxed|fbox|framebox)\s{0,20}\{|\\.|[{}]", re.DOTALL)
_UNBRACED = re.compile(
    r"\\(?:boxed|fbox)\s{0,20}(\d{1,40}(?:,\d{3}){0,9}(?:\.\d{1,40})?|[A-Za-z])"
    r"(?![A-Za-z\d]|[.,:]\d|\s{0,20}(?:\{|[-+*/^_=]|\\(?!text|q?quad)[A-Za-z]))"
)
"""A number or a letter in a box without braces, if no more of a word or of a formula follows."""
_JOINER = re.compile(
    r"(?=[^A-Za-z]*(?:[,;]|(?:[^A-Za-z]|q?quad|text)*(?:and|or)\b))"  # must hold a comma, "and" or "or"
    r"(?:[\s$,;.()\[\]\\{}&]|q?quad\b|text\b|and\b|or\b)*(?:[A-Za-z](?:_\{?\w\}?)?\s*=[\s$]*)?"
)
_MAX_JOINER_LENGTH = 40
"""Maximal number of characters between two boxes of one list."""
_MAX_BOXES = 256
"""Maximal number of boxes of one list."""
_MAX_NESTED_BOXES = 8
"""Maximal number of boxes around one answer that are removed."""


class _Box(NamedTuple):
    start: int
    """Position of the command."""
    inner: int
    """Position of the first character of the content."""
    end: int
    """Position of the closing brace."""


def has_box(text: str) -> bool:
    r"""Return whether `text` has a box, complete or not; if so, text outside boxes is no answer."""
    return "boxed" in text or "\\fbox" in text


def last_boxed(text: str) -> str | None:
    r"""Return the content of the last box of `text`, stripped; None if there is no such box.

    >>> last_boxed(r"so \boxed{\frac{1}{2}}.")
    '\\frac{1}{2}'
    >>> last_boxed(r"$\boxed{1}$ and $\boxed{2}$")
    '1, 2'
    >>> last_boxed(r"\boxed{41}, no, \boxed{42") is None
    True
    """
    start = text.rfind("boxed{")
    if start >= 0 and text.count("box") == 1:
        # fast path for the usual case: one box, without braces inside
        end = text.find("}", start)
        if end < 0:
            return None
        content = text[start + 6 : end]
        if "{" not in content and "\\" not in content:
            return content.strip() or None
    elif start < 0 and not has_box(text):
        return None
    return _last_of_several(text)


def _last_of_several(text: str) -> str | None:
    boxes, last_open = _outermost(text)
    if last_open > (boxes[-1].end if boxes else -1):
        return None
    unbraced = _UNBRACED.findall(text, boxes[-1].end if boxes else 0)
    if unbraced:
        return str(unbraced[-1])
    if not boxes:
        return None
    parts = [_content(text, boxes[-1])]
    for before, after in zip(boxes[-2::-1], boxes[:0:-1], strict=True):
        between = text[before.end + 1 : after.start]
        if len(between) > _MAX_JOINER_LENGTH or len(parts) >= _MAX_BOXES or not _JOINER.fullmatch(between):
            break
        parts.append(_content(text, before))
    return ", ".join(reversed(parts)) if all(parts) else None


def _outermost(text: str) -> tuple[list[_Box], int]:
    """Return the closed outermost boxes in order, and the start of the last unclosed box, or -1."""
    boxes: list[_Box] = []
    opened: list[tuple[int, int] | None] = []  # (start, inner) of an open box, None for an open brace
    for token in _TOKEN.finditer(text):
        found = token.group()
        if found == "}":
            box = opened.pop() if opened else None
            if box is not None:
                while boxes and boxes[-1].start > box[0]:
                    boxes.pop()
                boxes.append(_Box(*box, token.start()))
        elif found == "{":
            if opened:
                opened.append(None)
        elif found[-1] == "{" and len(found) > 2:
            opened.append(token.span())
    return boxes, max((box[0] for box in opened if box is not None), default=-1)


def _content(text: str, box: _Box) -> str:
    """Return the content of a box, without the boxes that enclose the whole of it."""
    content = text[box.inner : box.end].strip()
    if text.startswith("\\\\", box.start):  # the reply was escaped twice, as JSON inside JSON
        content = content.replace("\\\\", "\\")
    for _ in range(_MAX_NESTED_BOXES):
        if not content.endswith("}"):
            break
        opening = _TOKEN.match(content)
        if opening is None or "box" not in opening.group():
            break
        inner, _last = _outermost(content)
        if len(inner) != 1 or inner[0].end != len(content) - 1:
            break
        content = content[inner[0].inner : -1].strip()
    return content

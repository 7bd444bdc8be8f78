"""Separates what a model thought from what it replied. Pure functions, without any library.

Models mark their thoughts in a few ways, which `MARKS` lists. Some chat templates write the opening mark
themselves, at the end of the prompt. Then the reply holds only the closing one.
"""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Marks:
    """The marks around a thought, and what stands before a reply without one."""

    open: str
    close: str
    no_thought: str = ""
    """What a reply without a thought begins with."""
    breaks: str = "\n"
    """The line breaks inside the marks, and twice after the closing one."""

    @property
    def around(self) -> tuple[str, str]:
        """What models usually write before and after a thought."""
        return f"{self.open}{self.breaks}", f"{self.breaks}{self.close}{self.breaks * 2}"


MARKS = (
    Marks("<think>", "</think>"),
    Marks("[THINK]", "[/THINK]", breaks=""),  # Magistral
    Marks("<|START_THINKING|>", "<|END_THINKING|>", breaks=""),  # Command-A
    Marks("<seed:think>", "</seed:think>"),
    Marks(  # the channels of gpt-oss
        "<|channel|>analysis<|message|>",
        "<|end|><|start|>assistant<|channel|>final<|message|>",
        "<|channel|>final<|message|>",
        breaks="",
    ),
)
"""The marks of the widely used model families."""


def split_reasoning(text: str, opened: bool = False, *, known: Sequence[Marks] = MARKS) -> tuple[str, str]:
    r"""Return the reasoning and the reply proper.

    A thought counts only at the beginning of a reply. One that is not closed, because the reply was cut in
    it, is all of the reply. A text without marks is returned as it is.

    >>> split_reasoning("<think>\nTwo and two.\n</think>\n\nFour.")
    ('Two and two.', 'Four.')
    >>> split_reasoning("Two and", opened=True)
    ('Two and', '')

    Args:
        text: The whole reply.
        opened: Whether the prompt has written the opening mark, so that the reply begins inside a thought.
        known: The marks that can stand in the text.
    """
    start = text.lstrip()
    for marks in known:
        begins = start.startswith(marks.open)
        at = text.rfind(marks.close)
        if not begins and marks.no_thought and start.startswith(marks.no_thought):
            return "", start[len(marks.no_thought) :]
        if at >= 0 and (begins or opened or _closes_first(text, marks)):
            before = text[:at].lstrip() if begins else text[:at]
            return _inside(before, marks), text[at + len(marks.close) :].lstrip("\n")
        if begins:
            return _inside(start, marks), ""
    return (text.strip("\n"), "") if opened else ("", text)


def opens_thought(prompt: str, marks: Marks) -> bool:
    """Return whether a prompt ends with an opening mark, so that the reply begins inside a thought."""
    return prompt.rstrip().endswith(marks.open)


def _inside(text: str, marks: Marks) -> str:
    return text.removeprefix(marks.open).strip("\n")


def _closes_first(text: str, marks: Marks) -> bool:
    """Return whether a thought is closed that the text does not open: the prompt of a server opened it."""
    return marks.open not in text

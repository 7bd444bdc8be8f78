"""Bounds on what a check may read and compute, and how a check says that it ran into one."""

from time import perf_counter

MAX_ANSWER_LENGTH = 2000
"""Characters of an answer that is parsed; longer ones are compared as strings."""
MAX_DEPTH = 64
"""Nested brackets in an answer that is parsed."""
MAX_DIGITS = 1000
"""Digits of one number that is read."""
MAX_ITEMS = 256
"""Items of one list."""
MAX_SIGNS = 6
"""Plus-minus signs in one answer; each doubles the number of values."""
MAX_TERMS = 2000
"""Terms of a finite sum or product that is added up here."""


class Unreadable(Exception):
    """The text is no answer that we can read."""


class PlainText(Unreadable):
    """There are words where mathematics was expected."""


class Undefined(Exception):
    """An expression has no value, or none at the point where it was evaluated."""


class NotDecidable(Exception):
    """The stages of this process cannot decide; says why."""


class DeadlineExceeded(Exception):
    """The check used up its time."""


class Deadline:
    """A moment at which a check has to be over."""

    __slots__ = ("at",)

    def __init__(self, seconds: float) -> None:
        self.at = perf_counter() + seconds

    def left(self) -> float:
        """Return the seconds that are left, not below 0."""
        return max(0.0, self.at - perf_counter())

    def check(self) -> None:
        """Raise `DeadlineExceeded` when the moment has passed."""
        if perf_counter() > self.at:
            raise DeadlineExceeded

"""Bounds on the time and memory of one check, and the exceptions that its stages raise."""

from time import perf_counter

MAX_ANSWER_LENGTH = 2000
"""Characters of an answer that is parsed. Longer answers are only compared as strings."""
MAX_DEPTH = 64
"""Brackets inside one another in an answer that is parsed."""
MAX_DIGITS = 1000
"""Digits of one number that is read."""
MAX_ITEMS = 256
"""Items of one list, after `±` has been expanded."""
MAX_SIGNS = 6
"""Plus-minus signs in one answer. Each of them can double the number of values."""
MAX_TERMS = 2000
"""Terms of a finite sum or product that is evaluated in this process."""


class Unreadable(Exception):
    """The text cannot be read as an answer; the message says why."""


class PlainText(Unreadable):
    """The text has words where mathematics was expected."""


class Undefined(Exception):
    """An expression has no value, or none at the point where it is evaluated."""


class NotDecidable(Exception):
    """The stages in this process cannot decide whether two answers are equal; the message says why."""


class DeadlineExceeded(Exception):
    """The time for the check is over."""


class Deadline:
    """The time at which a check has to end.

    Args:
        seconds: From now.
    """

    __slots__ = ("at",)

    def __init__(self, seconds: float) -> None:
        self.at = perf_counter() + seconds

    def left(self) -> float:
        """Return the seconds that are left; 0 after the deadline."""
        return max(0.0, self.at - perf_counter())

    def check(self) -> None:
        """Raise `DeadlineExceeded` after the deadline."""
        if perf_counter() > self.at:
            raise DeadlineExceeded

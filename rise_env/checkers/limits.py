"""Bounds on the time and memory of one check, and the exceptions that its stages raise."""

from collections.abc import Callable
from threading import Thread
from time import monotonic, thread_time
from typing import TypeVar

Result = TypeVar("Result")

MAX_ANSWER_LENGTH = 2000
"""Characters of an answer that is parsed. Longer answers are only compared as strings."""
MAX_DEPTH = 64
"""Brackets inside one another in an answer that is parsed."""
MAX_NESTING = 140
"""Recursive calls inside one another while an answer is parsed. Each takes at most 6 frames of Python's
stack, of which there are 1000 by default."""
MAX_TREE_DEPTH = 120
"""Levels of the tree of an answer. A walk of a tree takes at most 5 frames of the stack for each."""
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
    """The CPU time that a check may still use, in the thread that made this object.

    Other work on the machine does not shorten it.

    Args:
        seconds: From now.
    """

    __slots__ = ("_cpu", "_wall")

    def __init__(self, seconds: float) -> None:
        self.restart(seconds)

    def left(self) -> float:
        """Return the seconds that are left; 0 after the deadline."""
        return max(0.0, self._cpu - thread_time())

    def check(self) -> None:
        """Raise `DeadlineExceeded` after the deadline."""
        # a thread uses no more CPU time than passes by the clock, which takes a fiftieth of the time to read
        if monotonic() > self._wall and thread_time() > self._cpu:
            raise DeadlineExceeded

    def restart(self, seconds: float) -> None:
        """Begin again, for the thread that calls this."""
        self._wall = monotonic() + seconds
        self._cpu = thread_time() + seconds


def on_own_stack(function: Callable[[], Result], deadline: Deadline | None = None) -> Result:
    """Call `function`, and call it in a thread of its own if the caller left it too little of the stack.

    The stack of a new thread is empty, so that the result does not depend on how deep the caller is.

    Args:
        function: What to call.
        deadline: The deadline that `function` uses; it begins again in the thread.

    Raises:
        RecursionError: An empty stack was too small as well.
    """
    try:
        return function()
    except RecursionError:
        pass
    outcome: list[Result] = []
    errors: list[BaseException] = []

    seconds = 0.0 if deadline is None else deadline.left()

    def call() -> None:
        if deadline is not None:
            deadline.restart(seconds)
        try:
            outcome.append(function())
        except BaseException as error:
            errors.append(error)

    thread = Thread(target=call, daemon=True)
    thread.start()
    thread.join()
    if errors:
        raise errors[0]
    return outcome[0]

"""A progress bar on stderr with a title, a count, a status text, the speed and the remaining time.

Collecting, evaluating and fitting show their progress with it. On a terminal it is one line that changes.
Elsewhere, as in the log of a cluster job, it is a new line twice a minute.
"""

import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self, TypedDict

from rich.console import Console
from rich.live import Live
from rich.text import Text

from rise_env.utils.progress_line import duration, plain_line, progress_line

INTERVAL_S = 30.0
"""Seconds between two lines where there is no terminal."""


class _Parts(TypedDict):
    title: str
    share: float | None
    count: str
    speed: str
    left: str
    status: str


class ProgressBar:
    """A progress bar, used as a context manager. It appears at the first `update`.

    Args:
        title: A text before the bar that says what is being done.
        show: False shows nothing.
        console: The console to draw on; None is stderr.
        note: A line that is printed once, when the bar appears.
        interval_s: Seconds between two lines where there is no terminal.
        clock: A monotonic clock that returns the time in seconds.
    """

    def __init__(
        self,
        title: str,
        *,
        show: bool = True,
        console: Console | None = None,
        note: str = "",
        interval_s: float = INTERVAL_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._title = title
        self._show = show
        self._console = console or Console(stderr=True)
        self._note = note
        self._interval_s = interval_s
        self._clock = clock
        self._completed = 0.0
        self._total: float | None = None
        self._count: str | None = None
        self._status = self._speed = ""
        self._began: tuple[float, float] | None = None
        """The time and the finished units at the first update."""
        self._live = Live(self, console=self._console, auto_refresh=True, refresh_per_second=4)
        self._ended = threading.Event()
        self._printed = ""
        """The last line that was printed where there is no terminal."""

    def update(
        self,
        *,
        completed: float | None = None,
        total: float | None = None,
        status: str | None = None,
        speed: str | None = None,
        count: str | None = None,
        title: str | None = None,
    ) -> None:
        """Show a new state. Arguments that are None keep their previous value.

        Args:
            completed: The number of finished units; may be a fraction.
            total: The number of all units.
            status: Text between the count and the remaining time.
            speed: For example "1,234 tokens/s".
            count: The count as text; by default made from `completed` and `total`.
            title: A new title. The remaining time is then estimated anew.
        """
        if title is not None and title != self._title:
            self._title, self._began = title, None
        self._completed = self._completed if completed is None else completed
        self._total = self._total if total is None else total
        self._status = self._status if status is None else status
        self._speed = self._speed if speed is None else speed
        self._count = self._count if count is None else count
        first = self._began is None
        if self._began is None:
            self._began = (self._clock(), self._completed)
        if first and self._show:
            self._appear()

    def print(self, text: str) -> None:
        """Print a line above the bar, in a dim colour."""
        if self._show:
            self._console.print(text, style="dim", markup=False, highlight=False, soft_wrap=True)

    def seconds_left(self) -> float | None:
        """Return the estimated time left; None while it is unknown."""
        if self._began is None or self._total is None:
            return None
        seconds, units = self._clock() - self._began[0], self._completed - self._began[1]
        if units <= 0:
            return None
        return seconds * (self._total - self._completed) / units

    def __rich__(self) -> Text:
        """Return the line for a terminal."""
        width = self._console.width
        return Text(progress_line(**self._parts(), width=width), no_wrap=True, overflow="crop")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        if self._live.is_started:
            self._live.stop()
        elif self._began is not None and self._show and plain_line(**self._parts()) != self._printed:
            self._print_line()

    def _appear(self) -> None:
        if self._note:
            self.print(self._note)
            self._note = ""
        if self._console.is_terminal:
            self._live.start()
        elif not any(thread.name == self._thread_name for thread in threading.enumerate()):
            threading.Thread(target=self._print_lines, name=self._thread_name, daemon=True).start()

    @property
    def _thread_name(self) -> str:
        return f"progress-{id(self)}"

    def _print_lines(self) -> None:
        while not self._ended.wait(self._interval_s):
            self._print_line()

    def _print_line(self) -> None:
        self._printed = plain_line(**self._parts())
        self._console.print(self._printed, markup=False, highlight=False, soft_wrap=True)

    def _parts(self) -> _Parts:
        count = self._count
        if count is None:
            count = f"{self._completed:g}" + ("" if self._total is None else f"/{self._total:g}")
        return {
            "title": self._title,
            "share": self._completed / self._total if self._total else None,
            "count": count,
            "speed": self._speed,
            "left": duration(self.seconds_left()),
            "status": self._status,
        }

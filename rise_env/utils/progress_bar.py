"""A progress bar on stderr with a title, a count, a status text and the remaining time.

Collecting, evaluating and fitting show their progress with it.
"""

from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn


class ProgressBar:
    """A rich progress bar, used as a context manager. It appears at the first `update`.

    Args:
        title: A text before the bar that says what is being done.
        show: False shows nothing.
        console: The console to draw on; None is stderr. Without a terminal, only the last state is shown.
    """

    def __init__(self, title: str, *, show: bool = True, console: Console | None = None) -> None:
        self._bar = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TextColumn("{task.fields[status]}", markup=False),
            TimeRemainingColumn(),
            console=console or Console(stderr=True),
            disable=not show,
        )
        self._task = self._bar.add_task(title, total=None, status="")

    def update(
        self, *, completed: float | None = None, total: float | None = None, status: str | None = None
    ) -> None:
        """Show a new state. Arguments that are None keep their previous value.

        Args:
            completed: The number of finished units.
            total: The number of all units.
            status: Text between the count and the remaining time.
        """
        self._bar.start()
        self._bar.update(self._task, completed=completed, total=total)
        if status is not None:
            self._bar.update(self._task, status=status)

    def print(self, text: str) -> None:
        """Print a line above the bar, in a dim colour."""
        self._bar.console.print(text, style="dim", markup=False, highlight=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar.live.is_started:  # rich prints an empty line when it stops a bar that never started
            self._bar.stop()

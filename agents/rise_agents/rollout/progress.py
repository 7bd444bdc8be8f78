"""The line that shows how a collection goes: episodes, accuracy, tokens per second, time left."""

from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as RichProgress

from rise_agents.rollout.collect import Progress


class ProgressLine:
    """A rich progress bar on stderr; silent where that is no terminal but at the end of each chunk.

    Args:
        title: What is being played.
        show: False shows nothing.
    """

    def __init__(self, title: str, *, show: bool = True) -> None:
        self._bar = RichProgress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TextColumn("{task.fields[numbers]}"),
            TimeRemainingColumn(),
            console=Console(stderr=True),
            disable=not show,
        )
        self._task = self._bar.add_task(title, total=None, numbers="")

    def update(self, progress: Progress) -> None:
        """Show this state."""
        accuracy = progress.correct / progress.played if progress.played else 0.0
        speed = progress.tokens / progress.seconds if progress.seconds else 0.0
        failed = f" · {progress.failed} failed" if progress.failed else ""
        numbers = f"{accuracy:.1%} correct{failed} · {speed:,.0f} tokens/s" if progress.played else ""
        self._bar.update(self._task, completed=progress.done, total=progress.total, numbers=numbers)

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()

"""Shows the progress of a fit: a bar with loss, speed and the time left."""

from types import TracebackType
from typing import Any, Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn


class FitProgress:
    """A context manager that shows the progress bar; pass its `update` to `fit` as `progress`."""

    def __init__(self, console: Console | None = None) -> None:
        self._bar = Progress(
            TextColumn("[bold]{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[status]}"),
            TimeRemainingColumn(),
            console=console or Console(stderr=True),
        )
        self._task = self._bar.add_task("fit", total=None, status="starting")

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()

    def update(self, line: dict[str, Any]) -> None:
        """Show one line of the metrics."""
        if line["kind"] == "data":
            for note in line["notes"]:
                self._bar.console.print(f"[dim]{note}[/dim]", highlight=False)
            self._bar.update(self._task, total=line["total"], status="")
        elif line["kind"] == "policy" and "sampler_gap_mean" in line:
            self._bar.console.print(
                f"[dim]log-probabilities of sampler and trainer differ by {line['sampler_gap_mean']:.2g} on "
                f"average, by {line['sampler_gap_p99']:.2g} at the 99th percentile "
                f"({line['sampled_tokens']} tokens)[/dim]",
                highlight=False,
            )
        elif line["kind"] == "step":
            status = f"loss {line['loss']:.3f}  {line['tokens_per_s']:,.0f} tokens/s"
            self._bar.update(self._task, total=line["total"], completed=line["step"], status=status)

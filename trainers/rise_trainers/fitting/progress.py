"""Shows the progress of a fit: a bar with loss, speed and the time left."""

from types import TracebackType
from typing import Any, Self

from rich.console import Console

from rise_env.utils.progress_bar import ProgressBar


class FitProgress:
    """A context manager that shows the progress bar; pass its `update` to `fit` as `progress`."""

    def __init__(self, console: Console | None = None) -> None:
        self._bar = ProgressBar("fit", console=console)

    def __enter__(self) -> Self:
        self._bar.update(completed=0, count="", status="starting")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.__exit__(kind, error, trace)

    def update(self, line: dict[str, Any]) -> None:
        """Show one line of the metrics."""
        if line["kind"] == "data":
            for note in line["notes"]:
                self._bar.print(note)
            self._bar.update(total=line["total"], count=f"0/{line['total']}", status="")
        elif line["kind"] == "policy" and "sampler_gap_mean" in line:
            self._bar.print(
                f"log-probabilities of sampler and trainer differ by {line['sampler_gap_mean']:.2g} on "
                f"average, by {line['sampler_gap_p99']:.2g} at the 99th percentile "
                f"({line['sampled_tokens']} tokens)"
            )
        elif line["kind"] == "step":
            self._bar.update(
                completed=line["step"],
                total=line["total"],
                count=f"{line['step']}/{line['total']}",
                status=f"loss {line['loss']:.3f}",
                speed=f"{line['tokens_per_s']:,.0f} tokens/s",
            )

"""The progress of a collection: the counts that engines report, and the bar that shows them."""

from collections.abc import Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from rise_agents.rollouts.episode_runner import outgrew_context
from rise_env.types import Trajectory
from rise_env.utils.progress_bar import ProgressBar


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """Counts of a collection. All but `done` and `total` cover only what this process did."""

    done: int = 0
    """Requested episodes that are in the store."""
    total: int = 0
    """Requested episodes."""
    played: int = 0
    correct: int = 0
    """Played episodes whose last reply is correct."""
    failed: int = 0
    outgrown: int = 0
    """Played episodes that ended because the conversation left no room for a reply in the model's context."""
    tokens: int = 0
    """Generated tokens."""
    seconds: float = 0.0
    """Seconds since this process started the collection."""


def add_episodes(progress: Progress, stored: Sequence[Trajectory], seconds: float) -> Progress:
    """Return the progress after these episodes were stored, `seconds` after the start."""
    completed = [trajectory for trajectory in stored if trajectory.error is None]
    attempts = [a for trajectory in stored for turn in trajectory.turns for a in turn.attempts]
    return Progress(
        done=progress.done + len(stored),
        total=progress.total,
        played=progress.played + len(stored),
        correct=progress.correct + sum(t.turns[-1].action.check.correct for t in completed),
        failed=progress.failed + len(stored) - len(completed),
        outgrown=progress.outgrown + sum(outgrew_context(t.turns[-1].action) for t in completed),
        tokens=progress.tokens + sum(attempt.usage.completion_tokens for attempt in attempts),
        seconds=seconds,
    )


class CollectProgressBar:
    """A progress bar with accuracy, failures and speed, used as a context manager.

    Args:
        title: Text in front of the bar.
        show: False shows nothing.
    """

    def __init__(self, title: str, *, show: bool = True) -> None:
        self._bar = ProgressBar(title, show=show)

    def update(self, progress: Progress) -> None:
        """Show this progress."""
        status = ""
        if progress.played:
            failed = f" · {progress.failed} failed" if progress.failed else ""
            full = f" · {progress.outgrown} outgrew the context" if progress.outgrown else ""
            speed = progress.tokens / progress.seconds if progress.seconds else 0.0
            status = f"{progress.correct / progress.played:.1%} correct{failed}{full} · {speed:,.0f} tokens/s"
        self._bar.update(completed=progress.done, total=progress.total, status=status)

    def __enter__(self) -> Self:
        self._bar.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.__exit__(kind, error, trace)

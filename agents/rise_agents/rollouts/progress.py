"""The progress of a collection: the counts that engines report, and the bar that shows them."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from rise_agents.rollouts.episode_runner import outgrew_context
from rise_env.types import Attempt, Trajectory, Turn
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
    open_episodes: float = 0.0
    """Work on episodes that are not in the store yet, in whole episodes; see `OpenEpisodes`."""
    open_tokens: int = 0
    """Generated tokens of these episodes."""


def add_episodes(progress: Progress, stored: Sequence[Trajectory], seconds: float) -> Progress:
    """Return the progress after these episodes were stored, `seconds` after the start."""
    completed = [trajectory for trajectory in stored if trajectory.error is None]
    return Progress(
        done=progress.done + len(stored),
        total=progress.total,
        played=progress.played + len(stored),
        correct=progress.correct + sum(t.turns[-1].action.check.correct for t in completed),
        failed=progress.failed + len(stored) - len(completed),
        outgrown=progress.outgrown + sum(outgrew_context(t.turns[-1].action) for t in completed),
        tokens=progress.tokens + sum(_tokens(trajectory.turns) for trajectory in stored),
        seconds=seconds,
    )


def played(env: str, split: str, count: int) -> str:
    """Return a line that says which problems a command plays."""
    of_split = f"the split {split} of " if split else ""
    return f"playing {count:,} problems of {of_split}{env}"


class CollectProgressBar:
    """A progress bar with accuracy, failures and speed, used as a context manager.

    Args:
        title: Text in front of the bar.
        show: False shows nothing.
        note: A line that is printed once, when the bar appears.
    """

    def __init__(self, title: str, *, show: bool = True, note: str = "") -> None:
        self._bar = ProgressBar(title, show=show, note=note)

    def update(self, progress: Progress, *, metric: str = "solved", title: str | None = None) -> None:
        """Show this progress.

        Args:
            progress: The counts.
            metric: The name of the fraction of episodes whose last reply is correct.
            title: A new text in front of the bar; None keeps it.
        """
        status = speed = ""
        if progress.played:
            failed = f", {progress.failed} failed" if progress.failed else ""
            full = f", {progress.outgrown} outgrew the context" if progress.outgrown else ""
            status = f"{metric} {progress.correct / progress.played:.1%}{failed}{full}"
        if progress.seconds and (tokens := progress.tokens + progress.open_tokens):
            speed = f"{tokens / progress.seconds:,.0f} tokens/s"
        self._bar.update(
            completed=progress.done + progress.open_episodes,
            total=progress.total,
            count=f"{progress.done}/{progress.total}",
            status=status,
            speed=speed,
            title=title,
        )

    def __enter__(self) -> Self:
        self._bar.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.__exit__(kind, error, trace)


class OpenEpisodes:
    """Counts the work on episodes that are not stored yet, by replies.

    Args:
        samples: The number of samples of each turn of a whole episode.
    """

    def __init__(self, samples: Sequence[int]) -> None:
        self._samples = samples
        self._unit = math.lcm(*samples)
        """The work of a turn: a number that all numbers of samples divide."""
        self._playing: dict[int, tuple[int, int]] = {}
        """Problem index -> (work, generated tokens) of the episodes that are being played."""
        self._work = 0
        self.tokens = 0
        """Generated tokens of all these episodes."""

    @property
    def episodes(self) -> float:
        """The work in whole episodes.

        A turn is 1 / `len(samples)` of an episode, and a reply of a turn with n samples 1 / n of the turn.
        """
        return self._work / self._whole

    def update(self, index: int, turns: Sequence[Turn], attempts: Sequence[Attempt]) -> None:
        """Set how far an episode is.

        Args:
            index: The index of its problem.
            turns: Its finished turns.
            attempts: The replies of its current turn.
        """
        work = len(turns) * self._unit
        if attempts:
            samples = self._samples[len(turns)]
            work += min(len(attempts), samples) * self._unit // samples
        self._set(index, work, _tokens(turns) + _tokens_of(attempts))

    def end(self, index: int, trajectory: Trajectory) -> None:
        """Count an episode that ended as a whole one."""
        self._set(index, self._whole, _tokens(trajectory.turns))
        del self._playing[index]

    def store(self, stored: Sequence[Trajectory]) -> None:
        """Leave out episodes that were stored, which ended before."""
        self._work -= len(stored) * self._whole
        self.tokens -= sum(_tokens(trajectory.turns) for trajectory in stored)

    @property
    def _whole(self) -> int:
        return len(self._samples) * self._unit

    def _set(self, index: int, work: int, tokens: int) -> None:
        old_work, old_tokens = self._playing.get(index, (0, 0))
        self._playing[index] = (work, tokens)
        self._work += work - old_work
        self.tokens += tokens - old_tokens


def _tokens(turns: Sequence[Turn]) -> int:
    return sum(_tokens_of(turn.attempts) for turn in turns)


def _tokens_of(attempts: Sequence[Attempt]) -> int:
    return sum(attempt.usage.completion_tokens for attempt in attempts)

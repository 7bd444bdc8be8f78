"""Counts what went wrong in episodes: failures by reason, and replies that were cut, withheld or not read."""

import re
import sys
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from rise_env.errors import ConfigError
from rise_env.types import Attempt, Trajectory

WITHHELD = frozenset({"content_filter", "refusal"})
"""Finishes of replies that the server's filter withheld, or that the provider refused."""
SAMPLES = 3
"""A turn with at least this many replies, which are all the same text, counts as one of identical draws."""

_SHOWN_REASONS = 3
_LONGEST_REASON = 160


@dataclass(frozen=True, slots=True, kw_only=True)
class FailureLimits:
    """From which share on failures are warned about, and make a command end with exit code 1.

    Raises:
        ConfigError: A share is not from 0 to 1.
    """

    warn_above: float = 0.05
    """Warn if a larger share of the episodes failed, or of the replies was cut, refused or not read."""
    max_failed: float = 0.5
    """End with exit code 1 if a larger share of the episodes failed."""
    max_cut: float = 0.5
    """End with exit code 1 if a larger share of the replies was cut at the limit of tokens or refused."""

    def __post_init__(self) -> None:
        for entry in fields(self):
            if not 0 <= (value := getattr(self, entry.name)) <= 1:
                raise ConfigError(f"failures.{entry.name} must be a share from 0 to 1, got {value}")


@dataclass(slots=True)
class Outcomes:
    """What went wrong in some episodes. `add` counts further ones."""

    episodes: int = 0
    failed: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    """Why episodes failed -> number of episodes. Numbers in the text are those of the first such episode."""
    replies: int = 0
    correct: int = 0
    cut: int = 0
    """Replies that reached the limit of tokens."""
    withheld: int = 0
    """Replies that were refused or filtered."""
    no_answer: int = 0
    """Other replies than these that state no answer."""
    unreadable: int = 0
    timeouts: int = 0
    """Replies whose check ran out of time."""
    sampled_turns: int = 0
    """Turns with at least `SAMPLES` replies."""
    identical: int = 0
    """Sampled turns whose replies are all the same."""
    tokens: int = 0
    _examples: dict[str, str] = field(default_factory=dict, repr=False, compare=False)

    def add(self, trajectories: Iterable[Trajectory]) -> None:
        """Count episodes."""
        for trajectory in trajectories:
            self.episodes += 1
            if trajectory.error is not None:
                self.failed += 1
                self.reasons[self._reason(trajectory.error)] += 1
            for turn in trajectory.turns:
                for attempt in turn.attempts:
                    self._add_reply(attempt)
                if len(turn.attempts) >= SAMPLES:
                    self.sampled_turns += 1
                    self.identical += len({attempt.reply for attempt in turn.attempts}) == 1

    def to_json(self) -> dict[str, Any]:
        """Return the counts as a JSON value."""
        counts = {entry.name: getattr(self, entry.name) for entry in fields(self) if entry.compare}
        return counts | {"reasons": dict(self.reasons)}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "Outcomes":
        """Return the counts that `to_json` returned."""
        return cls(**{**value, "reasons": Counter(value["reasons"])})

    def share(self, count: int, of: int) -> float:
        """Return count / of; 0 where there is nothing."""
        return count / of if of else 0.0

    @property
    def failed_share(self) -> float:
        """The fraction of episodes that failed."""
        return self.share(self.failed, self.episodes)

    @property
    def lost_share(self) -> float:
        """The fraction of replies that were cut, or that were withheld, whichever is larger."""
        return self.share(max(self.cut, self.withheld), self.replies)

    def _add_reply(self, attempt: Attempt) -> None:
        verdict = attempt.check.verdict.value
        self.replies += 1
        self.tokens += attempt.usage.completion_tokens
        self.correct += attempt.check.correct
        self.cut += attempt.finish == "length"
        withheld = attempt.finish in WITHHELD or verdict == "withheld"
        self.withheld += withheld
        self.no_answer += verdict == "no_answer" and not withheld
        self.unreadable += verdict == "unreadable"
        self.timeouts += verdict == "timeout"

    def _reason(self, error: str) -> str:
        """Return the first text that differs from this one in numbers only, without the turn."""
        text = " ".join(re.sub(r"^turn \d+: ", "", error).split())[:_LONGEST_REASON]
        return self._examples.setdefault(re.sub(r"\d+", "0", text), text)


def counted(trajectories: Iterable[Trajectory]) -> Outcomes:
    """Return the outcomes of some episodes."""
    outcomes = Outcomes()
    outcomes.add(trajectories)
    return outcomes


def summary(outcomes: Outcomes) -> list[str]:
    """Return lines that say what went wrong: a line per reason of failures, and one for the replies.

    Returns:
        An empty list if nothing went wrong.
    """
    lines = []
    if outcomes.failed:
        lines.append(f"{_of(outcomes.failed, outcomes.episodes)} episodes failed:")
        shown = outcomes.reasons.most_common(_SHOWN_REASONS)
        lines += [f"  {count} x {reason}" for reason, count in shown]
        if rest := outcomes.failed - sum(count for _, count in shown):
            lines.append(f"  {rest} for {len(outcomes.reasons) - len(shown)} other reasons")
    found = [f"{count} {what}" for count, _, what, _ in _replies(outcomes) if count]
    if found:
        lines.append(f"of {outcomes.replies} replies: {', '.join(found)}")
    if outcomes.identical:
        turns = _of(outcomes.identical, outcomes.sampled_turns)
        lines.append(f"{turns} turns with several samples drew the same reply each time")
    return lines


def closing_lines(outcomes: Outcomes, limits: FailureLimits) -> list[str]:
    """Return what a command says last about its episodes: warnings, then the counts."""
    return [*warnings(outcomes, limits), *summary(outcomes)]


def failure(outcomes: Outcomes, limits: FailureLimits) -> str:
    """Return why a command ends with exit code 1: most episodes failed, or most replies were lost.

    Replies that state no readable answer do not count: what a model says is no failure.

    Returns:
        An empty text if the shares are within the limits.
    """
    if outcomes.failed_share > limits.max_failed:
        [(reason, _)] = outcomes.reasons.most_common(1)
        share, most = _percent(outcomes.failed_share), f"failures.max_failed is {limits.max_failed:g}"
        return f"{share} of the episodes failed ({most}): {reason}"
    if outcomes.lost_share > limits.max_cut:
        what = "cut" if outcomes.cut >= outcomes.withheld else "refused"
        share, most = _percent(outcomes.lost_share), f"failures.max_cut is {limits.max_cut:g}"
        return f"{share} of the replies were {what} ({most})"
    return ""


def warnings(outcomes: Outcomes, limits: FailureLimits) -> list[str]:
    """Return a warning for each kind of failure whose share is above `limits.warn_above`.

    For identical draws, the limit is at least one half: a model that is sure often repeats its reply.
    """
    above = limits.warn_above
    lines = []
    if outcomes.failed_share > above:
        [(reason, _)] = outcomes.reasons.most_common(1)
        lines.append(f"{_percent(outcomes.failed_share)} of the episodes failed, most often: {reason}")
    for count, of, what, hint in _replies(outcomes):
        if outcomes.share(count, of) > above:
            lines.append(f"{_percent(outcomes.share(count, of))} of the replies are {what}: {hint}")
    identical = outcomes.share(outcomes.identical, outcomes.sampled_turns)
    if identical > max(above, 0.5):
        lines.append(
            f"{_percent(identical)} of the turns with several samples drew the same reply each time: votes "
            "and pass@k over them mean nothing; see whether the agent uses the temperature and the seed"
        )
    return [f"warning: {line}" for line in lines]


def _replies(outcomes: Outcomes) -> list[tuple[int, int, str, str]]:
    """Return (number, of how many, what they are, what to do) of each kind of reply that went wrong."""
    of = outcomes.replies
    return [
        (outcomes.cut, of, "cut", "raise sampling.max_new_tokens, or the context of the model"),
        (outcomes.withheld, of, "refused or filtered", "the provider withheld them; see rise store show"),
        (outcomes.no_answer, of, "without an answer", "see whether the prompt asks for the answer's form"),
        (outcomes.unreadable, of, "unreadable", "see them with rise store show, or choose another checker"),
        (outcomes.timeouts, of, "too slow to check", "choose another checker"),
    ]


def _of(count: int, total: int) -> str:
    return f"{count} of {total} ({_percent(count / total)})"


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"


def end_with(failure: str, *, prog: str) -> int:
    """Print a failure to stderr as the last line of a command, and return the exit code; see `failure`."""
    if failure:
        print(f"{prog}: {failure}", file=sys.stderr)
    return int(bool(failure))

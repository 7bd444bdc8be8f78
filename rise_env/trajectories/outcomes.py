"""Counts what went wrong in episodes: failures by reason, and replies that were cut, withheld or not read."""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from rise_env.types import Attempt, Trajectory

WITHHELD = frozenset({"content_filter", "refusal"})
"""Finishes of replies that the server's filter withheld, or that the provider refused."""
SAMPLES = 3
"""A turn with at least this many replies, which are all the same text, counts as one of identical draws."""

_SHOWN_REASONS = 3
_LONGEST_REASON = 160


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
    _examples: dict[str, str] = field(default_factory=dict, repr=False)

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


def warnings(outcomes: Outcomes, above: float) -> list[str]:
    """Return a warning for each kind of failure whose share is above a limit.

    For identical draws, the limit is at least one half: a model that is sure often repeats its reply.

    Args:
        outcomes: The counts.
        above: The limit, as a fraction.
    """
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

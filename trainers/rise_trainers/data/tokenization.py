"""Converts training targets to token sequences. `encoding` decides which tokens of a target are trained.

The turns of a trajectory share one sequence as long as the tokens of each turn begin with all tokens of the
turns before. Turns whose history was rewritten (the template of Qwen3 removes thoughts), shortened, or
tokenised in another way than it was sampled get a sequence each. The loss is the same in both layouts.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from rise_env.errors import ConfigError
from rise_trainers.data.encoding import ChatTokenizer, Encoded
from rise_trainers.data.targets import TrainingTarget, attempts_in, shortened


@dataclass(frozen=True, slots=True)
class Span:
    """The trained tokens of one reply: `ids[start:stop]` of its sequence."""

    target: int
    """Index into the targets that were tokenised."""
    start: int
    stop: int
    logprobs: tuple[float, ...] | None = None
    """Natural logarithm of each token's probability when it was sampled, [stop - start]; None if unknown."""
    drifted: tuple[int, ...] = ()
    """Places in the sequence of sampled tokens that the tokenizer would not have made from the text."""


@dataclass(frozen=True, slots=True)
class TokenSequence:
    """One training sequence."""

    ids: list[int]
    spans: list[Span]


@dataclass(frozen=True, slots=True)
class Tokenized:
    """All training sequences."""

    sequences: list[TokenSequence]
    shortened: int = 0
    """The number of targets that lost the oldest turns of their history to fit the maximum length."""
    dropped: list[int] = field(default_factory=list)
    """The indices of the targets that do not fit even without history."""
    counts: Mapping[str, int] = field(default_factory=dict)
    """How the replies became tokens: see `ReplyCounts`."""
    notes: tuple[str, ...] = ()
    """Sentences for the log."""


@dataclass(slots=True)
class ReplyCounts:
    """How many replies became tokens in which way. `other_text` and `other_prompt` should be 0."""

    sampled_ids: int = 0
    """Replies that are trained on the ids that were sampled."""
    from_text: int = 0
    """Replies that are tokenised from their text: their ids are unknown, or their thought is dropped."""
    drifted: int = 0
    """Replies whose sampled ids are not those that the tokenizer makes from the same characters. Sampling may
    split a word in any way."""
    other_text: int = 0
    """Replies whose sampled ids spell another text than the stored one. The ids are trained."""
    other_prompt: int = 0
    """Replies whose prompt has another number of tokens now than when it was played."""
    empty: int = 0
    """Replies of which nothing can be trained: they were cut before their first token, or inside a thought
    that is not trained."""

    def add(self, target: TrainingTarget, found: Encoded, *, cut: bool) -> None:
        """Count one reply.

        Args:
            target: What was to be encoded.
            found: What it was encoded as.
            cut: Whether the fit removes parts of its history.
        """
        self.sampled_ids += found.sampled
        self.from_text += not found.sampled
        self.other_text += found.other_text
        self.drifted += bool(found.drifted) and not found.other_text
        self.other_prompt += not cut and target.prompt_tokens not in (0, found.prompt)

    def as_dict(self) -> dict[str, int]:
        """Return the counts by name."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}

    def notes(self) -> list[str]:
        """Return sentences for the log."""
        total = self.sampled_ids + self.from_text
        found = []
        if self.sampled_ids:
            found.append(
                f"{self.sampled_ids} of {total} replies are trained on the token ids that were sampled"
            )
        if self.empty:
            found.append(
                f"{self.empty} replies are empty because they were cut before their first token; they are "
                "left out: prompts leave no room in the context of the model, or max_new_tokens is too small"
            )
        if self.drifted:
            found.append(
                f"{self.drifted} replies were sampled as other tokens than the tokenizer makes of their text"
            )
        if self.other_text:
            found.append(
                f"{self.other_text} replies have token ids that do not spell their text; the ids are "
                "trained: compare the chat templates of the agent and the fit"
            )
        if self.other_prompt:
            found.append(
                f"{self.other_prompt} prompts have another number of tokens than when they were played: "
                "compare the chat templates of the agent and the fit"
            )
        return found


def tokenize(
    chat: ChatTokenizer,
    targets: Sequence[TrainingTarget],
    *,
    max_length: int,
    layout: Literal["auto", "per_turn"] = "auto",
) -> Tokenized:
    """Tokenise targets into sequences of at most `max_length` tokens.

    Args:
        chat: The tokenizer with its chat template.
        targets: The targets from `targets.select_targets`, which returns the turns of a trajectory one after
            another.
        max_length: Maximal length of a sequence, in tokens. A longer target loses the oldest attempts of its
            history; its reply is never cut.
        layout: "auto" puts the turns of a trajectory into one sequence where their tokens allow it;
            "per_turn" makes one sequence per target.

    Raises:
        ConfigError: No target fits into `max_length`.
    """
    sequences: list[TokenSequence] = []
    dropped: list[int] = []
    counts = ReplyCounts()
    n_shortened = 0
    previous = ""
    for index, target in enumerate(targets):
        found, cut = _encode_within(chat, target, max_length)
        n_shortened += cut
        if found is None:
            dropped.append(index)
            continue
        if found.start == len(found.ids):
            counts.empty += 1
            continue
        as_played = not cut and target.prompt_tokens in (0, found.prompt)
        counts.add(target, found, cut=cut or chat.think == "drop")
        span = Span(index, found.start, len(found.ids), found.logprobs if as_played else None, found.drifted)
        last = sequences[-1] if sequences else None
        shared = layout == "auto" and target.trajectory == previous and last is not None
        if shared and last is not None and found.ids[: len(last.ids)] == last.ids:
            sequences[-1] = TokenSequence(found.ids, [*last.spans, span])
        else:
            sequences.append(TokenSequence(found.ids, [span]))
        previous = target.trajectory
    if targets and not sequences and not dropped:
        raise ConfigError("every selected reply is empty: play episodes whose prompts leave room for replies")
    if targets and not sequences:
        raise ConfigError(
            f"no reply fits into max_length {max_length} together with its problem: increase max_length"
        )
    notes = (
        *_notes(targets, sequences, n_shortened, dropped, max_length),
        *counts.notes(),
        *chat.chat.notes,
    )
    return Tokenized(sequences, n_shortened, dropped, counts.as_dict(), notes)


def _encode_within(
    chat: ChatTokenizer, target: TrainingTarget, max_length: int
) -> tuple[Encoded | None, bool]:
    """Encode with as much history as fits, or return None; also return whether history was removed."""
    attempts = attempts_in(target.history)
    for left in range(attempts, -1, -1):
        found = chat.encode(target if left == attempts else shortened(target, left))
        if len(found.ids) <= max_length:
            return found, left < attempts
    return None, False


def _notes(
    targets: Sequence[TrainingTarget],
    sequences: Sequence[TokenSequence],
    n_shortened: int,
    dropped: Sequence[int],
    max_length: int,
) -> tuple[str, ...]:
    kept = len(targets) - len(dropped)
    trajectories = len({target.trajectory for target in targets})
    notes = [f"{kept} replies of {trajectories} trajectories in {len(sequences)} sequences"]
    if len(sequences) > trajectories:
        notes.append(
            "some turns have sequences of their own, because the chat template, a context window or the way "
            "in which their replies were sampled changes their history"
        )
    if n_shortened:
        notes.append(f"{n_shortened} targets lost their oldest turns to fit {max_length} tokens")
    if dropped:
        names = ", ".join(f"{targets[i].problem} turn {targets[i].turn + 1}" for i in dropped[:5])
        notes.append(f"{len(dropped)} replies do not fit {max_length} tokens and are left out: {names}")
    return tuple(notes)

"""Converts training targets to token ids, and finds the tokens that are trained.

The tokens of a reply and its end token are trained. The generation prompt before the reply, the newline that
some templates put after its end token, and the messages of the user are not. A prompt is tokenised as an
agent tokenises it for sampling, so the trained prompts are those that the agent saw.

The turns of a trajectory share one sequence as long as the tokens of each turn begin with all tokens of the
turns before. Turns whose history was rewritten (the template of Qwen3 removes `<think>` blocks) or shortened
get a sequence each. The loss is the same in both layouts.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from rise_env.errors import ConfigError
from rise_env.types import Message
from rise_trainers.data.targets import TrainingTarget, attempts_in, shortened

_THOUGHT = re.compile(r"<think>.*?</think>\s*", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Span:
    """The trained tokens of one reply: `ids[start:stop]` of its sequence."""

    target: int
    """Index into the targets that were tokenised."""
    start: int
    stop: int


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
    notes: tuple[str, ...] = ()
    """Sentences for the log."""


class ChatTokenizer:
    """A tokenizer with its chat template, which encodes training targets.

    Args:
        tokenizer: A fast transformers tokenizer with a chat template.
        think: "keep" trains replies as they were sampled; "drop" removes `<think>...</think>` blocks from
            replies and history.
        template_options: Passed to the template, for example `{"enable_thinking": False}`.

    Raises:
        ConfigError: The tokenizer has no chat template, or is not a fast one.
    """

    def __init__(
        self,
        tokenizer: Any,
        *,
        think: Literal["keep", "drop"] = "keep",
        template_options: Mapping[str, Any] | None = None,
    ) -> None:
        if think not in ("keep", "drop"):
            raise ConfigError(f"think must be keep or drop, got {think!r}")
        if not getattr(tokenizer, "chat_template", None):
            raise ConfigError(
                f"{tokenizer.name_or_path!r} has no chat template: set one in its tokenizer files"
            )
        if not tokenizer.is_fast:
            raise ConfigError(
                f"{tokenizer.name_or_path!r} has no fast tokenizer: convert it to tokenizer.json"
            )
        self._tokenizer = tokenizer
        self._think = think
        self._options = dict(template_options or {})
        self._special = frozenset(tokenizer.all_special_ids) | _added_special(tokenizer)
        self.end = self._probe_end()
        """The text that the template writes after a reply, up to the end token; "" where there is none."""

    def encode(self, target: TrainingTarget) -> tuple[list[int], int]:
        """Return the token ids of prompt and reply, and the number of prompt tokens among them."""
        prompt, reply = self._render(target)
        boundary = len(prompt)
        encoding = self._tokenizer(prompt + reply, add_special_tokens=False, return_offsets_mapping=True)
        ids: list[int] = encoding["input_ids"]
        offsets: list[tuple[int, int]] = encoding["offset_mapping"]
        first = next((i for i, (_, stop) in enumerate(offsets) if stop > boundary), len(ids))
        prompt_ids = self._ids(prompt)
        if ids[:first] != prompt_ids:
            # one token contains the end of the prompt and the start of the reply, but the reply was sampled
            # after the tokens of the prompt alone
            ids = prompt_ids + self._ids(reply)
            first = len(prompt_ids)
        return self._until_end(ids, first, complete=target.complete), first

    def _render(self, target: TrainingTarget) -> tuple[str, str]:
        messages = [self._message(message) for message in target.prompt]
        reply = self._clean(target.reply)
        prompt = self._apply(messages, add_generation_prompt=True)
        whole = self._apply([*messages, {"role": "assistant", "content": reply}])
        rest = whole[len(prompt) :] if whole.startswith(prompt) else None
        if rest is None or not _is_reply(rest, reply, self.end):
            # the template changes the reply (that of Qwen3 puts an empty thought before it)
            return prompt, reply + (self.end if target.complete else "")
        return prompt, rest if target.complete else rest[: rest.index(reply.strip()) + len(reply.strip())]

    def _until_end(self, ids: list[int], first: int, *, complete: bool) -> list[int]:
        """Remove tokens that the template writes after the end token, such as a newline."""
        if not complete or not self.end:
            return ids
        last = len(ids) - 1
        while last > first and ids[last] not in self._special:
            last -= 1
        return ids[: last + 1] if ids[last] in self._special else ids

    def _probe_end(self) -> str:
        """Return what the template writes after a reply, found by formatting a known reply."""
        question: Message = {"role": "user", "content": "question"}
        marker = "a-reply-to-find"
        text = self._apply([question, {"role": "assistant", "content": marker}])
        if marker not in text:
            raise ConfigError(
                f"the chat template of {self._tokenizer.name_or_path!r} omits what assistants say: "
                "set another one in its tokenizer files"
            )
        tail = text[text.rindex(marker) + len(marker) :]
        ids = self._ids(tail)
        last = max((i for i, token in enumerate(ids) if token in self._special), default=None)
        if last is None:
            return ""
        token = self._tokenizer.convert_ids_to_tokens(ids[last])
        return tail[: tail.rindex(token) + len(token)] if token in tail else tail

    def _message(self, message: Message) -> Message:
        if message["role"] != "assistant":
            return message
        return {"role": "assistant", "content": self._clean(message["content"])}

    def _clean(self, reply: str) -> str:
        return _THOUGHT.sub("", reply) if self._think == "drop" else reply

    def _apply(self, messages: Sequence[Message], add_generation_prompt: bool = False) -> str:
        text = self._tokenizer.apply_chat_template(
            list(messages), tokenize=False, add_generation_prompt=add_generation_prompt, **self._options
        )
        return str(text)

    def _ids(self, text: str) -> list[int]:
        ids: list[int] = self._tokenizer(text, add_special_tokens=False)["input_ids"]
        return ids


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
    n_shortened = 0
    previous = ""
    for index, target in enumerate(targets):
        fitted, cut = _encode_within(chat, target, max_length)
        n_shortened += cut
        if fitted is None:
            dropped.append(index)
            continue
        ids, first = fitted
        span = Span(index, first, len(ids))
        last = sequences[-1] if sequences else None
        shared = layout == "auto" and target.trajectory == previous and last is not None
        if shared and last is not None and ids[: len(last.ids)] == last.ids:
            sequences[-1] = TokenSequence(ids, [*last.spans, span])
        else:
            sequences.append(TokenSequence(ids, [span]))
        previous = target.trajectory
    if targets and not sequences:
        raise ConfigError(
            f"no reply fits into max_length {max_length} together with its problem: increase max_length"
        )
    notes = _notes(targets, sequences, n_shortened, dropped, max_length, chat)
    return Tokenized(sequences, n_shortened, dropped, notes)


def _encode_within(
    chat: ChatTokenizer, target: TrainingTarget, max_length: int
) -> tuple[tuple[list[int], int] | None, bool]:
    """Encode with as much history as fits, or return None; also return whether history was removed."""
    attempts = attempts_in(target.history)
    for left in range(attempts, -1, -1):
        ids, first = chat.encode(target if left == attempts else shortened(target, left))
        if len(ids) <= max_length and first < len(ids):
            return (ids, first), left < attempts
    return None, False


def _is_reply(rest: str, reply: str, end: str) -> bool:
    """Return whether the template wrote exactly the reply and its end after the prompt."""
    text = rest.strip()
    if end.strip() and text.endswith(end.strip()):
        text = text[: len(text) - len(end.strip())]
    return text.strip() == reply.strip()


def _added_special(tokenizer: Any) -> frozenset[int]:
    return frozenset(i for i, token in tokenizer.added_tokens_decoder.items() if token.special)


def _notes(
    targets: Sequence[TrainingTarget],
    sequences: Sequence[TokenSequence],
    n_shortened: int,
    dropped: Sequence[int],
    max_length: int,
    chat: ChatTokenizer,
) -> tuple[str, ...]:
    kept = len(targets) - len(dropped)
    trajectories = len({target.trajectory for target in targets})
    notes = [f"{kept} replies of {trajectories} trajectories in {len(sequences)} sequences"]
    if len(sequences) > trajectories:
        notes.append(
            "some turns have sequences of their own, because the chat template or a context window changes "
            "their history"
        )
    if n_shortened:
        notes.append(f"{n_shortened} targets lost their oldest turns to fit {max_length} tokens")
    if dropped:
        names = ", ".join(f"{targets[i].problem} turn {targets[i].turn + 1}" for i in dropped[:5])
        notes.append(f"{len(dropped)} replies do not fit {max_length} tokens and are left out: {names}")
    if not chat.end:
        notes.append(
            "the chat template does not end replies with a special token, so the model does not learn to stop"
        )
    return tuple(notes)

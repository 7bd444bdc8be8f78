"""Encodes one training target: which tokens its prompt and its reply are, and which of them are trained.

A prompt is tokenised as an agent tokenises it for sampling. A reply whose sampled token ids are stored is
trained on these ids. Other replies, such as those of a server, are tokenised from their text and end with
the token at which sampling stops. The generation prompt before the reply, what some templates write after its
stop token, and the messages of the user are not trained.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Literal, get_args

from rise_agents.chat.chat import Chat
from rise_agents.chat.reasoning import split_reasoning
from rise_env.errors import ConfigError
from rise_env.types import Message
from rise_trainers.data.targets import TrainingTarget

Think = Literal["keep", "mask", "drop"]
"""What happens to thoughts: see `ChatTokenizer`."""

_SPACES = str.maketrans("", "", " \n\t\r\u2581\u0120\u010a\u0109\u010d")
"""Removes spaces, and the characters that tokenizers write for spaces, line breaks and tabs."""


@dataclass(frozen=True, slots=True)
class Encoded:
    """One target as tokens."""

    ids: list[int]
    """Prompt and reply."""
    prompt: int
    """Number of tokens of the prompt."""
    start: int
    """Index of the first trained token."""
    logprobs: tuple[float, ...] | None = None
    """Of the trained tokens, `ids[start:]`."""
    drifted: tuple[int, ...] = ()
    """Indices of the sampled tokens that the tokenizer would not have made from the text."""
    other_text: bool = False
    """Whether the sampled ids spell another text than the stored one."""
    sampled: bool = False
    """Whether the ids of the reply are those that were sampled."""


class ChatTokenizer:
    """Encodes training targets as the chat of a model.

    Args:
        chat: How the model reads conversations and writes replies.
        think: "keep" trains thoughts as they were sampled; "mask" keeps them before the reply and does not
            train them; "drop" removes them from replies and history.

    Raises:
        ConfigError: `think` is unknown.
    """

    def __init__(self, chat: Chat, *, think: Think = "keep") -> None:
        if think not in get_args(Think):
            raise ConfigError(f"think must be {', '.join(get_args(Think))}, got {think!r}")
        self.chat = chat
        self.think = think
        """What happens to thoughts."""

    def encode(self, target: TrainingTarget) -> Encoded:
        """Return the token ids of prompt and reply."""
        messages = [self._message(message) for message in target.prompt]
        prompt = self.chat.prompt(messages)
        prompt_ids = self.chat.token_ids(prompt)
        thought, reply = self._reply(target, messages, prompt)
        ids, start = self._encode_text(prompt, prompt_ids, thought, reply)
        if self.think != "mask":
            start = len(prompt_ids)
        if target.token_ids is None or (self.think == "drop" and self._thinks(target)):
            return Encoded(ids, len(prompt_ids), start)
        return self._sampled(target, prompt_ids, ids)

    def _thinks(self, target: TrainingTarget) -> bool:
        """Return whether a reply has a thought, be it an empty one."""
        sampled = self.chat.tokenizer.decode(target.token_ids or (), skip_special_tokens=False)
        return bool(thought_of(target)) or self.chat.marks.close in sampled

    def _sampled(self, target: TrainingTarget, prompt_ids: list[int], from_text: list[int]) -> Encoded:
        """Return the target with the sampled ids, compared with those that its text gives."""
        sampled = list(target.token_ids or ())
        first = len(prompt_ids)
        thought = self.chat.thought_length(sampled, prompt_ids) if self.think == "mask" else 0
        logprobs = target.logprobs
        logprobs = logprobs[thought:] if logprobs is not None and len(logprobs) == len(sampled) else None
        ids = prompt_ids + sampled
        if ids == from_text:
            return Encoded(ids, first, first + thought, logprobs, sampled=True)
        return Encoded(
            ids,
            first,
            first + thought,
            logprobs,
            drifted=tuple(first + place for place in self._changed(from_text[first:], sampled)),
            other_text=self.chat.read(sampled, prompt_ids) != (target.reasoning, target.reply),
            sampled=True,
        )

    def _encode_text(
        self, prompt: str, prompt_ids: list[int], thought: str, reply: str
    ) -> tuple[list[int], int]:
        """Return the ids of prompt, thought and reply, and the index of the first token of the reply."""
        chat = self.chat
        if chat.spells_special_token(reply.removeprefix(chat.head).removesuffix(chat.end.text)):
            before = prompt_ids + chat.continuation_ids(thought)
            return before + self._literal(reply), len(before)
        encoding = chat.tokenizer(
            prompt + thought + reply, add_special_tokens=False, return_offsets_mapping=True
        )
        ids: list[int] = encoding["input_ids"]
        offsets: list[tuple[int, int]] = encoding["offset_mapping"]
        if ids[: len(prompt_ids)] != prompt_ids or (
            len(ids) > len(prompt_ids) and offsets[len(prompt_ids)][1] <= len(prompt)
        ):
            # one token contains the end of the prompt and the start of the reply, but the reply was sampled
            # after the tokens of the prompt alone
            before = prompt_ids + chat.continuation_ids(thought)
            return before + chat.continuation_ids(reply), len(before)
        boundary = len(prompt) + len(thought)
        return ids, next((i for i, (_, stop) in enumerate(offsets) if stop > boundary), len(ids))

    def _literal(self, reply: str) -> list[int]:
        """Return the ids of a reply in which the text spells a special token: it stays characters."""
        chat = self.chat
        end = chat.end.text if reply.endswith(chat.end.text) else ""
        head = chat.head if reply.startswith(chat.head) else ""
        text = reply[len(head) : len(reply) - len(end)]
        return [
            *chat.continuation_ids(head),
            *chat.continuation_ids(text, literal=True),
            *chat.continuation_ids(end),
        ]

    def _reply(self, target: TrainingTarget, messages: list[Message], prompt: str) -> tuple[str, str]:
        """Return thought and reply as the model writes them after the prompt, with the end where it ended."""
        chat = self.chat
        opened = chat.opens_thought(prompt)
        reasoning, text = target.reasoning, target.reply
        if self.think != "keep" and not reasoning:
            reasoning, text = split_reasoning(text, opened and chat.marks.close in text)
        if self.think == "drop":
            reasoning = ""
        end = chat.end.text if target.complete else ""
        if not text and not target.complete:  # cut inside the thought, or before the first token
            return (chat.opening(reasoning, opened=opened) if reasoning else ""), ""
        if reasoning or (opened and chat.marks.close not in text):
            return chat.joined(reasoning, opened=opened), text + end
        return "", self._as_written(messages, prompt, text, complete=target.complete)

    def _as_written(self, messages: list[Message], prompt: str, text: str, *, complete: bool) -> str:
        """Return a reply without thought as the template writes it, up to its stop token."""
        chat = self.chat
        whole = chat.written([*messages, {"role": "assistant", "content": text}])
        written = whole[len(prompt) :] if whole.startswith(prompt) else ""
        body = written.removesuffix(chat.tail) if written.endswith(chat.tail) else ""
        if body.strip() not in (text.strip(), (chat.head + text).strip()):
            # the template changes the reply (that of Qwen3 puts an empty thought before it)
            return chat.head + text + (chat.end.text if complete else "")
        if complete:
            return body + chat.end.text
        return body[: body.rindex(text.strip()) + len(text.strip())]

    def _changed(self, expected: Sequence[int], sampled: Sequence[int]) -> list[int]:
        """Return the places of the sampled ids that the expected ones do not hold at the same characters."""
        length = {token: self._length(token) for token in {*expected, *sampled}}
        from_start = set(_positions(expected, length))
        from_end = set(_positions(expected[::-1], length))
        forward = _positions(sampled, length)
        backward = reversed(_positions(sampled[::-1], length))
        return [
            place
            for place, (start, end) in enumerate(zip(forward, backward, strict=True))
            if start not in from_start and end not in from_end
        ]

    def _length(self, token: int) -> int:
        """Return the number of characters of a token, without spaces and line breaks."""
        return len(self.chat.tokenizer.convert_ids_to_tokens(token).translate(_SPACES))

    def _message(self, message: Message) -> Message:
        if self.think != "drop" or message["role"] != "assistant":
            return message
        return {"role": "assistant", "content": split_reasoning(message["content"])[1]}


def thought_of(target: TrainingTarget) -> str:
    """Return the thought before a reply. Stores of version 0.1 have it in the text of the reply."""
    return target.reasoning or split_reasoning(target.reply)[0]


def _positions(ids: Sequence[int], length: Mapping[int, int]) -> list[tuple[int, int]]:
    """Return each token with the number of characters before it."""
    before = accumulate((length[token] for token in ids), initial=0)
    return list(zip(before, ids, strict=False))

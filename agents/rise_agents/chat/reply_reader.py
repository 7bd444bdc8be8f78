"""Reads reasoning and text of a reply from its sampled tokens."""

import re
from collections.abc import Collection, Sequence
from typing import Any

from rise_agents.chat.reasoning import Marks, opens_thought, split_reasoning

_TAIL = 32
"""The number of tokens at the end of a prompt that are read to see whether it opens a thought."""


class ReplyReader:
    """Reads sampled tokens.

    Args:
        tokenizer: A transformers tokenizer.
        special: Ids of the special tokens, which are left out of what is read.
        stop_tokens: Ids of the tokens that end a reply.
        marks: The marks that can stand around a thought. The first ones are those of prompts.
        around: What the chat template writes between prompt and reply, and after the reply up to its stop
            token. It does not belong to the text of a reply.
    """

    def __init__(
        self,
        tokenizer: Any,
        *,
        special: Collection[int],
        stop_tokens: Collection[int],
        marks: Sequence[Marks],
        around: tuple[str, str],
    ) -> None:
        self._tokenizer = tokenizer
        self._stop_tokens = frozenset(stop_tokens)
        self._marks = tuple(marks)
        self._before, self._after = around
        self._special_text = special_names(tokenizer, special)

    def read(
        self, tokens: Sequence[int], prompt: Sequence[int], *, continued: bool = False
    ) -> tuple[str, str]:
        """Return the reasoning and the text of a reply.

        A special token that the model spelled with the tokens of its characters stays in the text.

        Args:
            tokens: The sampled tokens, with or without their stop token.
            prompt: The tokens of its prompt.
            continued: See `Chat.read`.
        """
        if continued:
            return "", self._continuation(tokens, prompt)
        raw, reasoning, start, stop = self._split(tokens, prompt)
        first, last = self._tokens_of(tokens, start), self._tokens_of(tokens, stop)
        if self._decode(tokens[first:last]) != raw[start:stop]:
            # one token contains the end of the thought and the start of the text
            return reasoning, self._special_text.sub("", raw[start:stop])
        return reasoning, self._decode(tokens[first:last], skip_special_tokens=True)

    def thought_length(self, tokens: Sequence[int], prompt: Sequence[int]) -> int:
        """Return how many of the tokens stand before the text of the reply; 0 if there is no thought.

        Args:
            tokens: See `read`.
            prompt: See `read`.
        """
        _, reasoning, start, _ = self._split(tokens, prompt)
        return self._tokens_of(tokens, start) if reasoning else 0

    def _continuation(self, tokens: Sequence[int], prompt: Sequence[int]) -> str:
        """Return the text of sampled tokens that continue the text at the end of the prompt.

        Tokens with a mark for a blank before them are decoded without it at the beginning of a text, so they
        are decoded together with the tokens before them.
        """
        raw = self._decode(tokens)
        stopped = bool(tokens) and tokens[-1] in self._stop_tokens
        stop = len(raw) - len(self._after) if stopped and raw.endswith(self._after) else len(raw)
        kept = tokens[: self._tokens_of(tokens, stop)]
        before = prompt[-_TAIL:]
        whole = self._decode([*before, *kept], skip_special_tokens=True)
        return whole[len(self._decode(before, skip_special_tokens=True)) :]

    def tokens_before(self, tokens: Sequence[int], text: str, characters: int) -> int:
        """Return how many tokens hold the first characters of a text; see `Chat.tokens_before`."""
        if not characters:
            return 0
        start = max(0, self._decode(tokens).rfind(text))
        return self._tokens_of(tokens, start + characters)

    def _split(self, tokens: Sequence[int], prompt: Sequence[int]) -> tuple[str, str, int, int]:
        """Return the whole text, the reasoning, and where in the whole text the reply starts and stops."""
        stopped = bool(tokens) and tokens[-1] in self._stop_tokens
        raw = self._decode(tokens)
        whole = self._decode(tokens[:-1]) if stopped else raw
        opened = opens_thought(self._decode(prompt[-_TAIL:]), self._marks[0])
        reasoning, text = split_reasoning(whole, opened, known=self._marks)
        start, stop = len(whole) - len(text), len(whole)
        if text.startswith(self._before):
            start += len(self._before)
        if stopped and raw.endswith(self._after):
            stop = max(start, len(raw) - len(self._after))
        return raw, self._special_text.sub("", reasoning), start, stop

    def _tokens_of(self, tokens: Sequence[int], characters: int) -> int:
        """Return how many tokens hold the first `characters` characters."""
        low, high = 0, len(tokens)
        while low < high and characters:
            middle = (low + high) // 2
            enough = len(self._decode(tokens[:middle])) >= characters
            low, high = (low, middle) if enough else (middle + 1, high)
        return low

    def _decode(self, tokens: Sequence[int], *, skip_special_tokens: bool = False) -> str:
        text: str = self._tokenizer.decode(
            tokens, skip_special_tokens=skip_special_tokens, clean_up_tokenization_spaces=False
        )
        return text


def special_names(tokenizer: Any, special: Collection[int]) -> re.Pattern[str]:
    """Return a pattern that matches the names of the special tokens."""
    names = sorted(map(tokenizer.convert_ids_to_tokens, special), key=len, reverse=True)
    return re.compile("|".join(map(re.escape, names)) or r"(?!)")

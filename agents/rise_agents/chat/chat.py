"""Converts conversations to token ids, and sampled tokens to replies, for agents and trainer alike.

So a model is trained on the tokens that it saw and sampled. `ModelFormat` is the record of everything that
the conversion depends on.
"""

import datetime
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rise_agents.chat.beginnings import split_beginning
from rise_agents.chat.chat_settings import ChatSettings, Thinking
from rise_agents.chat.reasoning import MARKS, Marks, opens_thought
from rise_agents.chat.reply_reader import ReplyReader, special_names
from rise_agents.chat.template_probe import NEXT, QUESTION, REPLY, THOUGHT, after_prompt, after_reply, reply
from rise_env.errors import ConfigError
from rise_env.types import Conversation, Message, ModelFormat


@dataclass(frozen=True, slots=True)
class ReplyEnd:
    """How a reply ends."""

    text: str
    """What follows the text of the reply, up to and with the stop token; "" if nothing does."""
    stop: int | None
    """The stop token that ends it; None if the model has none."""
    written: bool = True
    """Whether the chat template writes it after replies."""


class Chat:
    """A tokenizer, its chat template, and the tokens that end a reply.

    Args:
        tokenizer: A fast transformers tokenizer with a chat template.
        generation_config: The generation config of the model. The tokens in its `eos_token_id` end a reply,
            and so does the `eos_token_id` of the tokenizer.
        settings: See `ChatSettings`. The tokenizer has its `chat_template` already; see `load_chat`.

    Raises:
        ConfigError: There is no chat template, the tokenizer is not a fast one, the template cannot write a
            plain conversation, or it removes earlier thoughts although `thinking` is "show".
    """

    def __init__(
        self, tokenizer: Any, generation_config: Any = None, settings: ChatSettings | None = None
    ) -> None:
        if not getattr(tokenizer, "chat_template", None):
            raise ConfigError(
                f"{tokenizer.name_or_path!r} has no chat template: give one with chat_template=FILE.jinja"
            )
        if not tokenizer.is_fast:
            raise ConfigError(
                f"{tokenizer.name_or_path!r} has no fast tokenizer: convert it to tokenizer.json"
            )
        self.tokenizer = tokenizer
        self.settings = settings or ChatSettings()
        self._template = _template_text(tokenizer)
        self._options = dict(self.settings.template_options)
        self._writes_date = "date_string" in self._template or "strftime_now" in self._template
        self._special = frozenset(tokenizer.all_special_ids) | frozenset(
            i for i, token in tokenizer.added_tokens_decoder.items() if token.special
        )
        knows = tuple(m for m in MARKS if m.open in self._template or m.close in self._template)
        self._knows_thoughts = bool(knows)
        self.marks: Marks = (knows or MARKS)[0]
        """The marks around thoughts that the template knows; those of most models where it knows none."""
        prompt = self.prompt((QUESTION,))
        known = _stop_tokens(tokenizer, generation_config)
        self.tail = after_reply(self.written((QUESTION, reply())))
        """What the template writes after a reply that ends the conversation."""
        self.end, added = self._probe_end(known)
        self.stop_tokens = (*known, *added)
        """Ids of the tokens that end a reply."""
        self._special_text = special_names(tokenizer, self._special)
        head = self._head = self._probe_head(prompt)
        self.head = head if head.strip() else ""
        """What the model writes before a reply without a thought, for example the name of a channel."""
        self._around_thought = self._probe_thought(prompt)
        self._reader = ReplyReader(
            tokenizer,
            special=self._special,
            stop_tokens=self.stop_tokens,
            marks=knows[:1] or MARKS,
            around=(head, self.end.text),
        )
        self._shows_thoughts = THOUGHT in self._render(
            (QUESTION, reply(THOUGHT), NEXT), add_generation_prompt=True, thinking="template"
        )
        self.notes = self._notes(added)
        """Sentences for a log."""

    def prompt(self, conversation: Sequence[Message]) -> str:
        """Return the text of a prompt: all messages, and what starts the next reply.

        Raises:
            ConfigError: The template refuses the conversation, or it ends with a reply.
        """
        if conversation and conversation[-1]["role"] == "assistant":
            raise ConfigError(
                "a prompt cannot end with a message of the assistant: end it with one of the user"
            )
        return self._render(conversation, add_generation_prompt=True)

    def encode(self, conversations: Sequence[Conversation]) -> list[list[int]]:
        """Return the token ids of the prompt of each conversation.

        If a conversation ends with a message of the assistant, its prompt ends with the tokens of this
        message, so that what is sampled continues it. The chat template does not write that message, because
        templates remove blanks at its end or end it with a stop token.
        """
        split = [split_beginning(conversation) for conversation in conversations]
        texts = [self.prompt(before) for before, _ in split]
        if not texts:
            return []
        ids: list[list[int]] = self.tokenizer(texts, add_special_tokens=False)["input_ids"]
        for place, (_, beginning) in enumerate(split):
            if beginning is not None:
                thought = beginning.get("reasoning_content", "")
                lead, text = self.beginning_ids(texts[place], beginning["content"], thought)
                ids[place] += lead + text
        return ids

    def beginning_ids(self, prompt: str, text: str, thought: str = "") -> tuple[list[int], list[int]]:
        """Return the token ids of a text as the beginning of a reply.

        Args:
            prompt: The text of the prompt.
            text: The beginning of the reply; names of special tokens in it stay characters.
            thought: What the model thought before.

        Returns:
            The tokens that the model writes before the text of a reply, such as those of a thought, and the
            tokens of the text.
        """
        opened = self.opens_thought(prompt)
        lead = self.joined(thought, opened=opened) if thought or opened else self._head
        if not lead.strip():  # a blank before the text is part of the text's first token
            return [], self.continuation_ids(lead + text, literal=True)
        return self.continuation_ids(lead), self.continuation_ids(text, literal=True)

    def written(self, conversation: Sequence[Message]) -> str:
        """Return the text of a conversation that ends with a reply, as the template writes it.

        Raises:
            ConfigError: The template refuses the conversation.
        """
        return self._render(conversation, add_generation_prompt=False)

    def token_ids(self, text: str) -> list[int]:
        """Return the token ids of a text without adding special tokens."""
        ids: list[int] = self.tokenizer(text, add_special_tokens=False)["input_ids"]
        return ids

    def opens_thought(self, prompt: str) -> bool:
        """Return whether a prompt ends inside a thought, so that the reply begins in it."""
        return opens_thought(prompt, self.marks)

    def continuation_ids(self, text: str, *, literal: bool = False) -> list[int]:
        """Return the token ids of a text that follows other text.

        Tokenizers with pieces like SentencePiece's put a space before a text that stands alone.

        Args:
            text: The text.
            literal: Whether the names of special tokens in it stay characters.
        """

        def ids(text: str) -> list[int]:
            encoding = self.tokenizer(text, add_special_tokens=False, split_special_tokens=literal)
            found: list[int] = encoding["input_ids"]
            return found

        before, whole = ids("\n"), ids("\n" + text)
        return whole[len(before) :] if whole[: len(before)] == before else ids(text)

    def spells_special_token(self, text: str) -> bool:
        """Return whether a text contains the name of a special token."""
        return self._special_text.search(text) is not None

    def read(
        self, tokens: Sequence[int], prompt: Sequence[int], *, continued: bool = False
    ) -> tuple[str, str]:
        """Return the reasoning and the text of a reply.

        Args:
            tokens: The sampled tokens, with or without their stop token.
            prompt: The tokens of its prompt.
            continued: Whether the prompt ends with the beginning of the reply, so that all of it is text.
        """
        return self._reader.read(tokens, prompt, continued=continued)

    def tokens_before(self, tokens: Sequence[int], text: str, characters: int) -> int:
        """Return how many of the sampled tokens hold the reply up to a place in its text.

        Args:
            tokens: See `read`.
            text: The text of the reply.
            characters: The number of characters before the place. Tokens of a thought and a token that holds
                characters on both sides of the place are counted.
        """
        return self._reader.tokens_before(tokens, text, characters)

    def thought_length(self, tokens: Sequence[int], prompt: Sequence[int]) -> int:
        """Return how many of the sampled tokens stand before the text of the reply, if it has a thought.

        Args:
            tokens: See `read`.
            prompt: See `read`.
        """
        return self._reader.thought_length(tokens, prompt)

    def joined(self, reasoning: str, *, opened: bool) -> str:
        """Return a thought as the model writes it before a reply.

        Args:
            reasoning: The thought.
            opened: Whether the prompt has opened it; see `opens_thought`.
        """
        before, after = self._around_thought
        return ("" if opened else before) + reasoning + after

    def opening(self, reasoning: str, *, opened: bool) -> str:
        """Return a reply that was cut inside its thought; see `joined`."""
        return ("" if opened else self._around_thought[0]) + reasoning

    def format(self, model: str, *, revision: str | None = None, adapter: str | None = None) -> ModelFormat:
        """Return the record of what decides token ids.

        Args:
            model: Name of the model.
            revision: See `ModelFormat`.
            adapter: See `ModelFormat`.
        """
        own = self.settings.chat_template is None
        return ModelFormat(
            model=model,
            revision=revision,
            adapter=adapter,
            tokenizer=tokenizer_hash(self.tokenizer),
            chat_template=_hash(self._template),
            template_text=None if own else self._template,
            template_options=self._options,
            stop_tokens=self.stop_tokens,
            thinking=self.settings.thinking,
            date=self.settings.date if self._writes_date else None,
        )

    def _render(
        self,
        conversation: Sequence[Message],
        *,
        add_generation_prompt: bool,
        thinking: Thinking | None = None,
    ) -> str:
        from jinja2.exceptions import TemplateError

        options = dict(self._options)
        if self._writes_date:
            day = datetime.date.fromisoformat(self.settings.date)
            options.setdefault("date_string", day.strftime("%d %b %Y"))
            options.setdefault("strftime_now", day.strftime)
        try:
            text = self.tokenizer.apply_chat_template(
                [self._message(message, thinking or self.settings.thinking) for message in conversation],
                tokenize=False,
                add_generation_prompt=add_generation_prompt,
                **options,
            )
        except (TemplateError, TypeError, ValueError) as error:
            reason = " ".join(str(error).split()) or type(error).__name__
            raise ConfigError(
                f"the chat template of {self.tokenizer.name_or_path!r} cannot write this conversation "
                f"({reason}): choose a prompt without what it refuses, or set chat_template=FILE.jinja"
            ) from error
        return str(text)

    def _message(self, message: Message, thinking: Thinking) -> dict[str, str]:
        plain = {"role": str(message["role"]), "content": message["content"]}
        thought = message.get("reasoning_content", "")
        if not thought or thinking == "hide":
            return plain
        if thinking == "show" and not self._shows_thoughts:
            return plain | {"content": self.joined(thought, opened=False) + message["content"]}
        return plain | {"reasoning_content": thought, "thinking": thought}  # the names that templates read

    def _probe_end(self, known: Sequence[int]) -> tuple[ReplyEnd, tuple[int, ...]]:
        """Return how a reply ends, and the stop tokens that the model's settings do not name."""
        tail = self.tail
        between = after_reply(self.written((QUESTION, reply(), NEXT)))
        for text in (tail, between):
            for stop, end in self._tokens_with_ends(text):
                if stop in known:
                    return ReplyEnd(text[:end], stop), ()
        for stop, end in self._tokens_with_ends(tail):
            if stop in self._special:
                return ReplyEnd(tail[:end], stop), (stop,)
        if known:
            return ReplyEnd(str(self.tokenizer.convert_ids_to_tokens(known[0])), known[0], written=False), ()
        return ReplyEnd("", None, written=False), ()

    def _tokens_with_ends(self, text: str) -> list[tuple[int, int]]:
        """Return each token of a text, with the place in the text at which it ends."""
        encoding = self.tokenizer(text, add_special_tokens=False, return_offsets_mapping=True)
        ends = (end for _, end in encoding["offset_mapping"])
        return list(zip(encoding["input_ids"], ends, strict=True))

    def _probe_head(self, prompt: str) -> str:
        head, *_ = after_prompt(self.written((QUESTION, reply())), prompt, REPLY) or [""]
        # an empty thought that the template adds was not sampled
        return "" if self.marks.open in head or self.marks.close in head else head

    def _probe_thought(self, prompt: str) -> tuple[str, str]:
        """Return what the template writes before and after the thought of the last reply."""
        usual = self.marks.around
        written = self._render((QUESTION, reply(THOUGHT)), add_generation_prompt=False, thinking="template")
        found = after_prompt(written, prompt, THOUGHT, REPLY)
        if not found or self.marks.close not in found[1]:
            return usual[0], usual[1] + self._head_after_thought()
        before, after = found
        return (usual[0] if self.opens_thought(prompt) else before), after

    def _head_after_thought(self) -> str:
        """Return what stands between the closing mark of a thought and the reply, besides line breaks."""
        return "" if self.head == self.marks.no_thought else self.head

    def _notes(self, added: Sequence[int]) -> tuple[str, ...]:
        notes = []
        if self.end.stop is None:
            notes.append("no token ends a reply: the model does not learn to stop, and every reply is cut")
        elif not self.end.written:
            notes.append(
                f"the chat template does not end replies with a token at which sampling stops: "
                f"{self.end.text!r} is trained after them"
            )
        if added:
            token = self.tokenizer.convert_ids_to_tokens(added[0])
            notes.append(
                f"replies end with {token!r}, which the generation config of the model does not name: "
                "sampling stops at it as well"
            )
        shown = THOUGHT in self.prompt((QUESTION, reply(THOUGHT), NEXT))
        if self.settings.thinking == "show" and not shown:
            raise ConfigError(
                f"the chat template of {self.tokenizer.name_or_path!r} removes thoughts from earlier turns: "
                "thinking=show needs another chat_template"
            )
        if self._knows_thoughts:
            seen = "show" if shown else "do not show"
            notes.append(
                f"prompts {seen} what the model thought at earlier turns (thinking={self.settings.thinking})"
            )
        return tuple(notes)


def tokenizer_hash(tokenizer: Any) -> str:
    """Return a hash of a tokenizer's vocabulary: token ids mean the same where it is the same."""
    return _hash(json.dumps(sorted(tokenizer.get_vocab().items())))


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()[:16]


def _template_text(tokenizer: Any) -> str:
    found = tokenizer.chat_template
    return str(found.get("default", "")) if isinstance(found, dict) else str(found)


def _stop_tokens(tokenizer: Any, generation_config: Any) -> tuple[int, ...]:
    """Return the tokens that end a reply by the settings of the model and of the tokenizer."""
    configured = getattr(generation_config, "eos_token_id", None)
    found = [configured] if isinstance(configured, int) else list(configured or ())
    if tokenizer.eos_token_id is not None:
        found.append(tokenizer.eos_token_id)
    return tuple(dict.fromkeys(int(token) for token in found))

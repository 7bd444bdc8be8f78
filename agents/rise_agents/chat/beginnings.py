"""Conversations that end with the beginning of the next reply, which an agent continues."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rise_env.types import Conversation, Message

if TYPE_CHECKING:
    from rise_agents.chat.chat import Chat


def split_beginning(conversation: Conversation) -> tuple[Conversation, Message | None]:
    """Return a conversation without the beginning of its next reply, and this beginning.

    A message of the assistant at the end is the beginning of the next reply. One without any text is left
    out, as if it was not there.
    """
    if not conversation or conversation[-1]["role"] != "assistant":
        return conversation, None
    last = conversation[-1]
    empty = not last["content"] and not last.get("reasoning_content")
    return conversation[:-1], None if empty else last


def begun(conversation: Conversation, text: str) -> Conversation:
    """Return a conversation that asks for the continuation of a reply that begins with this text."""
    return (*conversation, {"role": "assistant", "content": text}) if text else conversation


def scoring_tokens(
    chat: "Chat", conversations: Sequence[Conversation], texts: Sequence[Sequence[str]]
) -> tuple[list[list[int]], list[list[int]]]:
    """Return the token ids of what stands before each text, and those of the text.

    Args:
        chat: How the model reads conversations.
        conversations: See `ScoringAgent.logprobs_of`.
        texts: Some texts for each conversation.

    Returns:
        Two lists with one entry per text, those of the first conversation first.
    """
    prompts, endings = [], []
    for conversation, prompt, some in zip(conversations, chat.encode(conversations), texts, strict=True):
        before, beginning = split_beginning(conversation)
        rendered = chat.prompt(before)
        for text in some:
            if beginning is None:
                lead, ids = chat.beginning_ids(rendered, text)
            else:
                lead, ids = [], chat.continuation_ids(text, literal=True)
            prompts.append(prompt + lead)
            endings.append(ids)
    return prompts, endings

"""Conversations that show what a chat template writes around thoughts and replies. Pure functions."""

from rise_env.errors import ConfigError
from rise_env.types import Message

REPLY = "a-reply-to-find"
THOUGHT = "a-thought-to-find"
_NEXT = "next-question-to-find"
QUESTION: Message = {"role": "user", "content": "first-question-to-find"}
NEXT: Message = {"role": "user", "content": _NEXT}


def reply(thought: str = "") -> Message:
    """Return the message of an assistant with the text `REPLY`."""
    if thought:
        return {"role": "assistant", "content": REPLY, "reasoning_content": thought}
    return {"role": "assistant", "content": REPLY}


def after_reply(conversation: str) -> str:
    """Return what a template writes after a reply: up to the next question, or to the end.

    Args:
        conversation: What the template wrote.

    Raises:
        ConfigError: The template does not write the reply, or not the question after it.
    """
    found = conversation.rfind(REPLY)
    if found < 0:
        raise ConfigError(
            "the chat template omits what assistants say: set another one with chat_template=FILE.jinja"
        )
    return conversation[found + len(REPLY) :].partition(_NEXT)[0]


def after_prompt(conversation: str, prompt: str, *words: str) -> list[str] | None:
    """Return what a template writes between its prompt and the first word, and between each two words.

    Args:
        conversation: What the template wrote, with a reply after the prompt.
        prompt: What it wrote as the prompt of this reply.
        words: What to find in the reply, in this order.

    Returns:
        One text per word; None if the conversation does not begin with the prompt or has not all words.
    """
    if not conversation.startswith(prompt):
        return None
    found = []
    rest = conversation[len(prompt) :]
    for word in words:
        text, separator, rest = rest.partition(word)
        if not separator:
            return None
        found.append(text)
    return found

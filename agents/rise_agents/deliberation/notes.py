"""Texts that an agent reads in addition to the conversation, such as learned rules."""

from typing import Literal

from rise_env.types import Conversation

Place = Literal["user", "system"]
"""Where notes are put: before the first user message, or into the system message."""


def with_notes(conversation: Conversation, notes: str, place: Place = "user") -> Conversation:
    """Return a conversation in which notes precede the rest.

    Args:
        conversation: The conversation. It is returned unchanged if the notes are empty.
        notes: The text.
        place: "user" puts it before the text of the first user message, "system" at the end of the system
            message, which is added where there is none.
    """
    if not notes:
        return conversation
    messages = [message.copy() for message in conversation]
    roles = [message["role"] for message in messages]
    if place == "user" and "user" in roles:
        first = messages[roles.index("user")]
        first["content"] = f"{notes}\n\n{first['content']}"
    elif roles[:1] == ["system"]:
        messages[0]["content"] = f"{messages[0]['content']}\n\n{notes}"
    else:
        messages.insert(0, {"role": "system", "content": notes})
    return tuple(messages)

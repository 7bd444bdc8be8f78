"""Conversations as agents receive them."""

from rise_env.types import Conversation, Message


def copy_for_agent(conversation: Conversation) -> Conversation:
    """Return a conversation with new message dicts, whose texts can be encoded in UTF-8.

    An agent that changes a message therefore changes nothing that is stored. A surrogate without its partner,
    which a server can send in JSON, is replaced by U+FFFD, because tokenizers and HTTP clients refuse it.
    """
    return tuple(map(_copy, conversation))


def _copy(message: Message) -> Message:
    copied = message.copy()
    copied["content"] = _encodable(message["content"])
    if "reasoning_content" in message:
        copied["reasoning_content"] = _encodable(message["reasoning_content"])
    return copied


def _encodable(text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text

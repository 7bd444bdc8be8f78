"""Adds to the replies in a conversation what the model thought before them.

Environments keep the text of replies only, because checkers and feedback must not depend on thoughts. Agents
get the thoughts as well: the chat template of their model decides whether a prompt shows them.
"""

from collections.abc import Sequence

from rise_env.trajectories.serialization import reply_message
from rise_env.types import Conversation, Turn


def add_reasoning(conversation: Conversation, turns: Sequence[Turn]) -> Conversation:
    """Return a conversation whose replies of earlier turns have the reasoning of these turns.

    Wrappers may have removed or rewritten messages. Therefore the replies are matched from the end, each with
    the latest remaining turn that has the same text. Messages without a matching turn stay as they are, and
    so do those with which the episode began, for example solved examples.

    Args:
        conversation: The current observation.
        turns: The finished turns, oldest first.
    """
    if not any(turn.action.reasoning for turn in turns):
        return conversation
    messages = list(conversation)
    first = _shared(turns[0].observation, conversation)
    left = len(turns)
    for place in range(len(messages) - 1, first - 1, -1):
        message = messages[place]
        if message["role"] != "assistant":
            continue
        for number in range(left - 1, -1, -1):
            if turns[number].action.reply == message["content"]:
                if turns[number].action.reasoning:
                    messages[place] = reply_message(turns[number].action)
                left = number
                break
    return tuple(messages)


def _shared(first: Conversation, conversation: Conversation) -> int:
    """Return how many leading messages two conversations share."""
    count = 0
    for before, now in zip(first, conversation, strict=False):
        if before != now:
            break
        count += 1
    return count

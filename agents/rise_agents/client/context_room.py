"""Reads from the error of a chat server how long a reply may be that fits into the model's context."""

import re

_CONTEXT = re.compile(r"maximum context length (?:is|of) (\d+)", re.IGNORECASE)
_PROMPT = re.compile(
    r"(\d+) (?:in the messages|input tokens|in (?:the|your) prompt)|messages resulted in (\d+) tokens",
    re.IGNORECASE,
)


def room_for_reply(message: str) -> int:
    """Return how many tokens a reply may have according to a context error; 0 if it does not say.

    Some servers refuse a request whose prompt fits, because its longest reply does not.

    >>> room_for_reply("maximum context length is 100 tokens and your request has 88 input tokens")
    12
    """
    context, prompt = _CONTEXT.search(message), _PROMPT.search(message)
    if context is None or prompt is None:
        return 0
    return max(0, int(context[1]) - int(prompt[1] or prompt[2]))

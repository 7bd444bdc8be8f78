"""Detects repetitive replies as the released RISE code does."""

from collections import Counter

MAX_REPEATS = 150
"""A reply is degenerate if one word occurs more often than this."""

MAX_WORD = 300
"""A reply is degenerate if one word has more characters than this."""


def is_degenerate(reply: str) -> bool:
    """Return whether a reply repeats one word too often or contains an overlong word.

    Source: `workflow_gen.py` of cmu-mind/RISE drops such samples before it grades them.
    """
    words = reply.lower().split()
    if len(words) > MAX_REPEATS and Counter(words).most_common(1)[0][1] > MAX_REPEATS:
        return True
    return any(len(word) > MAX_WORD for word in words)

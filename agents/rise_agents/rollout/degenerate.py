"""Replies that got stuck, as the released RISE code defines them."""

from collections import Counter

MAX_REPEATS = 150
"""A word that occurs more often than this makes a reply degenerate."""

MAX_WORD = 300
"""So does a word of more characters."""


def is_degenerate(reply: str) -> bool:
    """Whether a reply repeats one word over and over, or runs into one endless word.

    Source: `workflow_gen.py` of cmu-mind/RISE drops such samples before it grades them.
    """
    words = reply.lower().split()
    if len(words) > MAX_REPEATS and Counter(words).most_common(1)[0][1] > MAX_REPEATS:
        return True
    return any(len(word) > MAX_WORD for word in words)

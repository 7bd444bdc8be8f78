r"""Finds the final answer that a reply states.

The policy, in order:

1. Thinking does not count: only what follows the last `</think>`, and nothing of an unclosed one.
2. The last box counts (`boxed.py`). A reply that tries to box states nothing outside of its boxes.
3. Without a box: what follows the last `####`.

All scans are linear in the length of the reply, of which the last 50,000 characters are read.
"""

from rise_env.checkers.boxed import has_box, last_boxed

LONGEST_REPLY = 50_000
"""Characters at the end of a reply that are read."""


def spoken(reply: str) -> str:
    """Return what the reply says to its reader: its end, without thinking."""
    if len(reply) > LONGEST_REPLY:
        # a think block that was opened earlier still counts as thinking
        thinking = reply.rfind("<think>", 0, -LONGEST_REPLY) > reply.rfind("</think>")
        reply = "" if thinking else reply[-LONGEST_REPLY:]
    closed = reply.rfind("</think>")
    if closed >= 0:
        reply = reply[closed + 8 :]
    opened = reply.find("<think>")
    return reply if opened < 0 else reply[:opened]


def final_answer(reply: str) -> str | None:
    r"""Return the final answer that `reply` states, as it spells it; None where it states none.

    >>> final_answer(r"<think>\boxed{1}?</think> It is \boxed{2}.")
    '2'
    >>> final_answer("6 * 7 = 42\n#### 42")
    '42'
    """
    reply = spoken(reply)
    if has_box(reply):
        return last_boxed(reply)
    marker = reply.rfind("####")
    if marker >= 0:
        line = reply[marker + 4 :].strip(" \t#").split("\n", 1)[0]
        return line.strip() or None
    return None

r"""Finds the final answer that a reply states.

The policy, in order:

1. Thinking does not count: only what follows the last `</think>`, and nothing of an unclosed one. What
   follows an end-of-turn token does not count either.
2. The last box counts (`boxed.py`). A reply that tries to box states nothing outside of its boxes.
3. Without a box, the last statement counts (`markers.py`): `#### 42`, "the answer is 42", "Answer: 42",
   a reply that is nothing but an answer, or a last sentence that concludes with one value. Policy
   `extraction="boxed"` stops before this step.
4. Only with `extraction="last"`: the last formula or number of the reply.

All scans are linear in the length of the reply, of which the last 50,000 characters are read.
"""

import re
from typing import Literal

from rise_env.checkers.extraction.boxed import has_box, last_boxed
from rise_env.checkers.extraction.stated_answer import (
    concluded_answer,
    last_formula,
    stated_answer,
    whole_answer,
)

MAX_REPLY_LENGTH = 50_000
"""Characters at the end of a reply that are read."""

_END_OF_TURN = re.compile(r"(?<=\S)\s*(?:<\|(?:im_end|im_start|eot_id|endoftext|end|eom_id)\|>|</s>)")


def spoken(reply: str) -> str:
    """Return what the reply says to its reader: its end, without thinking."""
    if len(reply) > MAX_REPLY_LENGTH:
        # a think block that was opened earlier still counts as thinking
        thinking = reply.rfind("<think>", 0, -MAX_REPLY_LENGTH) > reply.rfind("</think>")
        last = "" if thinking else reply[-MAX_REPLY_LENGTH:]
        if "box" not in last and not thinking:
            box = max(reply.rfind("\\boxed"), reply.rfind("\\fbox"))
            last = reply[box : box + MAX_REPLY_LENGTH] if box >= 0 else last
        reply = last
    closed = reply.rfind("</think>")
    if closed >= 0:
        reply = reply[closed + 8 :]
    if "<" in reply:
        opened = reply.find("<think>")
        if opened >= 0:
            reply = reply[:opened]
        end = _END_OF_TURN.search(reply)
        if end is not None:
            reply = reply[: end.start()]
    return reply


def final_answer(reply: str, *, extraction: Literal["boxed", "stated", "last"] = "stated") -> str | None:
    r"""Return the final answer that `reply` states, as it spells it; None where it states none.

    >>> final_answer(r"<think>\boxed{1}?</think> It is \boxed{2}.")
    '2'
    >>> final_answer("6 * 7 = 42\n#### 42")
    '42'
    >>> final_answer("The answer is 42 because 6 * 7 = 42.")
    '42'
    """
    reply = spoken(reply)
    if has_box(reply):
        return last_boxed(reply)
    if extraction == "boxed":
        return None
    found = stated_answer(reply)
    if found is None:
        found = whole_answer(reply) or concluded_answer(reply)
    if found is None and extraction == "last":
        found = last_formula(reply)
    return found or None

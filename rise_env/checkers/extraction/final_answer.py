r"""Finds the final answer in a reply.

These rules apply, in this order:

1. Thinking does not count. Only text after the last `</think>` is read; if a `<think>` is not closed, nothing
   after it is read. Text after an end-of-turn token is not read either.
2. The last box is the answer (`boxed.py`). If the reply has a box, even one that is not closed, no other text
   is an answer.
3. Without a box, the last marked statement is the answer (`stated_answer.py`): `#### 42`, "the answer is 42",
   "Answer: 42". Without one, the whole reply, if it is a bare value, or the one value of a last sentence that
   is a conclusion. With `extraction="boxed"` this rule does not apply.
4. Only with `extraction="last"`, the last formula or number of the reply is the answer.

The time is linear in the length of the reply. Of a longer reply, the last 50,000 characters are read.
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


def visible_text(reply: str) -> str:
    """Return the part of a reply in which its answer may stand: its end, without thinking."""
    if len(reply) > MAX_REPLY_LENGTH:
        # the part that is cut off may open a block of thinking
        thinking = reply.rfind("<think>", 0, -MAX_REPLY_LENGTH) > reply.rfind("</think>")
        last = "" if thinking else reply[-MAX_REPLY_LENGTH:]
        if "box" not in last and not thinking:
            box = max(reply.rfind("\\boxed"), reply.rfind("\\fbox"))
            last = reply[box : box + MAX_REPLY_LENGTH] if box >= 0 else last  # a box far from the end counts
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
    r"""Return the text of the final answer of `reply`; None if it has none.

    Args:
        reply: The whole text that the model wrote.
        extraction: Where an answer may stand; see `Policy.extraction`.

    >>> final_answer(r"<think>\boxed{1}?</think> It is \boxed{2}.")
    '2'
    >>> final_answer("6 * 7 = 42\n#### 42")
    '42'
    >>> final_answer("The answer is 42 because 6 * 7 = 42.")
    '42'
    """
    if len(reply) > MAX_REPLY_LENGTH or "<" in reply:
        reply = visible_text(reply)
    boxed = last_boxed(reply)
    if boxed is not None or has_box(reply):
        return boxed
    if extraction == "boxed":
        return None
    found = stated_answer(reply)
    if found is None:
        found = whole_answer(reply) or concluded_answer(reply)
    if found is None and extraction == "last":
        found = last_formula(reply)
    return found or None

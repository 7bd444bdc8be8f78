"""What an agent is asked for a new problem, and how the problem is read from its reply."""

import re
from collections.abc import Sequence
from typing import Literal, get_args

from rise_env.types import Conversation

Kind = Literal["similar", "rephrase"]
KINDS: tuple[Kind, ...] = get_args(Kind)

SIMILAR = (
    "Here are {count} problems:\n\n{problems}\n\nWrite one new problem of the same kind and difficulty, "
    "about something else and with other numbers. It must have exactly one answer. Write the problem alone, "
    "without a solution."
)
"""Asks for a new problem like some others."""

REPHRASE = (
    "Here is a problem:\n\n{problems}\n\nWrite the same problem in other words, with the same numbers "
    "and the same answer. Write the problem alone, without a solution."
)
"""Asks for another wording. Source: MetaMath (arXiv:2309.12284), "rephrasing"."""

_LABEL = re.compile(r"^\W*(?:new |here is .{0,40})?(?:problem|question)\W*:\W*", re.IGNORECASE)


def asked(kind: Kind, examples: Sequence[str]) -> Conversation:
    """Return the conversation that asks for a problem.

    Args:
        kind: "similar" to all examples, or "rephrase" of the only one.
        examples: The texts of problems.
    """
    form = SIMILAR if kind == "similar" else REPHRASE
    text = form.format(count=len(examples), problems="\n\n".join(examples))
    return ({"role": "user", "content": text},)


def read_question(reply: str) -> str:
    r"""Return the problem that a reply states: the reply on one line, without a label before it.

    >>> read_question("**Problem:** Ann has 3 apples.\nHow many are left if she eats one?")
    'Ann has 3 apples. How many are left if she eats one?'
    """
    return " ".join(_LABEL.sub("", reply.strip()).split()).strip('*" ')

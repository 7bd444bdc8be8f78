"""The final answers of replies, compared without a reference: which replies vote for the same answer."""

from collections.abc import Mapping
from fractions import Fraction
from itertools import pairwise

from rise_env.checkers import final_answer
from rise_env.envs import prompts
from rise_env.types import Conversation, Verdict


def answer_class(reply: str) -> str | None:
    r"""Return what a reply votes for, or None if it states no answer.

    Spellings are compared without blanks and "$". Plain numbers are compared by value.

    >>> answer_class(r"\boxed{1,200}"), answer_class(r"It is \boxed{1200.0}."), answer_class("Well.")
    ('1200', '1200', None)
    """
    found = final_answer(reply)
    if found is None:
        return None
    text = "".join(found.split()).replace("\\$", "").replace("$", "")
    try:
        return str(Fraction(text.replace(",", "")))
    except (ValueError, ZeroDivisionError):
        return text or None


def agreement(votes: Mapping[str, int], answer: str | None) -> float:
    """Return (votes of the answer + 1) / (all votes + number of different answers).

    This is the share of the votes with one vote added to each answer, in [0, 1]. A reply without an answer
    has the score 0.

    Args:
        votes: Answer -> number of replies that state it, this reply included.
        answer: The answer of the reply.
    """
    if answer is None:
        return 0.0
    return (votes[answer] + 1) / (sum(votes.values()) + len(votes))


def refuted_answers(conversation: Conversation) -> frozenset[str]:
    """Return the answers of earlier replies that the feedback after them called wrong.

    Only feedback that depends on the verdict says so, such as the oracle's; blind feedback never does.
    """
    wrong = prompts.RESULTS[Verdict.WRONG]
    answers = {
        answer_class(reply["content"])
        for reply, feedback in pairwise(conversation)
        if reply["role"] == "assistant"
        and feedback["role"] == "user"
        and feedback["content"].startswith(wrong)
    }
    return frozenset(answer for answer in answers if answer is not None)

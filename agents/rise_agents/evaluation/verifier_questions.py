r"""What a verifier is asked about a reply, and how its answers become scores in [0, 1].

A verifier is an agent. It answers \boxed{yes}, \boxed{no}, or a probability between 0 and 1.
"""

import math
from collections.abc import Sequence

from rise_env.checkers import last_boxed
from rise_env.types import Conversation

OUTCOME = (
    "Here is a problem and a solution of it. Is the final answer of the solution right? Check it step by "
    "step and finish with \\boxed{{yes}} or \\boxed{{no}}.\n\nProblem: {question}\n\nSolution: {reply}"
)
"""Whether a whole reply is right."""

PREFIX = (
    "Here is a problem and the beginning of a solution of it. If the same writer completes it, will the "
    "final answer be right? Finish with \\boxed{{yes}} or \\boxed{{no}}.\n\nProblem: {question}\n\n"
    "Beginning of the solution: {reply}"
)
"""Whether a reply that begins in this way will be right."""

STEP = (
    "Here is a problem and the beginning of a solution of it. Is its last step right? Finish with "
    "\\boxed{{yes}} or \\boxed{{no}}.\n\nProblem: {question}\n\nBeginning of the solution: {reply}"
)
"""Whether the last step of the beginning of a reply is right."""

YES, NO = "\\boxed{yes}", "\\boxed{no}"
"""The two answers whose likelihoods are compared."""


def verifier_prompt(question: str, reply: str, form: str = OUTCOME) -> Conversation:
    """Return the conversation that asks a verifier about a reply.

    Args:
        question: The text of the problem.
        reply: The reply, or its beginning.
        form: OUTCOME, PREFIX or STEP.
    """
    return ({"role": "user", "content": form.format(question=question, reply=reply)},)


def read_rating(text: str) -> float | None:
    r"""Return a verifier's rating: 1 for \boxed{yes}, 0 for \boxed{no}, a number in [0, 1], or None.

    >>> read_rating(r"All steps hold, so \boxed{yes}."), read_rating(r"\boxed{0.25}"), read_rating("Well.")
    (1.0, 0.25, None)
    """
    answer = (last_boxed(text) or "").strip().lower()
    if answer in ("yes", "no"):
        return float(answer == "yes")
    try:
        value = float(answer)
    except ValueError:
        return None
    return value if 0 <= value <= 1 else None


def mean_rating(texts: Sequence[str]) -> float:
    """Return the mean of several ratings; one that cannot be read counts 0."""
    return sum(read_rating(text) or 0.0 for text in texts) / len(texts)


def likelihood_rating(yes: float, no: float) -> float:
    r"""Return P(yes) / (P(yes) + P(no)).

    Args:
        yes: Natural logarithm of the probability of `YES` as the reply's beginning.
        no: The same for `NO`.
    """
    if yes == no:  # also if both are infinitely unlikely
        return 0.5
    difference = no - yes
    return (
        1 / (1 + math.exp(difference))
        if difference < 0
        else math.exp(-difference) / (1 + math.exp(-difference))
    )

r"""Scores of replies without the reference answer, in [0, 1]: what guides a search.

| critic         | score of a whole reply                                         | of a beginning, a step |
| -------------- | -------------------------------------------------------------- | ---------------------- |
| agreement      | share of the tree's replies with the same answer               | none                   |
| confidence     | probability of its least likely token, or the geometric mean   | none                   |
| verifier:AGENT | what an agent answers when it is asked                         | the same               |
| told           | 1 if it is right, 0 if not: reads the reference                | none                   |

AlphaLLM (arXiv:2404.12253) trains three critics: a value head, a judge of steps and a judge of whole replies.
Here one language model answers all three questions with yes or no; see `verifier_questions`. `told` gives an
upper bound and is no agent to report.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from rise_agents.evaluation.verifier_questions import OUTCOME, PREFIX, STEP, verifier_prompt
from rise_agents.mcts.settings import SearchSettings
from rise_env.types import Conversation

FORMS = {"value": PREFIX, "outcome": OUTCOME, "process": STEP}
"""Term of the value of a simulation -> what a verifier is asked for it."""


@dataclass(frozen=True, slots=True)
class Reading:
    """One question to a verifier about a text of the tree."""

    term: str
    """A key of `FORMS`."""
    text: str
    """The reply, or its beginning."""

    def prompt(self, question: str) -> Conversation:
        """Return the conversation that asks it."""
        return verifier_prompt(question, self.text, FORMS[self.term])


def readings(
    settings: SearchSettings, *, beginning: str, finished: bool, replies: Sequence[str]
) -> list[Reading]:
    """Return what a verifier is asked about one simulation.

    The value and the last step of a finished node are not asked for: its own outcome says more.

    Args:
        settings: See `SearchSettings`; a term of the weight 0 is not asked for.
        beginning: The text of the new node.
        finished: Whether it is a whole reply.
        replies: The whole replies of the simulation; equal ones are asked about once.
    """
    wanted = [Reading("outcome", reply) for reply in dict.fromkeys(replies)]
    if not finished:
        wanted += [Reading("value", beginning)] if settings.value_weight else []
        wanted += [Reading("process", beginning)] if settings.process_weight else []
    return wanted


def confidence(logprobs: Sequence[float], of: str = "least") -> float:
    """Return a policy's own confidence in a reply.

    Args:
        logprobs: Log-probabilities of all tokens of the reply.
        of: "least" is exp of the smallest of them, "mean" exp of their mean. Both are 0 without tokens.
    """
    if not logprobs:
        return 0.0
    return math.exp(min(logprobs) if of == "least" else sum(logprobs) / len(logprobs))


def question_of(conversation: Conversation) -> str:
    """Return the text that verifiers read as the problem: the first user message."""
    return next((message["content"] for message in conversation if message["role"] == "user"), "")

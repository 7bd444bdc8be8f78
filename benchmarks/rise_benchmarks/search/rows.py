"""The rows of the suite embedded-search: the embedded model, and searches over it with several critics.

All searches have the same budget of generated tokens per problem, about that of six replies. They are made
for this model, whose replies are one line of two to four sentences.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentRow:
    """One row of a table of agents that nothing trains."""

    agent: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    """Settings of the agent; {critic} in them stands for a critic that the suite trains."""
    draws: int = 1
    """Independent first replies per problem."""
    temperature: float = 1.0
    told: bool = False
    """Whether the agent is told the answers; its row says so."""
    what: str = ""
    """What the row shows, in words."""


TOKENS = 200
"""Generated tokens per problem of every search."""

_SEARCH: Mapping[str, Any] = {
    "option": "sentence",
    "tokens": TOKENS,
    "exploration": 0.5,
    "alpha": 8.0,
    "root_least": 4,
    "least": 2,
    "most": 6,
}


def _searched(what: str, **changes: Any) -> AgentRow:
    return AgentRow(
        agent="mcts:tiny",
        settings={**_SEARCH, **changes},
        told=changes.get("critic") == "told",
        what=what,
    )


EMBEDDED_SEARCH: Mapping[str, AgentRow] = {
    "base": AgentRow(agent="tiny", draws=16, what="one reply; its draws are what searches are compared with"),
    "base, greedy": AgentRow(agent="tiny", temperature=0.0, what="one reply at temperature 0"),
    "search, agreement": _searched("no critic: the replies of the tree vote"),
    "search, confidence": _searched("the policy's own least probability of a token", critic="confidence"),
    "search, confidence, best": _searched(
        "the same, and the reply with the best score is given", critic="confidence", choose="best"
    ),
    "search, confidence, four roll-outs": _searched(
        "the same with the paper's number of roll-outs", critic="confidence", choose="best", rollouts=4
    ),
    "search, confidence, no importance": _searched(
        "the same without adaptive width", critic="confidence", choose="best", alpha=0.0
    ),
    "search, confidence, near repeats again": _searched(
        "the same with the paper's merging: an option near its siblings is drawn again",
        critic="confidence",
        choose="best",
        least_distance=10,
    ),
    "search, confidence, options of words": _searched(
        "the same with options of six words", critic="confidence", choose="best", option="words:6"
    ),
    "search, confidence, whole replies": _searched(
        "the same without a tree", critic="confidence", choose="best", option="reply", root_least=60
    ),
    "search, told": _searched("an upper bound: the critic knows the answers", critic="told", choose="best"),
}
"""Name of the row -> what is measured. The report sorts rows by name."""

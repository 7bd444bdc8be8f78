"""The state of learning rules: a fold over the lines of steps.jsonl, one per step."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from rise_agents.learning.plays import added
from rise_agents.rules.book import RuleBook, from_json

MAX_TRIED = 6
"""So many refused changes are told to the reflector, the latest ones."""


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """Where the learning is after some steps."""

    step: int = 0
    """Number of steps that are done."""
    book: RuleBook = field(default_factory=RuleBook)
    pool: int = -1
    """Number of the pool of failures that is in use, from 0; -1 if none was played yet."""
    failed: int = 0
    """Number of failures in the pool."""
    position: int = 0
    """How many problems of the pool were taken."""
    pool_book: RuleBook = field(default_factory=RuleBook)
    """The book with which the pool was played."""
    refused: int = 0
    """Steps in a row without an accepted change."""
    tried: tuple[str, ...] = ()
    """Changes that were refused since the book last changed."""
    spent: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    """Role -> calls and tokens of all steps and pools."""
    proposed: int = 0
    """Changes that were proposed."""
    kept: int = 0
    """Changes that were accepted."""
    leaked: int = 0
    """Rules that were dropped because they held an answer or a piece of a problem."""
    unreadable: int = 0
    """Replies of the reflector without a readable change."""

    @property
    def calls(self) -> int:
        """Calls of all roles together."""
        return sum(counts["calls"] for counts in self.spent.values())


def after(state: State, line: Mapping[str, Any]) -> State:
    """Return the state after the step of a line."""
    accepted = line["decision"] == "accepted"
    book = from_json(line["book"])
    proposals = line.get("proposals", [])
    tried = [one["tried"] for one in proposals if not one.get("accepted") and "tried" in one]
    new_pool = line["decision"] == "new pool"
    return replace(
        state,
        step=line["step"],
        book=book,
        pool=line["pool"],
        failed=line["failed"],
        position=line["position"],
        pool_book=book if new_pool else state.pool_book,
        refused=0 if accepted else state.refused + (line["decision"] == "refused"),
        tried=() if accepted else (*state.tried, *tried)[-MAX_TRIED:],
        spent={role: added(state.spent.get(role, {}), counts) for role, counts in line["spent"].items()},
        proposed=state.proposed + len(proposals),
        kept=state.kept + accepted,
        leaked=state.leaked + sum(one.get("leaked", 0) for one in proposals),
        unreadable=state.unreadable + sum(bool(one.get("unreadable")) for one in proposals),
    )


def folded(lines: Iterable[Mapping[str, Any]]) -> State:
    """Return the state after the steps of some lines."""
    state = State()
    for line in lines:
        state = after(state, line)
    return state

"""One simulation of a search: how a completion becomes a child of a node, and what is completed."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from rise_agents.mcts.merging import farthest, least_distance, same
from rise_agents.mcts.options import split
from rise_agents.mcts.settings import SearchSettings
from rise_agents.mcts.tree import Node
from rise_agents.types import Reply

TokensBefore = Callable[[Reply, int], int]
"""(reply, number of characters) -> number of its tokens that hold them; see `TokenizingAgent`."""


@dataclass(slots=True, eq=False)
class Completion:
    """A whole reply of the search."""

    text: str
    reply: Reply
    """The reply that completed it."""
    logprobs: tuple[float, ...] | None
    """Log-probabilities of the tokens of the whole reply; None if they are unknown."""


@dataclass(slots=True, eq=False)
class Simulation:
    """A node that is expanded in this round, and what came of it."""

    parent: Node
    draws: list[Reply] = field(default_factory=list)
    """Completions of the parent's text; all but one of them repeated a sibling."""
    child: Node | None = None
    """The child that was added or repeated; None if every draw failed."""
    merged: bool = False
    """Whether the child was there before."""
    completions: list[Completion] = field(default_factory=list)


def repeats_sibling(simulation: Simulation, settings: SearchSettings) -> bool:
    """Return whether the option of every draw is nearer to a sibling's than `least_distance`.

    An option that equals a sibling's is merged with it and not drawn again.
    """
    siblings = [child.text for child in simulation.parent.children]
    if not settings.least_distance or not siblings:
        return False
    options = [first_option(simulation.parent, reply, settings)[0] for reply in _answered(simulation)]
    if any(same(option, sibling) for option in options for sibling in siblings):
        return False
    limit = settings.least_distance
    return bool(options) and all(least_distance(option, siblings, limit) < limit for option in options)


def first_option(parent: Node, reply: Reply, settings: SearchSettings) -> tuple[str, bool]:
    """Return the option that a completion adds to its parent, and whether it is the whole rest."""
    options = split(reply.text, "reply" if parent.depth >= settings.depth else settings.option)
    return (options[0], len(options) == 1) if options else ("", True)


def add_child(
    simulation: Simulation, settings: SearchSettings, tokens_before: TokensBefore | None
) -> Reply | None:
    """Add the first option of the draw that is kept to the tree, or find the equal child that is there.

    Args:
        simulation: Its `child` and `merged` are set.
        settings: See `SearchSettings`.
        tokens_before: Of the agent that drew; None if the parts of a reply are not known as tokens.

    Returns:
        The draw that is kept; None if every draw failed.
    """
    answered = _answered(simulation)
    if not answered:
        return None
    parent = simulation.parent
    kept = answered[0]
    if len(answered) > 1:
        options = [first_option(parent, reply, settings)[0] for reply in answered]
        kept = answered[farthest(options, [child.text for child in parent.children], settings.least_distance)]
    option, finished = first_option(parent, kept, settings)
    equal = next((c for c in parent.children if c.finished == finished and same(c.text, option)), None)
    if equal is not None:
        simulation.child, simulation.merged = equal, True
        parent.repeats += 1
        return kept
    logprobs = None
    if kept.logprobs is not None and (finished or tokens_before is not None):
        count = len(kept.logprobs) if finished or tokens_before is None else tokens_before(kept, len(option))
        logprobs = kept.logprobs[:count]
    simulation.child = Node(option, parent, finished, logprobs)
    parent.children.append(simulation.child)
    return kept


def completion(beginning: Node, reply: Reply) -> Completion:
    """Return the whole reply that a completion of a node's text makes."""
    logprobs = reply.logprobs
    node: Node | None = beginning
    while logprobs is not None and node is not None and node.parent is not None:
        logprobs = None if node.logprobs is None else node.logprobs + logprobs
        node = node.parent
    return Completion(beginning.beginning + reply.text, reply, logprobs)


def _answered(simulation: Simulation) -> Sequence[Reply]:
    return [reply for reply in simulation.draws if reply.finish != "error"]

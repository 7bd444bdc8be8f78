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
    """Whether the child was there before, so that the draw added nothing."""
    completions: list[Completion] = field(default_factory=list)


def repeats_sibling(simulation: Simulation, settings: SearchSettings) -> bool:
    """Return whether the option of every draw is nearer to a sibling's than `least_distance`.

    An option that equals a sibling's is merged with it and not drawn again.
    """
    siblings = [child.text for child in simulation.parent.children]
    if not settings.least_distance or not siblings:
        return False
    options = [options_of(simulation.parent, reply, settings)[0] for reply in _answered(simulation)]
    if any(same(option, sibling) for option in options for sibling in siblings):
        return False
    limit = settings.least_distance
    return bool(options) and all(least_distance(option, siblings, limit) < limit for option in options)


def options_of(parent: Node, reply: Reply, settings: SearchSettings) -> list[str]:
    """Return the options that a completion continues its parent with; from `depth` on, one is the whole rest.

    A completion without text has one empty option.
    """
    options = split(reply.text, settings.option) or [""]
    left = max(0, settings.depth - parent.depth)
    return options if len(options) <= left else [*options[:left], "".join(options[left:])]


def add_child(
    simulation: Simulation, settings: SearchSettings, tokens_before: TokensBefore | None
) -> Reply | None:
    """Add the first option of the draw that is kept to the tree, or all its options with `insert: path`.

    Nodes with equal options that are there already are used again.

    Args:
        simulation: Its `child`, the last of the nodes, and `merged` are set.
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
        options = [options_of(parent, reply, settings)[0] for reply in answered]
        kept = answered[farthest(options, [child.text for child in parent.children], settings.least_distance)]
    parts = options_of(parent, kept, settings)
    inserted = parts if settings.insert == "path" else parts[:1]
    node, new, used = parent, False, 0
    for place, option in enumerate(inserted):
        finished = place == len(parts) - 1
        equal = next((c for c in node.children if c.finished == finished and same(c.text, option)), None)
        start, used = used, used + len(option)
        if equal is not None:
            node.repeats += 1
            node = equal
            continue
        logprobs = _logprobs(kept, start, None if finished else used, tokens_before)
        node.children.append(Node(option, node, finished, logprobs))
        node, new = node.children[-1], True
    simulation.child, simulation.merged = node, not new
    return kept


def completion(beginning: Node, reply: Reply) -> Completion:
    """Return the whole reply that a completion of a node's text makes."""
    logprobs = reply.logprobs
    node: Node | None = beginning
    while logprobs is not None and node is not None and node.parent is not None:
        logprobs = None if node.logprobs is None else node.logprobs + logprobs
        node = node.parent
    return Completion(beginning.beginning + reply.text, reply, logprobs)


def _logprobs(
    reply: Reply, start: int, end: int | None, tokens_before: TokensBefore | None
) -> tuple[float, ...] | None:
    """Return the log-probabilities of the tokens of some characters of a reply; `end` None is the end."""
    if reply.logprobs is None:
        return None
    if tokens_before is None:
        return reply.logprobs if start == 0 and end is None else None
    first = tokens_before(reply, start) if start else 0
    return reply.logprobs[first : None if end is None else tokens_before(reply, end)]


def _answered(simulation: Simulation) -> Sequence[Reply]:
    return [reply for reply in simulation.draws if reply.finish != "error"]

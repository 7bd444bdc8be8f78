"""The search tree: nodes, the values that simulations add to them, and walks over them.

A tree knows no model, no clock and no random state.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

from rise_env.errors import ConfigError

Backup = Literal["mean", "max"]


@dataclass(slots=True, eq=False)
class Node:
    """A beginning of a reply."""

    text: str = ""
    """The option that this node adds to the text of its parent."""
    parent: "Node | None" = field(default=None, repr=False)
    finished: bool = False
    """Whether the text of the node is a whole reply."""
    logprobs: tuple[float, ...] | None = None
    """Log-probabilities of the tokens of the option; None if they are unknown."""
    own: float | None = None
    """The critic's own value of the beginning, in [0, 1]; None if it has none."""
    score: float | None = None
    """Value of the node's first simulation; None before it. A finished node adds it at each visit."""
    visits: int = 0
    """Number of simulations through this node."""
    total: float = 0.0
    """Sum of their values."""
    pending: int = 0
    """Number of simulations through this node whose values are not known yet."""
    opening: int = 0
    """Number of the children that are requested and not there yet."""
    repeats: int = 0
    """Number of options drawn here that were equal to a child."""
    width: int = 0
    """Number of options to draw here."""
    children: "list[Node]" = field(default_factory=list, repr=False)
    depth: int = field(init=False)
    """Number of options from the root to here."""
    beginning: str = field(init=False, repr=False)
    """The text from the root to here."""

    def __post_init__(self) -> None:
        self.depth = 0 if self.parent is None else self.parent.depth + 1
        self.beginning = self.text if self.parent is None else self.parent.beginning + self.text

    @property
    def mean(self) -> float:
        """Mean value of the simulations through this node.

        Raises:
            ZeroDivisionError: There was no simulation.
        """
        return self.total / self.visits


def path_to(node: Node) -> list[Node]:
    """Return the nodes from the root to a node."""
    path = [node]
    while path[-1].parent is not None:
        path.append(path[-1].parent)
    return path[::-1]


def nodes(root: Node) -> Iterator[Node]:
    """Yield all nodes, each before its children, and children in the order in which they were added."""
    waiting = [root]
    while waiting:
        node = waiting.pop()
        yield node
        waiting += reversed(node.children)


def leaves(root: Node) -> list[Node]:
    """Return the nodes without children."""
    return [node for node in nodes(root) if not node.children]


def back_up(node: Node, value: float, backup: Backup = "mean") -> None:
    """Add the value of a simulation to a node and to all nodes above it.

    With "mean", each of them adds one visit and the value. With "max", a node that has children takes the
    largest of their mean values instead, as in ReST-MCTS (arXiv:2406.03816).

    Args:
        node: The node that was simulated.
        value: In [0, 1].
        backup: How the values of the nodes above follow.

    Raises:
        ConfigError: `value` is out of range.
    """
    if not 0 <= value <= 1:
        raise ConfigError(f"a value of a search tree must be in [0, 1], got {value}")
    for above in reversed(path_to(node)):
        above.visits += 1
        above.total += value
        seen = [child.mean for child in above.children if child.visits]
        if backup == "max" and seen:
            above.total = above.visits * max(seen)


def begin(node: Node, *, opens: bool) -> None:
    """Count a simulation through a node as pending, and a child as requested if `opens` is set."""
    for above in path_to(node):
        above.pending += 1
    node.opening += opens


def end(node: Node, *, opens: bool) -> None:
    """Undo `begin` when the simulation has ended."""
    for above in path_to(node):
        above.pending -= 1
    node.opening -= opens


def blend(terms: Sequence[tuple[float, float | None]]) -> float | None:
    """Return the weighted mean of the values that are known, or None if none is.

    It is (b_v V + b_o ORM + b_p PRM) / (b_v + b_o + b_p), the value of a simulation in AlphaLLM, divided by
    the sum of the weights so that it stays in [0, 1].

    Args:
        terms: (weight, value); a term with the value None or the weight 0 is left out.
    """
    known = [(weight, value) for weight, value in terms if value is not None and weight]
    weights = sum(weight for weight, _ in known)
    return sum(weight * value for weight, value in known) / weights if known else None

"""Which node of a search tree is simulated next: exploration, importance and the width of nodes.

Legend: q is the sum of the values of a node, n its visits, w its pending visits, p its prior, k its number of
children; s is a node and c one of its children. x is the share of the budget that is spent.
"""

import math
from collections.abc import Sequence

from rise_agents.mcts.settings import Schedule, SearchSettings
from rise_agents.mcts.tree import Node

_MIN_SHARE = 0.1
"""Part of the exploration constant that the schedules leave at the end."""


def exploration(start: float, schedule: Schedule, share: float) -> float:
    """Return k(x), the exploration constant when a share of the budget is spent.

    "const" is k0, "linear" k0 (1 - 0.9 x), "exp" k0 0.1^x. Source of the last two: the code of rStar
    (arXiv:2408.06195).

    Args:
        start: k0.
        schedule: How it falls.
        share: x, in [0, 1].
    """
    factor: dict[str, float] = {
        "const": 1.0,
        "linear": 1 - (1 - _MIN_SHARE) * share,
        "exp": math.pow(_MIN_SHARE, share),
    }
    return start * factor[schedule]


def uct(child: Node, parent: Node, constant: float, loss: float = 1.0) -> float:
    """Return (q_c - loss w_c) / (n_c + w_c) + k sqrt(ln(n_s + w_s) / (n_c + w_c)).

    It is infinite for a child that no simulation has visited. Source: the released code of AlphaLLM; the
    textbook formula is the same with k = sqrt(2) c.

    Args:
        child: c.
        parent: s.
        constant: k(x).
        loss: What a pending visit costs (virtual loss).
    """
    count = child.visits + child.pending
    if not count:
        return math.inf
    seen = math.log(max(1, parent.visits + parent.pending))
    return (child.total - loss * child.pending) / count + constant * math.sqrt(seen / count)


def puct(child: Node, parent: Node, constant: float, prior: float, loss: float = 1.0) -> float:
    """Return the same mean as `uct`, plus k p_c sqrt(n_s + w_s) / (1 + n_c + w_c).

    The mean of a child without visits is 0. Source: AlphaZero (arXiv:1712.01815).

    Args:
        child: c.
        parent: s.
        constant: k(x).
        prior: p_c; see `priors`.
        loss: See `uct`.
    """
    count = child.visits + child.pending
    mean = (child.total - loss * child.pending) / count if count else 0.0
    return mean + constant * prior * math.sqrt(parent.visits + parent.pending) / (1 + count)


def priors(children: Sequence[Node]) -> list[float]:
    """Return p_c of each child: the softmax of the mean log-probabilities of the options' tokens.

    If the log-probabilities of one child are unknown, all have the prior 1 / k_s.
    """
    means = [sum(c.logprobs) / len(c.logprobs) for c in children if c.logprobs]
    if len(means) < len(children):
        return [1 / len(children)] * len(children)
    highest = max(means)
    weights = [math.exp(mean - highest) for mean in means]
    return [weight / sum(weights) for weight in weights]


def importance(node: Node, against: str) -> float:
    """Return I(s) = max_c |mean(c) - v(s)|; 0 for a node whose children were not visited.

    Args:
        node: s.
        against: "node": v(s) is the critic's own value of the node, as in the paper. "siblings": it is the
            mean of the children's means, as in the released code. This is also used where the critic gave no
            value of its own.
    """
    means = [child.mean for child in node.children if child.visits]
    if not means:
        return 0.0
    own = node.own if against == "node" else None
    middle = sum(means) / len(means) if own is None else own
    return max(abs(mean - middle) for mean in means)


def width(node: Node, settings: SearchSettings) -> int:
    """Return max(old width, least(s), min(floor(alpha I(s)) + 1, most(s))), which never falls.

    The root has `root_least` and `root_most`, other nodes have `least` and `most`. A node at `depth` has one
    child, the whole rest of the reply.
    """
    if node.depth >= settings.depth:
        return 1
    root = node.parent is None
    least, most = (settings.root_least, settings.root_most) if root else (settings.least, settings.most)
    wanted = math.floor(settings.alpha * importance(node, settings.importance)) + 1
    return max(node.width, least, min(wanted, most))


def select(root: Node, settings: SearchSettings, share: float) -> Node | None:
    """Return the node to simulate next, and update the widths of the nodes on the way to it.

    It is a node at which fewer options were drawn than its width, or a finished node, which is visited again.
    Options that repeated a child count as well: otherwise a node with few possible options would never be
    left. Among equal children the earliest is followed.

    Args:
        root: The root.
        settings: See `SearchSettings`.
        share: Share of the budget that is spent.

    Returns:
        The node; None if all children of a node on the way are requested and none is there yet.
    """
    constant = exploration(settings.exploration, settings.schedule, share)
    node = root
    while not node.finished:
        node.width = width(node, settings)
        if len(node.children) + node.repeats + node.opening < node.width:
            return node
        if not node.children:
            return None
        node = _best_child(node, constant, settings)
    return node


def _best_child(node: Node, constant: float, settings: SearchSettings) -> Node:
    children = node.children
    if settings.selection == "uct":
        values = [uct(child, node, constant, settings.loss) for child in children]
    else:
        pairs = zip(children, priors(children), strict=True)
        values = [puct(child, node, constant, prior, settings.loss) for child, prior in pairs]
    return children[values.index(max(values))]

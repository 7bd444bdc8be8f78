"""Which of the finished replies of a search is given.

| choice | the reply                                                                                      |
| ------ | ---------------------------------------------------------------------------------------------- |
| vote   | of the answer with the largest sum of scores, the reply with the best score                    |
| best   | the reply with the best score                                                                  |
| greedy | of the node that is reached by following the child with the largest mean, the best reply       |
| visits | the same, following the child with the most visits                                             |

AlphaLLM (arXiv:2404.12253) reports all but the last of these; `best` is its "rerank". Replies that state an
answer are preferred to those that state none, and earlier replies and children to later equal ones.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from rise_agents.mcts.settings import Choice
from rise_agents.mcts.tree import Node, path_to


@dataclass(frozen=True, slots=True)
class Candidate:
    """A whole reply of a search."""

    text: str
    answer: str | None
    """What it votes for; see `answer_class`."""
    score: float
    """What the critic said of it, in [0, 1]."""
    node: Node
    """The node that was simulated when the reply was completed."""


def choose(candidates: Sequence[Candidate], how: Choice) -> Candidate:
    """Return the reply that the search gives.

    Args:
        candidates: The finished replies in the order in which they were found; at least one.
        how: See the table of this module.
    """
    answered = [candidate for candidate in candidates if candidate.answer is not None] or candidates
    if how == "vote":
        return _best(_of_leading_answer(answered))
    if how == "best":
        return _best(answered)
    value: Callable[[Node], float] = _mean if how == "greedy" else lambda node: node.visits
    below = _below(answered, _descend(path_to(candidates[0].node)[0], value))
    return _best(below or answered)


def considered(candidates: Sequence[Candidate], given: Candidate, keep: int) -> list[Candidate]:
    """Return the other replies that are kept, best scores first, and among equals in their order."""
    others = [candidate for candidate in candidates if candidate is not given]
    return sorted(others, key=lambda candidate: -candidate.score)[:keep]


def _best(candidates: Iterable[Candidate]) -> Candidate:
    return max(candidates, key=lambda candidate: candidate.score)  # the first of equals


def _of_leading_answer(candidates: Sequence[Candidate]) -> list[Candidate]:
    sums: dict[str | None, float] = {}
    for candidate in candidates:
        sums[candidate.answer] = sums.get(candidate.answer, 0.0) + candidate.score
    leading = max(sums, key=lambda answer: sums[answer])
    return [candidate for candidate in candidates if candidate.answer == leading]


def _mean(node: Node) -> float:
    return node.mean if node.visits else -1.0


def _descend(root: Node, value: Callable[[Node], float]) -> Node:
    node = root
    while node.children:
        node = max(node.children, key=value)
    return node


def _below(candidates: Sequence[Candidate], node: Node) -> list[Candidate]:
    return [candidate for candidate in candidates if candidate.node is node]

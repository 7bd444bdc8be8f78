import pytest

from rise_agents.mcts.choosing import Candidate, choose, considered
from rise_agents.mcts.tree import Node, back_up
from tests.rise_agents.mcts.test_tree import child


def candidates() -> list[Candidate]:
    root = Node()
    a, b = child(root, "a"), child(root, "b")
    for node, values in ((a, (0.9,)), (b, (0.3, 0.4, 0.5))):
        for value in values:
            back_up(node, value)
    return [
        Candidate("none", None, 1.0, a),
        Candidate("3, weak", "3", 0.4, b),
        Candidate("4", "4", 0.7, a),
        Candidate("3, strong", "3", 0.5, b),
        Candidate("4, as good", "4", 0.1, a),
    ]


@pytest.mark.parametrize(
    ("how", "given"), [("vote", "3, strong"), ("best", "4"), ("greedy", "4"), ("visits", "3, strong")]
)
def test_the_reply_of_each_choice(how: str, given: str) -> None:
    assert choose(candidates(), how).text == given  # type: ignore[arg-type]


def test_without_any_answer_the_best_reply_is_given() -> None:
    node = Node()
    replies = [
        Candidate("a", None, 0.2, node),
        Candidate("b", None, 0.6, node),
        Candidate("c", None, 0.6, node),
    ]
    for how in ("vote", "best", "greedy", "visits"):
        assert choose(replies, how).text == "b"  # type: ignore[arg-type]


def test_a_descent_to_a_node_without_replies_gives_the_best_one() -> None:
    replies = candidates()
    root = replies[0].node.parent
    assert root is not None
    back_up(child(root, "c"), 1.0)
    assert choose(replies, "greedy").text == "4"


def test_the_best_other_replies_are_kept_in_the_order_of_their_scores() -> None:
    replies = candidates()
    kept = considered(replies, replies[2], 3)
    assert [candidate.text for candidate in kept] == ["none", "3, strong", "3, weak"]
    assert considered(replies, replies[2], 0) == []

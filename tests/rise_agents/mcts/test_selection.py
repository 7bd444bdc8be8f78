import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rise_agents.mcts.presets import search_settings
from rise_agents.mcts.selection import exploration, importance, priors, puct, select, uct, width
from rise_agents.mcts.settings import SearchSettings
from rise_agents.mcts.tree import Node, back_up, begin, end
from tests.rise_agents.mcts.test_tree import child

NARROW = SearchSettings(root_least=2, root_most=2, least=1, most=1)


def visited(parent: Node, *values: float, **of_node: object) -> Node:
    new = child(parent)
    for value in values:
        back_up(new, value)
    for name, value in of_node.items():
        setattr(new, name, value)
    return new


def test_six_simulations_by_hand() -> None:
    """Two children of the root; A has one finished child A1, and B gets one at the sixth simulation."""
    root = Node()
    chosen = []

    def simulate(value: float, text: str, *, finished: bool = False) -> None:
        node = select(root, NARROW, 0)
        assert node is not None
        chosen.append(node.beginning)
        if not node.finished:
            node = child(node, text, finished=finished)
        back_up(node, value)

    simulate(1.0, "A")  # the root has no child
    simulate(0.0, "B")  # the root has one child of two
    simulate(0.5, "1", finished=True)  # A: 1 + sqrt(ln 2), B: 0 + sqrt(ln 2)
    simulate(0.5, "")  # A: 0.75 + sqrt(ln 3 / 2) = 1.491, B: sqrt(ln 3) = 1.048; then A1 again
    simulate(0.5, "")  # A: 2/3 + sqrt(ln 4 / 3) = 1.346, B: sqrt(ln 4) = 1.177
    simulate(0.25, "1", finished=True)  # A: 0.625 + sqrt(ln 5 / 4) = 1.259, B: sqrt(ln 5) = 1.269
    assert chosen == ["", "", "A", "A1", "A1", "B"]
    a, b = root.children
    assert [(n.visits, n.total) for n in (root, a, b, a.children[0], b.children[0])] == [
        (6, 2.75),
        (4, 2.5),
        (2, 0.25),
        (3, 1.5),
        (1, 0.25),
    ]


def test_uct_is_the_formula() -> None:
    root = Node()
    one = visited(root, 0.5, 1.0)
    visited(root, 0.25)
    assert uct(one, root, 1.4) == pytest.approx(0.75 + 1.4 * math.sqrt(math.log(3) / 2))
    one.pending, root.pending = 1, 1
    assert uct(one, root, 1.4, loss=1.0) == pytest.approx(0.5 / 3 + 1.4 * math.sqrt(math.log(4) / 3))


def test_uct_prefers_a_child_without_visits() -> None:
    root = Node()
    visited(root, 1.0)
    unvisited = child(root)
    assert uct(unvisited, root, 0.5) == math.inf


def test_puct_is_the_formula() -> None:
    root = Node()
    one = visited(root, 0.5, 1.0)
    assert puct(one, root, 2.0, 0.3) == pytest.approx(0.75 + 2 * 0.3 * math.sqrt(2) / 3)
    assert puct(child(root), root, 2.0, 0.3) == pytest.approx(2 * 0.3 * math.sqrt(2))


def test_priors_are_a_softmax_of_mean_log_probabilities() -> None:
    children = [Node(logprobs=(math.log(0.5), math.log(0.5))), Node(logprobs=(math.log(0.25),))]
    assert priors(children) == pytest.approx([2 / 3, 1 / 3])
    assert priors([*children, Node()]) == pytest.approx([1 / 3] * 3)
    assert priors([Node(logprobs=())]) == [1.0]


def test_schedules_fall_to_a_tenth() -> None:
    assert [exploration(2.0, "const", x) for x in (0, 1)] == [2.0, 2.0]
    assert [exploration(2.0, "linear", x) for x in (0, 0.5, 1)] == pytest.approx([2.0, 1.1, 0.2])
    assert [exploration(2.0, "exp", x) for x in (0, 0.5, 1)] == pytest.approx([2.0, 2 * 0.1**0.5, 0.2])


def test_importance_is_the_largest_deviation_from_the_node_or_from_the_siblings() -> None:
    root = Node(own=0.9)
    for value in (0.2, 0.4, 0.9):
        visited(root, value)
    assert importance(root, "node") == pytest.approx(0.7)
    assert importance(root, "siblings") == pytest.approx(0.4)
    root.own = None
    assert importance(root, "node") == pytest.approx(0.4)
    assert importance(Node(own=0.5), "node") == 0


@pytest.mark.parametrize(("alpha", "children"), [(1.0, 2), (2.0, 2), (3.9, 3), (4.0, 4), (30.0, 10)])
def test_importance_adds_children_from_where_alpha_exceeds_the_least_width(
    alpha: float, children: int
) -> None:
    settings = SearchSettings(alpha=alpha, least=2, most=10)
    node = visited(Node(), 0.5, own=0.25)
    visited(node, 1.0)
    assert importance(node, "node") == 0.75
    assert width(node, settings) == children


@given(values=st.lists(st.floats(0, 1), min_size=1, max_size=12), alpha=st.floats(0, 20))
def test_a_width_never_falls_and_stays_between_its_least_and_its_most(
    values: list[float], alpha: float
) -> None:
    settings = SearchSettings(alpha=alpha, least=2, most=6)
    node = child(Node())
    before = 0
    for value in values:
        visited(node, value)
        node.width = width(node, settings)
        assert max(before, 2) <= node.width <= 6
        before = node.width


def test_the_root_has_a_width_of_its_own_and_a_deep_node_one_child() -> None:
    settings = SearchSettings(root_least=7, depth=2)
    root = Node()
    assert width(root, settings) == 7
    second = child(child(root))
    assert (width(second.parent, settings), width(second, settings)) == (2, 1)  # type: ignore[arg-type]


def test_equal_children_are_followed_in_their_order() -> None:
    root = Node()
    first, second = visited(root, 0.5), visited(root, 0.5)
    first.finished = second.finished = True
    assert select(root, NARROW, 0) is first


@pytest.mark.parametrize("selection", ["uct", "puct"])
def test_pending_simulations_send_the_next_one_elsewhere(selection: str) -> None:
    settings = search_settings(root_least=2, root_most=2, selection=selection)
    root = Node()
    first, second = visited(root, 0.6), visited(root, 0.5)
    first.finished = second.finished = True
    assert select(root, settings, 0) is first
    begin(first, opens=False)
    assert select(root, settings, 0) is second
    end(first, opens=False)
    assert select(root, settings, 0) is first
    assert root.pending == first.pending == 0


def test_requested_children_count_for_the_width() -> None:
    root = Node()
    for _ in range(2):
        assert select(root, NARROW, 0) is root
        begin(root, opens=True)
    assert select(root, NARROW, 0) is None

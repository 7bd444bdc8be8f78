"""Values of the tree. The worked example of six simulations is in test_selection.py."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rise_agents.mcts.tree import Node, back_up, blend, leaves, nodes, path_to
from rise_env.errors import ConfigError

values = st.floats(0, 1, allow_nan=False)


def child(parent: Node, text: str = "x", *, finished: bool = False) -> Node:
    parent.children.append(Node(text, parent, finished))
    return parent.children[-1]


def grown(steps: list[tuple[int, float]], backup: str) -> Node:
    """Return a tree in which step (i, value) simulates a new child of the i-th node."""
    root = Node()
    for place, value in steps:
        known = list(nodes(root))
        new = child(known[place % len(known)])
        back_up(new, value, backup)  # type: ignore[arg-type]
    return root


@given(steps=st.lists(st.tuples(st.integers(0, 50), values), min_size=1, max_size=20))
def test_visits_of_a_node_are_its_own_and_those_of_its_children(steps: list[tuple[int, float]]) -> None:
    root = grown(steps, "mean")
    assert root.visits == len(steps)
    assert root.total == pytest.approx(sum(value for _, value in steps))
    for node in nodes(root):
        own = 0 if node is root else 1
        assert node.visits == own + sum(c.visits for c in node.children)


@given(steps=st.lists(st.tuples(st.integers(0, 50), values), min_size=1, max_size=20))
def test_with_max_the_mean_of_a_node_is_that_of_its_best_child(steps: list[tuple[int, float]]) -> None:
    root = grown(steps, "max")
    assert 0 <= root.mean <= 1
    for node in nodes(root):
        if node.children:
            assert node.mean == pytest.approx(max(c.mean for c in node.children))


@pytest.mark.parametrize("value", [-0.1, 1.1, float("nan")])
def test_a_value_out_of_range_is_refused_and_changes_nothing(value: float) -> None:
    root = Node()
    with pytest.raises(ConfigError, match=r"in \[0, 1\]"):
        back_up(root, value)
    assert root.visits == 0


def test_a_node_knows_its_depth_its_text_and_its_path() -> None:
    root = Node()
    second = child(child(root, "One. "), "Two.", finished=True)
    other = child(root, "Three.")
    assert (second.depth, second.beginning) == (2, "One. Two.")
    assert [node.text for node in path_to(second)] == ["", "One. ", "Two."]
    assert leaves(root) == [second, other]


def test_a_value_is_the_weighted_mean_of_the_terms_that_are_known() -> None:
    assert blend([(1, 0.2), (1, 0.6), (0, 1.0)]) == pytest.approx(0.4)
    assert blend([(1, None), (3, 0.5)]) == 0.5
    assert blend([(2, 1.0), (1, 0.4)]) == pytest.approx(0.8)
    assert blend([(1, None)]) is None

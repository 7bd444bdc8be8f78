from typing import Any

import pytest

from rise_agents.backends.mcts_agent import MCTSAgent
from rise_agents.mcts.presets import search_settings
from rise_agents.mcts.simulation import Simulation, add_child
from rise_agents.mcts.tree import Node, nodes
from rise_agents.types import Reply, SamplingConfig
from rise_env.errors import ConfigError
from tests.rise_agents.mcts.line_policy import ASKED, LinePolicy


def inserted(root: Node, text: str, tokens: int, **settings: Any) -> Simulation:
    simulation = Simulation(root)
    ids = tuple(range(tokens))
    reply = Reply(text=text, token_ids=ids, logprobs=tuple(-float(i) for i in ids))
    simulation.draws.append(reply)
    # a token is a line
    add_child(
        simulation, search_settings(insert="path", **settings), lambda reply, n: reply.text[:n].count("\n")
    )
    return simulation


def test_a_whole_path_becomes_nodes_and_shared_beginnings_are_used_again() -> None:
    root = Node()
    first = inserted(root, "one\ntwo\n\\boxed{3}", 3)
    second = inserted(root, "one\nthree\n\\boxed{4}", 3)
    assert [node.text for node in nodes(root)] == [
        "",
        "one\n",
        "two\n",
        "\\boxed{3}",
        "three\n",
        "\\boxed{4}",
    ]
    assert [node.logprobs for node in nodes(root)][1:4] == [(-0.0,), (-1.0,), (-2.0,)]
    assert first.child is not None
    assert first.child.finished
    assert first.child.beginning == "one\ntwo\n\\boxed{3}"
    assert not second.merged
    assert root.repeats == 1  # the second reply drew the first option again
    again = inserted(root, "one\ntwo\n\\boxed{3}", 3)
    assert again.merged
    assert again.child is first.child


def test_a_path_ends_at_the_depth_with_the_whole_rest() -> None:
    root = Node()
    inserted(root, "one\ntwo\nthree\n\\boxed{3}", 4, depth=2)
    assert [node.text for node in nodes(root)] == ["", "one\n", "two\n", "three\n\\boxed{3}"]
    assert [node.finished for node in nodes(root)] == [False, False, False, True]


def search(**settings: Any) -> tuple[Reply, LinePolicy]:
    policy = LinePolicy()
    [reply] = MCTSAgent(policy, search_settings(**settings)).act([ASKED], SamplingConfig(), [0])
    return reply, policy


def test_a_search_says_how_its_tree_grew() -> None:
    reply, policy = search(simulations=12, root_least=12)
    [record] = reply.messages
    # all draws are at the root, which has two possible first lines
    assert record == {
        "role": "search", "rounds": 12, "simulations": 12, "draws": 12, "merged": 10, "depth": 1.0
    }  # fmt: skip
    assert len(policy.requests) == 12


def test_inserted_paths_make_deeper_trees_with_the_same_requests() -> None:
    reply, policy = search(simulations=6, root_least=6, insert="path")
    [record] = reply.messages
    assert record["depth"] == 3
    assert record["simulations"] == len(policy.requests) == 6
    assert len({reply.text, *(other.text for other in reply.considered)}) == 6 - record["merged"]


@pytest.mark.parametrize("settings", [{"rollouts": 4}, {"rollout_agent": "tiny"}])
def test_whole_paths_leave_nothing_to_roll_out(settings: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match="leave out rollouts and rollout_agent"):
        search_settings(insert="path", **settings)

"""A conversation that outgrows the model's context: the same outcome over a server as with a local model."""

from collections.abc import Sequence

import pytest

from rise_agents.client.context_room import room_for_reply
from rise_agents.rollouts.rollout import rollout
from rise_agents.rollouts.turn_plan import TurnPlan
from rise_agents.types import Agent, Reply, SamplingConfig
from rise_env.types import Trajectory
from tests.rise_agents.backends.faulty_server import Handler, agent_of, serving
from tests.rise_agents.fake_agents import SeededAgent, envs
from tests.rise_agents.rollouts.streaming_agents import Guesser, Streamer

MESSAGES = [
    (
        "This model's maximum context length is 8192 tokens. However, your messages resulted in 9000 tokens. "
        "Please reduce the length of the messages.",
        0,
    ),
    (
        "This model's maximum context length is 8192 tokens. However, you requested 9192 tokens (1000 in the "
        "messages, 8192 in the completion).",
        7192,
    ),
    (
        "'max_tokens' or 'max_completion_tokens' is too large: 500. This model's maximum context length is "
        "100 tokens and your request has 88 input tokens (500 > 100 - 88).",
        12,
    ),
    ("the request exceeds the available context size, try increasing it", 0),
    ("Requested token count exceeds the model's maximum context length of 512 tokens.", 0),
    ("The input (900 tokens) is longer than the model's context length (512 tokens).", 0),
    ("{'code': 'context_length_exceeded'}", 0),
]


@pytest.mark.parametrize(("message", "room"), MESSAGES)
def test_the_error_of_a_server_may_say_how_long_a_reply_may_be(message: str, room: int) -> None:
    assert room_for_reply(message) == room


def refuse(message: str) -> object:
    def fault(handler: Handler) -> bool:
        handler.answer(400, {"error": {"message": message, "type": "invalid_request_error"}})
        return True

    return fault


def played(agent: Agent, turns: int = 3) -> Sequence[Trajectory]:
    return rollout([TurnPlan(agent)] * turns, envs(2, max_turns=turns), range(2), SamplingConfig(), seed=0)


def check_outgrown(episodes: Sequence[Trajectory]) -> None:
    for episode in episodes:
        assert episode.error is None
        assert (episode.terminated, episode.truncated) == (False, True)
        assert [turn.action.finish for turn in episode.turns] == ["stop", "length"]
        assert episode.turns[-1].action.reply == ""


def test_over_a_server_the_episode_is_truncated_and_valid(short_waits: None) -> None:
    full = refuse(MESSAGES[0][0])

    def label(body: dict[str, list[object]]) -> str:
        return str(len(body["messages"]))

    with serving(lambda text: [] if text == "1" else [full] * 9, label) as server:  # type: ignore[list-item]
        check_outgrown(played(agent_of(server)))
        assert server.tries == {"1": 2, "3": 2}, "a full context is not asked for again"


@pytest.mark.parametrize("kind", [Guesser, Streamer])
def test_with_a_local_agent_the_episode_is_truncated_and_valid(kind: type[Guesser]) -> None:
    class Small(kind):  # type: ignore[misc, valid-type]
        def reply(self, conversation: object, seed: int) -> Reply:
            full = len(conversation) > 1  # type: ignore[arg-type]
            return Reply(text="", finish="length") if full else Reply(text="\\boxed{-1}")

    check_outgrown(played(Small()))


def test_a_reply_that_is_cut_before_its_text_does_not_end_the_episode() -> None:
    agent = SeededAgent(lambda conversation, seed: "")
    assert {len(episode.turns) for episode in played(agent)} == {3}


def test_a_request_that_fits_with_a_shorter_reply_is_sent_again(short_waits: None) -> None:
    with serving(lambda text: [refuse(MESSAGES[2][0])]) as server:  # type: ignore[list-item]
        [reply] = agent_of(server).act([({"role": "user", "content": "x"},)], SamplingConfig(), [0])
        assert reply.finish == "stop"
        assert [body["max_tokens"] for body in server.bodies] == [1000, 12]


def test_a_request_that_the_context_refuses_costs_nothing(short_waits: None) -> None:
    prices = {"prompt": 1e6, "completion": 1e6}
    with serving(lambda text: [refuse(MESSAGES[0][0])] * 9) as server:  # type: ignore[list-item]
        agent = agent_of(server, prices=prices, max_usd=50.0)
        [reply] = agent.act([({"role": "user", "content": "x"},)], SamplingConfig(max_new_tokens=8), [0])
        assert (reply.text, reply.finish) == ("", "length")
        assert agent.spent == 0

"""What happens inside a turn, such as calls of tools: stored and exported, and shown to no one later."""

import json
from pathlib import Path
from typing import Any

import pytest

from rise_agents.rollouts.turn_plan import TurnPlan
from rise_agents.types import Reply
from rise_env.errors import AgentError
from rise_env.trajectories.export.formats import messages, prompt_completion
from rise_env.types import Conversation
from tests.rise_agents.rollouts.streaming_agents import Guesser, collected, played

CALL = {
    "role": "assistant",
    "tool_calls": [{"id": "1", "function": {"name": "add", "arguments": '{"a": 1}'}}],
}
RESULT = {"role": "tool", "tool_call_id": "1", "content": "42"}


class UsesTools(Guesser):
    """Calls a tool before each reply of even seeds."""

    def reply(self, conversation: Conversation, seed: int) -> Reply:
        assert "tool" not in {message["role"] for message in conversation}
        inside = (CALL, RESULT) if seed % 2 == 0 else ()
        return Reply(text=super().reply(conversation, seed).text, messages=inside)


def test_the_messages_inside_a_turn_are_stored_with_its_reply_and_change_nothing_else(tmp_path: Path) -> None:
    episodes = collected(tmp_path / "s.jsonl", *[TurnPlan(UsesTools())] * 3, max_concurrent_episodes=5)
    inside = [turn.action.messages for episode in episodes for turn in episode.turns]
    assert set(map(len, inside)) == {0, 2}
    assert max(inside, key=len) == (CALL, RESULT)
    plain = played(*[TurnPlan(Guesser())] * 3)
    assert [[t.observation for t in e.turns] for e in episodes] == [
        [t.observation for t in e.turns] for e in plain
    ]


def test_the_export_of_messages_has_them_as_json_of_each_turn() -> None:
    episodes = played(*[TurnPlan(UsesTools())] * 3)
    for episode, row in zip(episodes, messages(episodes), strict=True):
        found = [json.loads(text) if text else [] for text in row["inside"]]
        assert found == [list(turn.action.messages) for turn in episode.turns]
    assert all(
        message["role"] != "tool" for row in prompt_completion(episodes) for message in row["completion"]
    )


@pytest.mark.parametrize(
    "wrong", [[CALL], ("text",), ({"content": "no role"},), ({"role": "tool", "x": {1}},)]
)
def test_messages_that_no_store_could_hold_are_refused(wrong: Any) -> None:
    with pytest.raises(AgentError, match="messages must be a tuple of JSON objects with a role"):
        Reply(text="", messages=wrong)

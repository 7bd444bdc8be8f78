"""What agents receive: copies of the messages, which every tokenizer and server can read."""

from collections.abc import Sequence
from typing import Any

import pytest

from rise_agents.deliberation.message_copies import copy_for_agent
from rise_agents.rollouts.turn_plan import TurnPlan
from rise_agents.types import Agent, Reply, SamplingConfig
from rise_env.errors import AgentError
from rise_env.types import Conversation
from tests.rise_agents.rollouts.streaming_agents import Guesser, Streamer, played


class Rewrites(Guesser):
    """Answers as a guesser does, and then spoils the messages that it got."""

    def reply(self, conversation: Conversation, seed: int) -> Reply:
        reply = super().reply(conversation, seed)
        for message in conversation:
            message["content"] = "spoilt"
            message["role"] = "system"
        return reply


class RewritesInStream(Rewrites, Streamer):
    """The same, and streams."""


@pytest.mark.parametrize("agent", [Rewrites, RewritesInStream])
def test_an_agent_that_changes_messages_changes_no_trajectory(agent: type[Guesser]) -> None:
    assert played(*[TurnPlan(agent())] * 3) == played(*[TurnPlan(Guesser())] * 3)


@pytest.mark.parametrize(
    ("text", "readable"),
    [
        ("no surrogate: x² 😀", "no surrogate: x² 😀"),
        ("half \ud83d of one", "half \ufffd of one"),
        ("\ude00 alone", "\ufffd alone"),
        ("a pair \ud83d\ude00", "a pair 😀"),
    ],
)
def test_a_surrogate_without_its_partner_is_replaced(text: str, readable: str) -> None:
    [copied] = copy_for_agent(({"role": "assistant", "content": text, "reasoning_content": text},))
    assert copied == {"role": "assistant", "content": readable, "reasoning_content": readable}


@pytest.mark.parametrize("kind", [Guesser, Streamer])
def test_a_reply_with_a_lone_surrogate_does_not_fail_the_next_turn(kind: type[Guesser]) -> None:
    class Half(kind):  # type: ignore[misc, valid-type]
        def reply(self, conversation: Conversation, seed: int) -> Reply:
            "".join(message["content"] for message in conversation).encode()  # as a tokenizer does
            return Reply(text=f"\ud83d so \\boxed{{-{seed % 30 + 1}}}")

    episodes = played(*[TurnPlan(Half())] * 3)
    assert [episode.error for episode in episodes] == [None] * 12
    assert all(len(episode.turns) == 3 for episode in episodes)
    assert all("\ud83d" in turn.action.reply for episode in episodes for turn in episode.turns)


@pytest.mark.parametrize(
    ("returned", "message"),
    [
        (lambda replies: [*replies, *replies], "returned 2 replies to 1 conversations"),
        (lambda replies: (reply for reply in replies), "must return a list of replies, got a generator"),
        (lambda replies: [reply.text for reply in replies], "with a str and not with a Reply"),
    ],
    ids=["too many", "generator", "texts"],
)
def test_an_agent_that_breaks_the_contract_ends_the_run(returned: Any, message: str) -> None:
    class Breaks(Guesser):
        def act(
            self,
            conversations: Sequence[Conversation],
            sampling: SamplingConfig,
            seeds: Sequence[int] | None = None,
        ) -> list[Reply]:
            replies: list[Reply] = returned(super().act(conversations, sampling, seeds))
            return replies

    agent: Agent = Breaks()
    with pytest.raises(AgentError, match=message):
        played(*[TurnPlan(agent)] * 2, count=64)

"""What servers say that a model thought, and what requests say of it."""

from pathlib import Path
from typing import Any

import pytest

from rise_env.types import Conversation
from tests.rise_agents.backends.faulty_server import agent_of, chat, garbled, serving
from tests.rise_agents.backends.test_openai_agent import SAMPLING

QUESTION: Conversation = ({"role": "user", "content": "2 + 2?"},)
LATER: Conversation = (
    *QUESTION,
    {"role": "assistant", "content": "Four.", "reasoning_content": "Two and two."},
    {"role": "user", "content": "Are you sure?"},
)


def answered(fields: dict[str, Any], **settings: Any) -> Any:
    body = chat("")
    body["choices"][0]["message"] = {"role": "assistant", **fields}
    with serving(lambda text: [garbled(body)]) as server:
        agent = agent_of(server, **settings)
        [reply] = agent.act([QUESTION], SAMPLING, [1])
        agent.close()
    return reply


@pytest.mark.parametrize(
    ("fields", "reasoning", "text"),
    [
        ({"content": "Four.", "reasoning_content": "Two and two."}, "Two and two.", "Four."),
        ({"content": "Four.", "reasoning": "Two and two."}, "Two and two.", "Four."),
        ({"content": "\n\nFour.\n", "reasoning": "\nTwo and two.\n"}, "Two and two.", "Four.\n"),
        ({"content": "Four.", "reasoning": None, "reasoning_content": "Two."}, "Two.", "Four."),
        ({"content": None, "reasoning_content": "Two and"}, "Two and", ""),
        ({"content": "<think>\nTwo and two.\n</think>\n\nFour."}, "Two and two.", "Four."),
        ({"content": "Two and two.\n</think>\n\nFour."}, "Two and two.", "Four."),
        ({"content": "<think>Two and"}, "Two and", ""),
        ({"content": "Four.", "reasoning": {"effort": "high"}}, "", "Four."),
        ({"content": "\nFour."}, "", "\nFour."),
    ],
)
def test_the_thought_of_a_reply_is_no_part_of_its_text(
    fields: dict[str, Any], reasoning: str, text: str
) -> None:
    reply = answered(fields)
    assert (reply.reasoning, reply.text) == (reasoning, text)


def test_requests_have_earlier_thoughts_only_if_the_template_of_the_server_shall_decide() -> None:
    with serving(lambda text: []) as server:
        for settings in ({}, {"thinking": "template"}):
            agent = agent_of(server, **settings)
            agent.act([LATER], SAMPLING, [1])
            agent.close()
    hidden, sent = (body["messages"] for body in server.bodies)
    assert hidden == [{"role": m["role"], "content": m["content"]} for m in LATER]
    assert (sent[0], sent[2]) == (hidden[0], hidden[2])
    assert sent[1] == {**hidden[1], "reasoning_content": "Two and two.", "reasoning": "Two and two."}


def test_an_agent_that_sends_thoughts_has_another_name() -> None:
    with serving(lambda text: []) as server:
        names = [
            agent_of(server, **settings).name
            for settings in ({}, {"thinking": "hide"}, {"thinking": "template"})
        ]
    assert names[0] == names[1] == "openai:m"
    assert names[2] != names[0]


def test_a_reply_log_keeps_thoughts_and_does_not_ask_again_for_hidden_ones(tmp_path: Path) -> None:
    body = chat("Yes.")
    body["choices"][0]["message"]["reasoning_content"] = "I am."
    other: Conversation = (QUESTION[0], {"role": "assistant", "content": "Four."}, LATER[2])
    with serving(lambda text: [garbled(body)]) as server:
        for conversation in (LATER, other):
            agent = agent_of(server, reply_log=str(tmp_path / "log.jsonl"))
            [reply] = agent.act([conversation], SAMPLING, [1])
            agent.close()
            assert (reply.reasoning, reply.text) == ("I am.", "Yes.")
    assert len(server.bodies) == 1

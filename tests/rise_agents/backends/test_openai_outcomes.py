"""What a server says of a reply: why it ended, refusals, filters, parts, the served model."""

from pathlib import Path
from typing import Any

import pytest

from rise_agents.rollouts.rollout import rollout
from rise_agents.rollouts.turn_plan import TurnPlan
from rise_agents.types import Reply
from rise_env.metrics import diagnostics, reply_arrays
from rise_env.trajectories.recheck import Changes, recheck
from rise_env.trajectories.serialization import from_json, to_json
from rise_env.types import Trajectory, Verdict
from tests.rise_agents.backends.faulty_server import Fault, agent_of, chat, garbled, serving
from tests.rise_agents.backends.test_openai_agent import SAMPLING, asked
from tests.rise_agents.backends.test_openai_dead_server import answer
from tests.rise_agents.fake_agents import envs

pytest.importorskip("openai")


def ask(fault: Fault, **settings: Any) -> Reply:
    """Return the reply to a request that meets this."""
    with serving(lambda label: [fault]) as server:
        agent = agent_of(server, **settings)
        reply: Reply = agent.act(asked(1), SAMPLING, [1])[0]
        agent.close()
    return reply


def said(finish: str | None = "stop", **message: Any) -> dict[str, Any]:
    """Return an answer with this finish reason and message."""
    body = chat("", finish or "")
    body["choices"][0] |= {
        "finish_reason": finish,
        "message": {"role": "assistant", "content": "4", **message},
    }
    return body


@pytest.mark.parametrize(
    ("reason", "finish", "kept"),
    [
        ("stop", "stop", ""),
        ("length", "length", ""),
        ("max_tokens", "length", "max_tokens"),
        ("MAX_TOKENS", "length", "MAX_TOKENS"),
        ("tool_calls", "tool_calls", ""),
        ("function_call", "tool_calls", "function_call"),
        ("content_filter", "content_filter", ""),
        ("end_turn", "stop", "end_turn"),
        ("eos", "stop", "eos"),
        (None, "stop", ""),
    ],
)
def test_the_reason_why_a_reply_ended_is_kept(reason: str | None, finish: str, kept: str) -> None:
    reply = ask(garbled(said(reason)))
    assert (reply.text, reply.finish, reply.finish_reason) == ("4", finish, kept)


def test_a_refusal_keeps_its_text() -> None:
    reply = ask(garbled(said(content=None, refusal="I cannot help with sums.")))
    assert (reply.finish, reply.text) == ("refusal", "I cannot help with sums.")
    parts = [{"type": "refusal", "refusal": "No."}]
    assert ask(garbled(said(content=parts))).text == "No."


def test_a_call_of_a_tool_is_a_reply_without_text() -> None:
    call = {"id": "1", "type": "function", "function": {"name": "sum", "arguments": "{}"}}
    reply = ask(garbled(said("tool_calls", content=None, tool_calls=[call])))
    assert (reply.finish, reply.text) == ("tool_calls", "")


def test_content_in_parts_is_joined() -> None:
    parts = [
        {"type": "thinking", "thinking": [{"type": "text", "text": "Two and two."}]},
        {"type": "text", "text": "It is "},
        {"type": "text", "text": "4."},
    ]
    reply = ask(garbled(said(content=parts)))
    assert (reply.reasoning, reply.text) == ("Two and two.", "It is 4.")


def test_the_served_model_and_its_fingerprint_are_kept_in_replies_and_in_the_log(tmp_path: Path) -> None:
    body = said() | {"model": "m-2026-11-26", "system_fingerprint": "fp_1"}
    log = str(tmp_path / "log.jsonl")
    for _ in range(2):
        reply = ask(garbled(body), reply_log=log)
        assert (reply.served_model, reply.system_fingerprint) == ("m-2026-11-26", "fp_1")


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(answer(400, code="content_filter", message="blocked"), id="Azure"),
        pytest.param(answer(403, message="input was flagged", metadata={"reasons": ["x"]}), id="OpenRouter"),
    ],
)
def test_a_prompt_that_the_filter_catches_is_withheld(fault: Fault) -> None:
    reply = ask(fault)
    assert reply.finish == "content_filter"
    assert "answered with status 40" in reply.text


TOO_LONG = [
    {"code": "context_length_exceeded", "message": "too many tokens"},
    {"message": "This model's maximum context length is 2048 tokens."},
    {"type": "exceed_context_size_error", "message": "the request exceeds the available context size"},
    {"message": "The input (3000 tokens) is longer than the model's context length (2048 tokens)."},
]


@pytest.mark.parametrize("error", TOO_LONG)
def test_a_conversation_longer_than_the_context_gets_a_cut_reply(error: dict[str, str]) -> None:
    reply = ask(answer(400, **error))
    assert (reply.finish, reply.text, reply.finish_reason) == ("length", "", "context_length_exceeded")


def test_an_error_in_the_choice_is_tried_again(short_waits: None) -> None:
    body = said("error", content="It is")
    body["choices"][0]["error"] = {"code": 502, "message": "upstream"}
    assert ask(garbled(body)).text == "reply to 0"


def played(fault: Fault, number: int = 1, num_samples: int = 1) -> list[Trajectory]:
    """Play four episodes of three turns; the second turn of one of them meets this."""

    def faults(label: str) -> list[Fault]:
        return [fault] if label == f"{number}/1" else []

    def label(body: Any) -> str:
        messages = body["messages"]
        turn = sum(message["role"] == "assistant" for message in messages)
        return f"{messages[0]['content'].split()[2]}/{turn}"

    with serving(faults, label, lambda label: "\\boxed{-1}") as server:
        agent = agent_of(server)
        plan = [TurnPlan(agent, num_samples)] * 3
        found = rollout(plan, envs(4), range(4), SAMPLING, seed=0)
        agent.close()
    return found


@pytest.mark.parametrize("finish", ["content_filter", "refusal"])
def test_a_withheld_reply_ends_its_episode_with_a_verdict_of_its_own(finish: str) -> None:
    body = said("content_filter") if finish == "content_filter" else said(content=None, refusal="No.")
    episodes = played(garbled(body))
    assert [len(episode.turns) for episode in episodes] == [3, 2, 3, 3]
    withheld = episodes[1]
    assert (withheld.terminated, withheld.truncated, withheld.error) == (False, True, None)
    attempt = withheld.turns[1].action
    assert (attempt.finish, attempt.check.verdict, attempt.check.method) == (finish, Verdict.WITHHELD, finish)
    assert attempt.reward == 0.0
    assert from_json(to_json(withheld)) == withheld


def test_withheld_replies_are_counted_apart_and_not_checked_again() -> None:
    episodes = played(garbled(said("content_filter", content="\\boxed{2}")))
    table = reply_arrays.by_turn(episodes, 3)
    happened, of = diagnostics.withheld(table)
    assert (happened.sum(), of.sum()) == (1, 11)
    assert diagnostics.format_failures(table)[0].sum() == 0
    assert table.answer[1].tolist() == [table.answer[1, 0], 0, 0]  # no vote

    class Everything:
        def check(self, reply: str, reference: str, **_: Any) -> Any:
            raise AssertionError("it must not be checked")

    changes = Changes()
    [again] = recheck([_only_withheld(episodes[1])], Everything(), lambda check, turn: -1.0, changes)
    assert again.turns[0].action.check.verdict is Verdict.WITHHELD


def _only_withheld(episode: Trajectory) -> Trajectory:
    from dataclasses import replace

    return replace(episode, turns=episode.turns[1:])


def test_of_several_samples_a_withheld_one_is_not_chosen() -> None:
    episodes = played(garbled(said("content_filter")), num_samples=2)
    turn = episodes[1].turns[1]
    assert [attempt.finish for attempt in turn.attempts] == ["content_filter", "stop"]
    assert turn.chosen == 1
    assert len(episodes[1].turns) == 3

import base64
import json
import math
import struct
from dataclasses import FrozenInstanceError, fields, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rise_env.trajectories.serialization import episode_id, from_json, from_line, to_json
from rise_env.types import (
    AgentFeedback,
    Attempt,
    CheckResult,
    Problem,
    Trajectory,
    Turn,
    Usage,
    Verdict,
)
from tests.rise_env.problem_factories import trajectory

texts = st.text(max_size=20)
messages = st.fixed_dictionaries(
    {"role": st.sampled_from(["system", "user", "assistant"]), "content": texts},
    optional={"reasoning_content": texts},
)
finite = st.floats(allow_nan=False, allow_infinity=False)
json_values = st.none() | st.booleans() | st.integers() | texts | st.lists(texts, max_size=2)
later_fields = st.none() | st.dictionaries(
    texts.map(lambda name: f"later {name}"),
    json_values | st.dictionaries(texts, json_values),
    min_size=1,
    max_size=2,
)
attempts = st.builds(
    Attempt,
    agent=texts,
    reply=texts,
    check=st.builds(CheckResult, st.sampled_from(Verdict), st.none() | texts, texts, finite),
    reward=finite,
    finish=st.sampled_from(["stop", "length", "error"]),
    usage=st.builds(
        Usage,
        prompt_tokens=st.integers(0),
        completion_tokens=st.integers(0),
        cached_tokens=st.integers(0),
        calls=st.integers(0),
    ),
    messages=st.lists(st.fixed_dictionaries({"role": texts, "content": json_values}), max_size=2).map(tuple),
    reasoning=texts,
    token_ids=st.none() | st.lists(st.integers(0, 2**32 - 1), max_size=5).map(tuple),
    logprobs=st.none() | st.lists(st.floats(max_value=0, width=32), max_size=5).map(tuple),
    extra=later_fields,
)
feedback = st.builds(
    AgentFeedback,
    agent=texts,
    text=texts,
    finish=st.sampled_from(["stop", "length", "error"]),
    usage=st.builds(Usage, prompt_tokens=st.integers(0), completion_tokens=st.integers(0)),
    reasoning=texts,
    told=st.booleans(),
    extra=later_fields,
)
turns = st.lists(attempts, min_size=1, max_size=3).flatmap(
    lambda made: st.builds(
        Turn,
        observation=st.lists(messages, max_size=4).map(tuple),
        attempts=st.just(tuple(made)),
        chosen=st.integers(0, len(made) - 1),
        feedback=st.none() | feedback,
        extra=later_fields,
    )
)
problems = st.builds(
    Problem,
    id=texts,
    question=texts,
    reference=texts,
    solution=st.none() | texts,
    source=texts,
    split=texts,
    meta=st.dictionaries(texts, st.integers() | texts | st.booleans(), max_size=2),
    extra=later_fields,
)
trajectories = st.builds(
    Trajectory,
    id=texts,
    problem=problems,
    turns=st.lists(turns, max_size=4).map(tuple),
    seed=st.integers(0, 2**40),
    terminated=st.booleans(),
    truncated=st.booleans(),
    error=st.none() | texts,
    extra=later_fields,
)


def with_attempt(**changes: Any) -> Trajectory:
    """Return an episode whose first attempt has other fields."""
    made = trajectory(1)
    first = made.turns[0]
    attempt = replace(first.attempts[0], **changes)
    return replace(made, turns=(replace(first, attempts=(attempt,)), *made.turns[1:]))


@given(trajectories)
def test_every_trajectory_survives_json_unchanged(made: Trajectory) -> None:
    back = from_json(json.loads(json.dumps(to_json(made))))
    assert back == made
    seconds = [[a.check.seconds for turn in t.turns for a in turn.attempts] for t in (back, made)]
    assert seconds[0] == seconds[1]  # equality of checks leaves their time out


@given(trajectories)
def test_a_line_of_json_reads_as_its_value_does(made: Trajectory) -> None:
    line = json.dumps(to_json(made)).encode()
    assert from_line(line) == from_json(json.loads(line))


def test_what_was_read_is_frozen_and_typed() -> None:
    back = from_line(json.dumps(to_json(trajectory(1))).encode())
    action = back.turns[0].action
    for record in (back, back.problem, back.turns[0], action, action.check, action.usage):
        with pytest.raises(FrozenInstanceError):
            setattr(record, fields(record)[0].name, "another")
    assert isinstance(back.turns[0].action.usage, Usage)
    assert isinstance(back.turns[0].attempts, tuple)
    assert back.turns[0].action.check.verdict is trajectory(1).turns[0].action.check.verdict


@pytest.mark.parametrize(
    ("was", "becomes", "message"),
    [
        pytest.param('"seed": ', '"seed": "a", "_": ', r"int.*\.seed", id="seed is text"),
        pytest.param('"verdict": "', '"verdict": "almost ', r"almost.*attempts\[0\]\.verdict", id="verdict"),
        pytest.param('"attempts": [{', '"chosen": 9, "attempts": [{', "chosen attempt", id="chosen"),
        pytest.param('"attempts": ', '"attemptz": ', "attempts", id="no attempts"),
        pytest.param('"agent": ', '"tokens": [1, 2], "agent": ', r"length >= 3.*tokens", id="two counts"),
    ],
)
def test_a_damaged_value_is_named(was: str, becomes: str, message: str) -> None:
    line = json.dumps(to_json(trajectory(1)))
    with pytest.raises(ValueError, match=message):
        from_line(line.replace(was, becomes, 1).encode())


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("token_ids", "", "token ids"),
        ("token_ids", "AwEA", "token ids"),  # no width of 3
        ("token_ids", "AgE=", "token ids"),  # half an id
        ("token_ids", "no base64", "token_ids"),
        ("token_ids", 7, "token_ids"),
        ("logprobs", "AgE=", "log-probabilities"),
    ],
)
def test_damaged_token_bytes_are_named(name: str, value: object, message: str) -> None:
    made = to_json(trajectory(1))
    made["turns"][0]["attempts"][0][name] = value
    with pytest.raises(ValueError, match=message):
        from_line(json.dumps(made).encode())


@pytest.mark.parametrize(("largest", "size"), [(65535, 5), (65536, 9)])
def test_token_ids_take_two_bytes_each_where_these_suffice(largest: int, size: int) -> None:
    made = with_attempt(token_ids=(0, largest))
    text = to_json(made)["turns"][0]["attempts"][0]["token_ids"]
    assert len(base64.b64decode(text)) == size
    assert from_json(to_json(made)) == made


def test_log_probabilities_are_rounded_to_32_bits() -> None:
    back = from_json(to_json(with_attempt(logprobs=(-0.1, -math.inf, 0.0))))
    assert back.turns[0].action.logprobs == (struct.unpack("f", struct.pack("f", -0.1))[0], -math.inf, 0.0)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("token_ids", (-1,)),
        ("token_ids", (2**32,)),
        ("token_ids", (1.5,)),
        ("token_ids", ("a",)),
        ("logprobs", (1e300,)),
        ("logprobs", (None,)),
    ],
)
def test_what_the_bytes_cannot_hold_is_an_error(name: str, value: object) -> None:
    with pytest.raises(ValueError, match="must be"):
        to_json(with_attempt(**{name: value}))


def test_the_number_of_calls_is_a_fourth_count_only_where_an_agent_asked_several() -> None:
    def stored(calls: int) -> list[int]:
        usage = Usage(prompt_tokens=5, completion_tokens=6, cached_tokens=4, calls=calls)
        counts: list[int] = to_json(with_attempt(usage=usage))["turns"][0]["attempts"][0]["tokens"]
        return counts

    assert stored(0) == [5, 6, 4]
    assert stored(9) == [5, 6, 4, 9]


def test_fields_of_a_later_version_are_read_and_written_again() -> None:
    written = to_json(trajectory(1))
    written["score"] = 1
    written["problem"]["license"] = "MIT"
    written["turns"][1]["hint"] = {"role": "user"}
    written["turns"][1]["attempts"][0]["votes"] = [1, 2]
    back = from_line(json.dumps(written).encode())
    assert back.extra == {"score": 1}
    assert back.problem.extra == {"license": "MIT"}
    assert back.turns[1].extra == {"hint": {"role": "user"}}
    assert back.turns[1].action.extra == {"votes": [1, 2]}
    assert back.turns[0].extra is back.turns[0].action.extra is None
    assert to_json(back) == written


def test_extra_fields_cannot_replace_fields_of_the_table() -> None:
    with pytest.raises(ValueError, match="'reward'"):
        to_json(with_attempt(extra={"reward": 2.0}))


def test_later_observations_repeat_the_reasoning_of_an_action_without_space_in_the_store() -> None:
    first = with_attempt(reasoning="Let me think.")
    reply = first.turns[0].action.reply
    answered = {"role": "assistant", "content": reply, "reasoning_content": "Let me think."}
    observation = (*first.turns[0].observation, answered, {"role": "user", "content": "Again."})
    made = replace(first, turns=(first.turns[0], replace(first.turns[1], observation=observation)))
    written = to_json(made)
    assert written["turns"][1]["new"] == [{"role": "user", "content": "Again."}]
    assert "keep" not in written["turns"][1]
    assert from_json(written) == made


def test_an_observation_is_written_as_what_it_adds() -> None:
    rows = to_json(trajectory(1, turns=3))["turns"]
    assert [len(row["new"]) for row in rows] == [1, 1, 1]
    assert all("keep" not in row for row in rows)


def test_size_is_linear_in_the_number_of_turns() -> None:
    sizes = [len(json.dumps(to_json(trajectory(1, turns=n)))) for n in (10, 20, 40)]
    assert sizes[2] - sizes[1] == pytest.approx(2 * (sizes[1] - sizes[0]), rel=0.05)


def test_a_sliding_window_keeps_the_first_message_by_reference() -> None:
    made = trajectory(1, turns=6, window=2)
    rows = to_json(made)["turns"]
    assert [row.get("keep") for row in rows] == [None, None, 1, 1, 1, 1]
    assert from_json(to_json(made)) == made


def test_the_id_of_an_episode_is_this_one_in_every_run() -> None:
    problem = Problem(id="sums/1", question="1 + 1?", reference="2")
    assert episode_id(problem, {"turns": [["tiny", 1]]}, 0) == "ea6406b19c18bf5c6ae26835"


@pytest.mark.parametrize(
    ("problem", "plan", "seed"),
    [
        pytest.param(Problem(id="b", question="q", reference="1"), ["p"], 0, id="problem id"),
        pytest.param(Problem(id="a", question="r", reference="1"), ["p"], 0, id="question"),
        pytest.param(Problem(id="a", question="q", reference="2"), ["p"], 0, id="reference"),
        pytest.param(Problem(id="a", question="q", reference="1"), ["o"], 0, id="plan"),
        pytest.param(Problem(id="a", question="q", reference="1"), ["p"], 1, id="seed"),
    ],
)
def test_another_episode_has_another_id(problem: Problem, plan: list[str], seed: int) -> None:
    assert episode_id(problem, plan, seed) != episode_id(
        Problem(id="a", question="q", reference="1"), ["p"], 0
    )


def test_scores_and_considered_replies_are_stored_and_left_out_where_there_are_none() -> None:
    check = CheckResult(Verdict.WRONG, "3")
    given = Attempt(agent="a", reply="4", check=check, reward=0.0, score=0.25)
    other = Attempt(agent="a", reply="3", check=check, reward=0.0, score=1.0)
    turn = Turn(observation=({"role": "user", "content": "q"},), attempts=(given,), considered=(other,))
    problem = Problem(id="p", question="q", reference="2")
    with_both = Trajectory(id="t", problem=problem, turns=(turn,), seed=0)
    line = json.dumps(to_json(with_both)).encode()
    assert from_line(line) == with_both
    plain = replace(with_both, turns=(replace(turn, attempts=(replace(given, score=None),), considered=()),))
    assert b"considered" not in json.dumps(to_json(plain)).encode()
    assert b"score" not in json.dumps(to_json(plain)).encode()

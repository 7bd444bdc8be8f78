"""Gymnasium's wrappers and tools around our environments, single and vector."""

import copy
import json
import pickle
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium import wrappers
from gymnasium.wrappers import vector

import rise_env
from rise_env.envs.spaces import ConversationSpace
from rise_env.errors import ConfigError
from rise_env.wrappers import TextObservation, VectorTextObservation
from tests.rise_env.conftest import SUMS

ID = "RISE-Custom-v0"
SETTINGS: dict[str, Any] = {"dataset": SUMS, "checker": "numeric"}
WRONG = r"\boxed{-5}"
MODES = ("NextStep", "SameStep", "Disabled")


def make(**more: Any) -> gymnasium.Env[Any, str]:
    return gymnasium.make(ID, **SETTINGS, **more)


def make_vec(**more: Any) -> Any:
    return gymnasium.make_vec(ID, num_envs=2, **SETTINGS, **more)


@pytest.mark.parametrize("padding", ["zero", "reset"])
def test_frames_of_conversations_and_texts_are_stacked(padding: str) -> None:
    for env in (make(), TextObservation(make())):
        stacked = wrappers.FrameStackObservation(env, 3, padding_type=padding)
        first, _ = stacked.reset(seed=1)
        assert first in stacked.observation_space
        zero: Any = () if isinstance(env.observation_space, ConversationSpace) else ""
        assert first[0] == (zero if padding == "zero" else first[2])
        assert stacked.step(WRONG)[0][1] == first[2]


def test_the_info_of_reset_and_step_is_json() -> None:
    env = make(max_turns=1)
    assert json.loads(json.dumps(env.reset(seed=1)[1]))["turn"] == 0
    info = env.step(WRONG)[4]
    assert json.loads(json.dumps(info)) == {
        "problem_id": info["problem_id"],
        "turn": 1,
        "verdict": "wrong",
        "correct": False,
        "answer": "-5",
        "method": "number",
    }
    for twin in (copy.copy(info), copy.deepcopy(info), pickle.loads(pickle.dumps(info)), {**info}):  # noqa: S301
        assert twin == info
        assert type(twin) is dict is type(info)


def test_the_whole_check_is_an_attribute_of_the_environment() -> None:
    env = make().unwrapped
    assert isinstance(env, rise_env.MathEnv)
    env.reset(seed=1)
    assert env.last_check is None
    info = env.step(WRONG)[4]
    check = env.last_check
    assert check is not None
    assert (check.verdict.value, check.answer, check.method) == ("wrong", info["answer"], info["method"])
    assert check.seconds > 0
    state, twin = env.get_state(), env.fork()
    assert (twin.last_check, copy.deepcopy(env).last_check) == (check, check)
    env.step("hm")
    assert env.last_check is not check
    assert twin.last_check is check
    env.set_state(state)
    assert env.last_check is check
    env.reset()
    assert env.last_check is None


@pytest.mark.parametrize("max_turns", [None, 3])
def test_the_spec_tells_the_limit_on_turns_and_no_time_limit_is_added(max_turns: int | None) -> None:
    given = {} if max_turns is None else {"max_turns": max_turns}
    limit = max_turns or 5
    env = make(**given)
    assert env.spec is not None
    again = gymnasium.make(env.spec)
    longer = gymnasium.make(env.spec, max_turns=limit + 2)
    for found, turns in ((env, limit), (again, limit), (longer, limit + 2)):
        assert found.spec is not None
        assert found.spec.kwargs["max_turns"] == turns
        assert "TimeLimit" not in str(found)
        found.reset(seed=0)
        ends = [found.step(WRONG)[2:4] for _ in range(turns)]
        assert ends == [(False, False)] * (turns - 1) + [(False, True)]
    assert make_vec(**given).spec.kwargs["max_turns"] == limit
    assert "max_turns" not in gymnasium.spec(ID).kwargs
    assert rise_env.MathEnv(env.unwrapped.problems, env.unwrapped.checker).spec is None  # type: ignore[attr-defined]


def test_the_registry_is_printed_with_the_ids_under_their_name() -> None:
    text = gymnasium.pprint_registry(disable_print=True)
    assert text is not None
    group = text.split("===== rise =====")[1].split("=====")[0]
    assert "RISE-GSM8K-v0" in group


def test_an_unknown_argument_is_refused_as_python_refuses_it() -> None:
    with pytest.raises(TypeError, match="got an unexpected keyword argument 'frameskip'") as caught:
        make(frameskip=4)
    assert isinstance(caught.value, ConfigError)
    with pytest.raises(ConfigError, match="unexpected keyword argument 'max_turn'; did you mean 'max_turns'"):
        make_vec(max_turn=4)


def test_statistics_and_limits_of_episodes_work() -> None:
    env = wrappers.RecordEpisodeStatistics(wrappers.TimeLimit(make(), 3))
    env.reset(seed=0)
    for _ in range(3):
        *_, truncated, info = env.step(WRONG)
    assert truncated
    assert (info["episode"]["l"], float(info["episode"]["r"])) == (3, 0.0)
    assert info["verdict"] == "wrong"


def test_other_single_wrappers_work() -> None:
    env = wrappers.TransformReward(wrappers.TransformAction(make(), str.strip, None), lambda r: 2 * r)
    env = wrappers.TransformObservation(env, lambda messages: messages[-1:], None)
    env.reset(options={"index": 3})
    assert env.step(r"   \boxed{7} ")[:3] == (({"role": "assistant", "content": r"\boxed{7}"},), 2.0, True)
    recorded = wrappers.DelayObservation(make(), delay=1)
    recorded.reset(seed=0)
    assert recorded.step(WRONG)[0] in recorded.observation_space
    again = wrappers.Autoreset(make(max_turns=1))
    again.reset(seed=0)
    again.step(WRONG)
    assert len(again.step(WRONG)[0]) == 1
    rendered = wrappers.RenderCollection(make(render_mode="ansi"))
    rendered.reset(seed=0)
    rendered.step(WRONG)
    assert len(rendered.render()) == 2  # type: ignore[arg-type]


@pytest.mark.parametrize("mode", MODES)
def test_a_batch_is_observed_as_texts_in_every_autoreset_mode(mode: str) -> None:
    plain, envs = make_vec(autoreset_mode=mode), VectorTextObservation(make_vec(autoreset_mode=mode))
    one = TextObservation(make())
    texts, _ = envs.reset(options={"index": [3, 4]})
    conversations, _ = plain.reset(options={"index": [3, 4]})
    for _ in range(5):
        assert texts == tuple(one.observation(conversation) for conversation in conversations)
        assert texts in envs.observation_space
        texts, *_, infos = envs.step([WRONG, "hm"])
        conversations, *_, expected = plain.step([WRONG, "hm"])
    if mode == "SameStep":
        assert infos["final_obs"].tolist() == [one.observation(found) for found in expected["final_obs"]]


def test_the_vector_wrappers_of_gymnasium_work() -> None:
    envs = vector.DictInfoToList(vector.RecordEpisodeStatistics(make_vec(max_turns=1)))
    envs.reset(seed=0)
    _, rewards, _, truncated, infos = envs.step([WRONG, "hm"])
    assert rewards.tolist() == [0.0, -1.0]
    assert truncated.all()
    assert [info["episode"]["l"] for info in infos] == [1, 1]
    assert [info["verdict"] for info in infos] == ["wrong", "no_answer"]
    scaled = vector.TransformReward(make_vec(), lambda reward: reward * 2)
    scaled.reset(seed=0)
    assert scaled.step([WRONG, "hm"])[1].tolist() == [0.0, -2.0]
    cut = vector.TransformObservation(make_vec(), lambda batch: tuple(found[-1:] for found in batch))
    assert [len(found) for found in cut.reset(seed=0)[0]] == [1, 1]


@pytest.mark.parametrize("mode", ["sync", "async"])
def test_gymnasiums_own_vector_environments_have_the_infos_of_ours(mode: str) -> None:
    kwargs = {"shared_memory": False} if mode == "async" else {}
    envs = gymnasium.make_vec(ID, 2, vectorization_mode=mode, vector_kwargs=kwargs, **SETTINGS)
    ours = make_vec()
    try:
        for found in (envs, ours):
            found.reset(options={"index": 3})
        infos, expected = (found.step((WRONG, "hm"))[4] for found in (envs, ours))
        assert set(infos) == set(expected)
        for key, values in expected.items():
            assert np.asarray(infos[key]).tolist() == values.tolist(), key
        assert infos["method"].tolist() == ["number", "extraction"]
        assert type(infos) is dict is type(expected)
    finally:
        envs.close()

import hashlib
import json

import gymnasium
import pytest
from gymnasium.utils.env_checker import check_env

from rise_env.checkers import NumericChecker
from rise_env.envs.math_env import MathEnv
from rise_env.envs.prompts import BLIND, FIRST
from rise_env.errors import ConfigError, EpisodeError
from tests.rise_env.conftest import SUMS


def test_the_first_message_poses_the_problem(env: MathEnv) -> None:
    observation, info = env.reset(options={"index": 3})
    assert observation == ({"role": "user", "content": FIRST.format(question="What is 3 + 4?")},)
    assert info == {
        "problem_id": "sums/3",
        "index": 3,
        "turn": 0,
        "source": "sums sha256:0",
        "split": "test",
        "prompt": env.rules.initial_prompt.label,
    }


@pytest.mark.parametrize(
    ("split", "digest", "posed"),
    [
        ("train", "44524926a3bb029b", [850624, 473188, 837575]),
        ("validation", "b9b658f43cf09aee", [850, 473, 837]),
        ("test", "00be3080cdd3a8d5", [850, 473, 837]),
    ],
)
def test_the_embedded_model_meets_the_texts_problems_and_rewards_it_was_made_for(
    split: str, digest: str, posed: list[int]
) -> None:
    env = gymnasium.make("RISE-Arithmetic-v0", split=split)
    assert [env.reset(seed=seed)[1]["index"] for seed in range(3)] == posed
    found = hashlib.sha256()
    for index in range(100):
        env.reset(options={"index": index})
        for reply in ("hm", r"\boxed{-1}", r"\boxed{}"):
            *outcome, info = env.step(reply)
            found.update(json.dumps([*outcome, info["verdict"], info["problem_id"]]).encode())
    assert found.hexdigest().startswith(digest)


def test_a_right_answer_terminates_and_a_wrong_one_goes_on(env: MathEnv) -> None:
    env.reset(options={"index": 3})
    observation, reward, terminated, truncated, info = env.step(r"\boxed{8}")
    assert (reward, terminated, truncated) == (0.0, False, False)
    assert [message["role"] for message in observation] == ["user", "assistant", "user"]
    assert info["verdict"] == "wrong"
    observation, reward, terminated, truncated, info = env.step(r"\boxed{7}")
    assert (reward, terminated, truncated) == (1.0, True, False)
    assert observation[-1] == {"role": "assistant", "content": r"\boxed{7}"}
    assert (info["correct"], info["turn"], info["problem_id"]) == (True, 2, "sums/3")


def test_turns_that_are_used_up_truncate() -> None:
    env = MathEnv(SUMS, NumericChecker(), max_turns=2)
    env.reset()
    assert env.step("no idea")[1:4] == (-1.0, False, False)
    assert env.step("no idea")[1:4] == (-1.0, False, True)


@pytest.mark.parametrize("max_turns", [1, 2, 5])
def test_terminated_and_truncated_are_never_both_true(max_turns: int) -> None:
    env = MathEnv(SUMS, NumericChecker(), max_turns=max_turns)
    for solved_at in range(max_turns):
        env.reset(options={"index": 0})
        for turn in range(max_turns):
            _, _, terminated, truncated, _ = env.step(r"\boxed{1}" if turn == solved_at else r"\boxed{2}")
            assert not (terminated and truncated)
            if terminated or truncated:
                assert turn == solved_at
                break


def test_without_stopping_all_turns_are_played() -> None:
    env = MathEnv(SUMS, NumericChecker(), max_turns=3, stop_when_correct=False)
    env.reset(options={"index": 0})
    flags = [env.step(r"\boxed{1}")[1:4] for _ in range(3)]
    assert flags == [(1.0, False, False), (1.0, False, False), (1.0, False, True)]


def test_blind_feedback_is_the_default() -> None:
    env = MathEnv(SUMS, NumericChecker())
    env.reset(options={"index": 0})
    observation = env.step(r"\boxed{2}")[0]
    assert observation[-1] == {"role": "user", "content": BLIND.format(question=SUMS[0].question)}


def test_checking_and_pricing_a_reply_change_nothing(env: MathEnv) -> None:
    env.reset(options={"index": 0})
    before = env.get_state()
    assert env.check(r"\boxed{1}").correct
    assert env.reward(env.check("nothing")) == -1.0
    assert env.step(r"\boxed{2}")[4]["turn"] == 1
    assert before.episode is not None
    assert before.episode.turn == 0


def test_a_seed_draws_the_same_problems_again(env: MathEnv) -> None:
    def drawn() -> list[str]:
        first = env.reset(seed=7)[1]["problem_id"]
        return [first, *(env.reset()[1]["problem_id"] for _ in range(10))]

    assert drawn() == drawn()
    assert len(set(drawn())) > 3


def test_without_shuffling_problems_come_in_order() -> None:
    env = MathEnv(SUMS, NumericChecker(), shuffle=False)
    assert [env.reset()[1]["index"] for _ in range(22)] == [*range(20), 0, 1]
    assert env.reset(seed=1)[1]["index"] == 0


def test_a_problem_can_be_asked_for_by_id(env: MathEnv) -> None:
    assert env.reset(options={"problem_id": "sums/17"})[1]["index"] == 17


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"index": 20}, r"index must be an integer in \[0, 20\), got 20"),
        ({"index": -1}, "got -1"),
        ({"index": "3"}, "got '3'"),
        ({"problem_id": "sums/99"}, "no problem 'sums/99' among 20"),
        ({"indx": 1}, "did you mean 'index'"),
        ({"index": 1, "problem_id": "sums/1"}, "got both"),
    ],
)
def test_options_that_cannot_be_met_say_why(env: MathEnv, options: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        env.reset(options=options)


def test_steps_out_of_order_say_what_to_do(env: MathEnv) -> None:
    with pytest.raises(EpisodeError, match=r"call reset\(\) first"):
        env.step("1")
    env.reset(options={"index": 0})
    env.step(r"\boxed{1}")
    with pytest.raises(EpisodeError, match="the episode is over"):
        env.step(r"\boxed{1}")


def test_an_action_that_is_not_text_is_refused(env: MathEnv) -> None:
    env.reset()
    with pytest.raises(ConfigError, match="an action is the reply's text, got dict"):
        env.step({"role": "assistant", "content": "1"})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"feedback": "oracle"},
        {"released_rise": True},
        {"shuffle": False},
        {"few_shot": 2, "system_prompt": "Be brief."},
        {"stop_when_correct": False},
    ],
    ids=str,
)
def test_gymnasium_finds_nothing_wrong(settings: dict[str, object]) -> None:
    check_env(gymnasium.make("RISE-Arithmetic-v0", **settings).unwrapped)

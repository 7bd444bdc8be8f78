"""Every argument is checked for type and value when an environment is made; the message names it."""

from typing import Any

import numpy as np
import pytest

import rise_env
from rise_env.checkers import NumericChecker
from rise_env.envs.math_env import MathEnv
from rise_env.envs.rewards import Rewards, delay_gain
from rise_env.envs.vector_env import MathVectorEnv
from rise_env.errors import ConfigError
from rise_env.wrappers import ContextWindow
from tests.rise_env.conftest import SUMS

NAN = float("nan")


@pytest.mark.parametrize("make", [MathEnv, MathVectorEnv])
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"stop_when_correct": "false"}, "stop_when_correct is 'false': expected bool, got str"),
        ({"stop_when_correct": 1}, "stop_when_correct is 1: expected bool, got int"),
        ({"shuffle": "no"}, "shuffle is 'no': expected bool, got str"),
        ({"released_rise": 0}, "released_rise is 0: expected bool"),
        ({"system_prompt": 3}, "system_prompt is 3: expected str"),
        ({"prompt": 3}, "prompt is 3: expected str"),
        ({"prompt": {"question": None}}, "prompt is {'question': None}: expected str"),
        ({"max_turns": True}, "max_turns is True: expected int, got bool"),
        ({"max_turns": "3"}, "max_turns is '3': expected int, got str"),
        ({"max_turns": None}, "max_turns is None: expected int"),
        ({"max_turns": 0}, "max_turns must be at least 1, got 0"),
        ({"few_shot": True}, r"few_shot is 0 to 4, or a list of \(question, answer\); got True"),
        ({"few_shot": "2"}, "few_shot is 0 to 4, .* got '2'"),
        ({"few_shot": {"a": "b"}}, "few_shot is 0 to 4, .* got {'a': 'b'}"),
        ({"few_shot": [("a",)]}, r"pairs \(question, answer\) of texts, got \('a',\)"),
        ({"rewards": (NAN, 0, 0)}, "rewards: correct must be a finite number, got nan"),
        ({"rewards": (1, "0", 0)}, "rewards: wrong must be a finite number, got '0'"),
        ({"rewards": (1, 0, float("-inf"))}, "rewards: no_answer must be a finite number, got -inf"),
        ({"rewards": {"correct": True}}, "rewards: correct must be a finite number, got True"),
        ({"rewards": {"discount": None}}, "rewards: discount must be a finite number, got None"),
        ({"rewards": 3}, "rewards are a name, a mapping, a function .* or three numbers .* got 3"),
        ({"feedback": None}, "feedback is a name, a template, .* got None"),
        ({"feedback": ["blind"]}, r"got \['blind'\]"),
        ({"order": ["sequential"]}, "an order is one of"),
        ({"render_mode": 3}, "render_mode must be None or one of .* got 3"),
        ({"checker": "numeric"}, r"a checker has a method check\(.* got 'numeric'"),
        ({"checker": NumericChecker}, "a checker has a method check"),
        ({"checker": None}, "a checker has a method check"),
        ({"problems": None}, "problems are a sequence of Problem, got NoneType"),
        ({"problems": iter(SUMS)}, "problems are a sequence of Problem, got list_iterator"),
        ({"problems": "gsm8k"}, "problems are a sequence of Problem, got str"),
        ({"problems": [{"question": "1 + 1?"}]}, "problems are a sequence of Problem, got one of dict"),
        ({"problems": []}, "there are no problems to pose"),
    ],
    ids=str,
)
def test_an_argument_of_the_wrong_type_or_value_is_named(
    make: Any, arguments: dict[str, Any], message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        make(**{"problems": SUMS, "checker": NumericChecker(), **arguments})


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"num_envs": "2"}, "num_envs is '2': expected int"),
        ({"num_envs": True}, "num_envs is True: expected int"),
        ({"num_envs": 1.5}, "num_envs is 1.5: expected int"),
        ({"autoreset_mode": ["SameStep"]}, "autoreset_mode must be one of"),
    ],
    ids=str,
)
def test_an_argument_of_a_batch_of_the_wrong_type_is_named(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        MathVectorEnv(SUMS, NumericChecker(), **arguments)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"split": 3}, "Arithmetic: split is 3: expected str"),
        ({"seed": "0"}, "Arithmetic: seed is '0': expected int"),
        ({"size": 2.5}, "Arithmetic: size is 2.5: expected int"),
        ({"difficulty": {"max_steps": "2"}}, "difficulty: max_steps is '2': expected int"),
        ({"difficulty": 3}, "difficulty is a mapping or a Difficulty, got 3"),
        ({"checker": 0}, "a checker has a method check"),
        ({"history_turns": "1"}, "history_turns is '1': expected int"),
    ],
    ids=str,
)
def test_an_argument_of_a_set_of_the_wrong_type_is_named(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        rise_env.make("RISE-Arithmetic-v0", **arguments)


def test_the_window_of_a_wrapper_is_a_number() -> None:
    with pytest.raises(ConfigError, match="history_turns is True: expected int"):
        ContextWindow(MathEnv(SUMS, NumericChecker()), True)


@pytest.mark.parametrize("seed", ["1", 1.5, True, -1, [1], {}])
def test_a_seed_is_an_integer(seed: Any) -> None:
    with pytest.raises(ConfigError, match="a seed is an integer of at least 0"):
        MathEnv(SUMS, NumericChecker()).reset(seed=seed)
    if seed != [1]:
        with pytest.raises(ConfigError, match="a seed is an integer of at least 0"):
            MathVectorEnv(SUMS, NumericChecker(), 2).reset(seed=seed)
        with pytest.raises(ConfigError, match="a seed is an integer of at least 0"):
            MathVectorEnv(SUMS, NumericChecker(), 2).reset(seed=[1, seed])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"index": [5, 9, 1]}, r"index must be one value or 2, got 3: \[5, 9, 1\]"),
        ({"problem_id": ("sums/1",)}, r"problem_id must be one value or 2, got 1: \('sums/1',\)"),
        ({"index": np.arange(3)}, "index must be one value or 2, got 3"),
        ({"index": [5, "9"]}, r"index must be an integer in \[0, 20\), got '9'"),
        ({"index": True}, "index must be an integer"),
        ({"problem_id": [{}, "sums/1"]}, "no problem {} among 20"),
        ([("index", 1)], r"the options of reset are a mapping, got \[\('index', 1\)\]"),
    ],
    ids=str,
)
def test_options_of_a_batch_fit_its_episodes(options: Any, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        MathVectorEnv(SUMS, NumericChecker(), 2).reset(options=options)


def test_options_of_a_batch_may_be_arrays() -> None:
    env = MathVectorEnv(SUMS, NumericChecker(), 2)
    for value in (np.array([5, 9]), [5, 9], (np.int64(5), 9)):
        assert env.reset(options={"index": value})[1]["index"].tolist() == [5, 9]
    assert env.reset(options={"index": np.array(7)})[1]["index"].tolist() == [7, 7]
    assert env.reset(seed=np.array([1, 2]))[1]["index"].size == 2


def test_the_options_of_one_environment_are_a_mapping() -> None:
    with pytest.raises(ConfigError, match="the options of reset are a mapping, got 'index'"):
        MathEnv(SUMS, NumericChecker()).reset(options="index")  # type: ignore[arg-type]


def test_numbers_and_truth_values_of_numpy_are_taken() -> None:
    env = MathEnv(
        SUMS,
        NumericChecker(),
        max_turns=np.int64(3),  # type: ignore[arg-type]
        shuffle=np.bool_(False),  # type: ignore[arg-type]
        few_shot=np.int32(1),  # type: ignore[arg-type]
        rewards=np.array([1.0, 0.0, 0.0]),  # type: ignore[arg-type]
    )
    assert type(env.rules.max_turns) is int
    assert len(env.reset()[0]) == 3


@pytest.mark.parametrize("rewards", ["gsm8k", "discounted", (1, -0.5, 0)])
def test_the_number_of_turns_costs_nothing_when_an_environment_is_made(rewards: Any) -> None:
    env = MathEnv(SUMS, NumericChecker(), max_turns=10**12, rewards=rewards)
    env.reset()
    assert not env.step("hm")[3]


def test_what_delaying_gains_is_known_for_any_number_of_turns() -> None:
    assert delay_gain(Rewards(wrong=0.5), 10**12) == pytest.approx(0.5 * 10**12 - 0.5, abs=1)
    assert delay_gain(Rewards(wrong=0.5, discount=0.9), 10**12) == pytest.approx(0.5 / 0.1 - 1)

import json
import os
import pickle
import subprocess
import sys
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium.envs.registration import EnvSpec
from gymnasium.wrappers import RecordEpisodeStatistics, TimeLimit

import rise_env
from rise_env.checkers import Checker
from rise_env.envs.math_env import math_env_of
from rise_env.errors import ConfigError, DataNotFoundError
from rise_env.problems.loading import SETS
from rise_env.registration import CHECKERS, get_checker

ID = "RISE-Arithmetic-v0"


def test_every_set_has_an_id() -> None:
    expected = {f"RISE-{name}-v0" for name in SETS}
    assert {"RISE-Arithmetic-v0", "RISE-GSM8K-v0", "RISE-Custom-v0", "RISE-ReasoningGym-v0"} <= expected
    assert {name for name in gymnasium.registry if name.startswith("RISE-")} == expected
    rise_env.register_all()
    assert {name for name in gymnasium.registry if name.startswith("RISE-")} == expected


def test_the_checker_of_every_set_and_every_named_checker_can_be_made() -> None:
    assert {loader.checker for loader in SETS.values()} <= set(CHECKERS)
    for name in CHECKERS:
        assert isinstance(get_checker(name), Checker)
        assert get_checker(name) is get_checker(name)


def test_importing_is_not_needed_where_the_id_names_the_module() -> None:
    code = "import gymnasium; print(gymnasium.make('rise_env:RISE-Arithmetic-v0').reset(seed=0)[1]['turn'])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "0"


def test_importing_loads_nothing_heavy() -> None:
    heavy = ["torch", "transformers", "datasets", "pandas", "rich", "sympy"]
    code = f"import rise_env, sys; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("hash_seed", ["0", "1"])
def test_a_seed_means_the_same_in_every_process(hash_seed: str) -> None:
    code = (
        "import gymnasium as g; e = g.make('rise_env:RISE-Arithmetic-v0'); a = e.action_space; a.seed(3);"
        "print(e.reset(seed=5)[1]['problem_id'], ascii(a.sample()), e.reset()[1]['problem_id'])"
    )
    variables = {**os.environ, "PYTHONHASHSEED": hash_seed}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=variables
    )
    env = gymnasium.make(ID)
    env.action_space.seed(3)
    here = [
        env.reset(seed=5)[1]["problem_id"],
        ascii(env.action_space.sample()),
        env.reset()[1]["problem_id"],
    ]
    assert done.stdout.strip() == " ".join(here)


def test_environments_of_one_set_share_their_problems() -> None:
    first, second = gymnasium.make(ID), gymnasium.make(ID)
    assert math_env_of(first).problems is math_env_of(second).problems


def test_a_spec_survives_json_and_makes_the_same_environment() -> None:
    env = gymnasium.make(
        ID, split="test", max_turns=2, feedback="oracle", rewards="math", few_shot=1, history_turns=1
    )
    assert env.spec is not None
    spec = EnvSpec.from_json(env.spec.to_json())
    again = gymnasium.make(spec)
    assert again.spec == env.spec
    assert again.reset(seed=4) == env.reset(seed=4)
    assert json.loads(env.spec.to_json())["kwargs"]["problem_set"] == "Arithmetic"
    assert env.spec.pprint(disable_print=True)


def test_gymnasiums_wrappers_work() -> None:
    env = RecordEpisodeStatistics(TimeLimit(gymnasium.make(ID, max_turns=5), 2))
    env.reset(seed=0)
    assert not env.step("hm")[3]
    _, _, terminated, truncated, info = env.step("hm")
    assert (terminated, truncated) == (False, True)
    assert info["episode"]["r"] == -2
    limited = gymnasium.make(ID, max_episode_steps=1)
    limited.reset()
    assert limited.step("hm")[3]


def test_order_is_enforced() -> None:
    with pytest.raises(gymnasium.error.ResetNeeded):
        gymnasium.make(ID).step("hm")


def test_a_made_environment_pickles() -> None:
    env = gymnasium.make(ID)
    env.reset(seed=2)
    twin = pickle.loads(pickle.dumps(env))  # noqa: S301 our own bytes
    assert twin.step("hm") == env.step("hm")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            {"max_turn": 3},
            "RISE-Arithmetic-v0 got an unexpected keyword argument 'max_turn'; did you mean 'max_turns'",
        ),
        ({"feed_back": "blind"}, "did you mean 'feedback'"),
        ({"history_turn": 1}, "did you mean 'history_turns'"),
        ({"Checker": "numeric"}, "did you mean 'checker'"),
        ({"zzz": 1}, "got an unexpected keyword argument 'zzz'; there are: .*feedback, rewards"),
        ({"split": "tset"}, "no split 'tset'"),
        ({"difficulty": {"max_step": 2}}, "no field of difficulty 'max_step'; did you mean 'max_steps'"),
        ({"checker": "numerical"}, "no checker 'numerical'; did you mean 'numeric'"),
        ({"checker": 3}, "a checker has a method check"),
        ({"render_mode": "rgb_array"}, "render_mode must be None or one of"),
        ({"max_turns": 0}, "max_turns must be at least 1, got 0"),
    ],
    ids=str,
)
def test_arguments_that_make_no_sense_say_why(arguments: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        gymnasium.make(ID, **arguments)
    if "render_mode" not in arguments:
        with pytest.raises(ConfigError, match=message):
            gymnasium.make_vec(ID, num_envs=2, **arguments)


def test_arguments_of_the_set_go_to_the_set() -> None:
    env = gymnasium.make(
        ID, split="test", size=5, seed=3, difficulty={"max_steps": 2, "operations": ["more", "sum"]}
    )
    assert len(math_env_of(env).problems) == 5
    assert env.reset(seed=0)[1]["problem_id"].startswith("arithmetic/test/3/")


def test_missing_data_names_the_ways_to_get_them(tmp_path: str) -> None:
    with pytest.raises(DataNotFoundError) as caught:
        gymnasium.make("RISE-GSM8K-v0", data_dir=tmp_path)
    message = str(caught.value)
    for way in ("data_dir=FOLDER or set RISE_DATA_DIR=FOLDER", "openai/gsm8k", "dataset=FILE"):
        assert way in message
    assert "\n" not in message


def test_checkers_are_shared_by_name_and_taken_as_they_are() -> None:
    first, second = gymnasium.make(ID, checker="text"), gymnasium.make(ID, checker="text")
    assert math_env_of(first).checker is math_env_of(second).checker is get_checker("text")
    own = rise_env.NumericChecker()
    assert get_checker(own) is own


def test_delaying_that_pays_is_warned_of() -> None:
    with pytest.warns(UserWarning, match="delaying the right answer pays more"):
        gymnasium.make(ID, rewards=(1, 0.3, 0))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"stop_when_correct": "false"}, "stop_when_correct is 'false': expected bool, got str"),
        ({"shuffle": "no"}, "shuffle is 'no': expected bool, got str"),
        ({"system_prompt": {"Rule": "be brief"}}, "system_prompt is {'Rule': 'be brief'}: expected str"),
        ({"max_turns": True}, "max_turns is True: expected int, got bool"),
        ({"max_turns": 2.5}, "max_turns is 2.5: expected int, got float"),
    ],
)
def test_an_argument_of_the_wrong_type_is_refused_when_the_environment_is_made(
    settings: dict[str, Any], message: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        gymnasium.make("RISE-Arithmetic-v0", **settings)
    assert f"RISE-Arithmetic-v0: {message}" in str(caught.value)


def test_numbers_of_numpy_are_numbers() -> None:
    env = rise_env.make("RISE-Arithmetic-v0", max_turns=np.int64(3))
    assert math_env_of(env).rules.max_turns == 3

"""What Gymnasium's own test suite asks of every environment, asked of every id whose problems are here."""

import pickle
import random
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env, data_equivalence

from rise_env.envs.math_env import math_env_of
from rise_env.errors import MissingDependencyError
from rise_env.problems.catalog_loader import location
from rise_env.problems.loading import SETS, Loader, find_set
from rise_env.registration import env_id
from tests.rise_env.conftest import SUMS

STEPS = 50


REQUIRED: dict[str, dict[str, Any]] = {
    "Custom": {"dataset": SUMS, "checker": "numeric"},
    "ReasoningGym": {"task": "chain_sum"},
}
"""Set -> the arguments without which it has no problems."""


def _arguments(loader: Loader) -> dict[str, Any]:
    return REQUIRED.get(loader.name, {} if loader.spec is None else {"split": loader.spec.splits[-1]})


every_id = pytest.mark.parametrize(
    ("name", "arguments"),
    [pytest.param(env_id(name), _arguments(loader), id=name) for name, loader in SETS.items()],
)


def make(name: str, arguments: dict[str, Any], **more: Any) -> gymnasium.Env[Any, str]:
    spec = find_set(name).spec
    if spec is not None and not location(spec, arguments["split"]).startswith("file"):
        pytest.skip(f"{name} {arguments['split']} is not here: set RISE_DATA_DIR to a folder that has it")
    try:
        return gymnasium.make(name, **arguments, **more)
    except MissingDependencyError as error:
        pytest.skip(str(error))


def assert_equal(first: Any, second: Any) -> None:
    assert data_equivalence(first, second, exact=True)


@every_id
def test_check_env_finds_nothing_wrong(name: str, arguments: dict[str, Any]) -> None:
    check_env(make(name, arguments).unwrapped)


@every_id
def test_two_environments_with_one_seed_and_the_same_actions_agree(
    name: str, arguments: dict[str, Any]
) -> None:
    first, second = make(name, arguments), make(name, arguments)
    first.action_space.seed(0)
    assert_equal(first.reset(seed=7), second.reset(seed=7))
    for _ in range(STEPS):
        action = first.action_space.sample()
        one, other = first.step(action), second.step(action)
        assert_equal(one, other)
        assert one[0] in first.observation_space
        assert isinstance(one[1], float)
        assert not (one[2] and one[3])
        if one[2] or one[3]:
            assert_equal(first.reset(), second.reset())


@every_id
def test_rendering_works_in_every_declared_mode(
    name: str, arguments: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    for mode in make(name, arguments).metadata["render_modes"]:
        env = make(name, arguments, render_mode=mode)
        question = env.reset(seed=0)[0][-1]["content"]
        env.step("a reply")
        shown = env.render()
        if mode == "ansi":
            assert isinstance(shown, str)
        else:
            assert shown is None
            shown = capsys.readouterr().out
        assert question.split("\n")[0][:40] in str(shown)
        assert "a reply" in str(shown)
        env.close()


@every_id
def test_a_pickled_environment_goes_on_the_same(name: str, arguments: dict[str, Any]) -> None:
    env = make(name, arguments)
    env.reset(seed=3)
    twin = pickle.loads(pickle.dumps(env))  # noqa: S301 our own bytes
    assert_equal(env.step("hm"), twin.step("hm"))
    assert_equal(env.reset(seed=4), twin.reset(seed=4))


@every_id
def test_global_random_state_is_left_alone(name: str, arguments: dict[str, Any]) -> None:
    env = make(name, arguments)
    before = random.getstate(), np.random.get_state(legacy=True)  # noqa: NPY002 it is what is tested
    env.reset(seed=1)
    env.action_space.sample()
    env.step("hm")
    env.reset()
    after = random.getstate(), np.random.get_state(legacy=True)  # noqa: NPY002
    assert before[0] == after[0]
    assert str(before[1]) == str(after[1])


@every_id
def test_seeding_twice_gives_the_same_generator(name: str, arguments: dict[str, Any]) -> None:
    env = make(name, arguments)
    env.reset(seed=5)
    state = env.unwrapped.np_random.bit_generator.state
    env.reset(seed=5)
    assert env.unwrapped.np_random.bit_generator.state == state
    assert env.unwrapped.np_random_seed == 5
    env.reset(seed=6)
    assert env.unwrapped.np_random.bit_generator.state != state


@every_id
def test_the_info_of_a_reset_says_which_data_they_are(name: str, arguments: dict[str, Any]) -> None:
    env = make(name, arguments)
    info = env.reset(seed=0)[1]
    spec = find_set(name).spec
    if spec is not None and arguments["split"] in spec.sha256:
        assert f"sha256:{spec.sha256[arguments['split']]}" in info["source"]
    assert info["source"]
    assert math_env_of(env).problem.source == info["source"]
    again = env.reset(options={"index": info["index"]})[1]
    assert again["problem_id"] == info["problem_id"]
    assert env.reset(options={"problem_id": info["problem_id"]})[1]["index"] == info["index"]

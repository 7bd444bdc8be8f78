import copy
import pickle

import numpy as np

from rise_env.checkers import NumericChecker
from rise_env.envs.math_env import MathEnv
from tests.rise_env.conftest import SUMS


def test_an_episode_goes_on_from_a_saved_state(env: MathEnv) -> None:
    env.reset(seed=1)
    env.step("hm")
    state = env.get_state()
    first = [env.step("again"), *[env.reset() for _ in range(5)]]
    env.set_state(state)
    assert [env.step("again"), *[env.reset() for _ in range(5)]] == first


def test_a_state_moves_to_another_environment_and_through_pickle(env: MathEnv) -> None:
    env.reset(options={"index": 4})
    env.step("hm")
    state = pickle.loads(pickle.dumps(env.get_state()))  # noqa: S301 our own bytes
    other = MathEnv(SUMS, NumericChecker(), feedback="oracle")
    other.set_state(state)
    assert other.step(r"\boxed{9}") == env.step(r"\boxed{9}")


def test_a_saved_state_does_not_change_with_the_episode(env: MathEnv) -> None:
    env.reset(options={"index": 4})
    state = env.get_state()
    env.step("hm")
    env.set_state(state)
    assert len(env.step("again")[0]) == 3


def test_forks_of_an_episode_are_independent(env: MathEnv) -> None:
    env.reset(seed=3, options={"index": 4})
    env.step("hm")
    left, right = env.fork(), env.fork()
    assert left.problems is env.problems
    assert left.step(r"\boxed{9}")[2]
    assert right.step("hm")[4]["turn"] == 2
    assert env.turn == 1
    assert left.reset()[1] == right.reset()[1]
    assert left.np_random is not right.np_random


def test_a_fork_copies_no_text(env: MathEnv) -> None:
    env.reset()
    reply = "a long reply " * 1000
    env.step(reply)
    twin = env.fork()
    assert twin._episode is not None
    assert twin._episode.messages[1]["content"] is reply


def test_a_long_observation_copies_no_text_either(env: MathEnv) -> None:
    env.reset()
    reply = "a long reply " * 1000
    env.step(reply)
    assert env.step("hm")[0][1]["content"] is reply


def test_environments_pickle_and_copy_in_the_middle_of_an_episode(env: MathEnv) -> None:
    env.reset(seed=3, options={"index": 4})
    env.step("hm")
    twins = [pickle.loads(pickle.dumps(env)), copy.deepcopy(env)]  # noqa: S301 our own bytes
    expected = [env.step("hm"), env.reset()]
    for twin in twins:
        assert [twin.step("hm"), twin.reset()] == expected
    assert isinstance(twins[0].np_random, np.random.Generator)

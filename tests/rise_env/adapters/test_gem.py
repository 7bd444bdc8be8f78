"""GEM makes and plays our environments, and ours poses the problems of GEM's."""

import random

import pytest

import rise_env
from tests.rise_env.adapters.conftest import ID, RIGHT, SETTINGS, WRONG

gem = pytest.importorskip("gem", reason="pip install '.[gem]'")
pytestmark = pytest.mark.filterwarnings("ignore")


def test_an_environment_is_made_by_name_played_spawned_and_batched() -> None:
    from gem.utils.constants import TERMINAL_STATE

    from rise_env.adapters.gem import register_ids

    if f"rise:{ID}" not in gem.envs.registration.ENV_REGISTRY:
        register_ids()
    env = gem.make(f"rise:{ID}", **SETTINGS, shuffle=False)
    before = random.getstate()
    env.reset(seed=1)
    for _ in range(3):
        env.reset()
    assert random.getstate() == before
    feedback, reward, terminated, truncated, info = env.step(WRONG)
    assert feedback.startswith("That is not right.")
    assert (reward, terminated, truncated, info["verdict"]) == (0.0, False, False, "wrong")
    child = env.spawn(same_state=True)
    assert env.step(RIGHT)[:4] == child.step(RIGHT)[:4] == (TERMINAL_STATE, 1.0, True, False)
    envs = gem.make_vec([f"rise:{ID}"] * 2, vec_kwargs=[dict(SETTINGS), dict(SETTINGS)])
    envs.reset(seed=[1, 2])
    assert envs.step([WRONG, "hm"])[1].tolist() == [0.0, -1.0]


def test_the_problems_of_a_gem_environment_are_posed_by_ours() -> None:
    datasets = pytest.importorskip("datasets")
    math_env = pytest.importorskip("gem.envs.math_env")

    from rise_env.adapters.gem import problems_of

    rows = [{"problem": "1 + 1?", "answer": "2"}, {"problem": "2 + 2?", "answer": "4"}]
    theirs = math_env.MathEnv(dataset=datasets.Dataset.from_list(rows), use_mp=False, eval=True)
    env = rise_env.make(ID, dataset=problems_of(theirs))
    env.reset(options={"index": 1})
    assert env.step(r"\boxed{4}")[1] == 1.0

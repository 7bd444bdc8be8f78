"""Libraries that take any Gymnasium environment: they need no adapter."""

from collections.abc import Callable
from typing import Any

import gymnasium
import numpy as np
import pytest

from rise_env.wrappers import TextObservation
from tests.rise_env.adapters.conftest import ID, RIGHT, SETTINGS, WRONG

pytestmark = pytest.mark.filterwarnings("ignore")


def make() -> gymnasium.Env[Any, str]:
    return gymnasium.make(ID, **SETTINGS)


def test_monitor_of_stable_baselines3_records_episodes(tmp_path: Any) -> None:
    monitor = pytest.importorskip("stable_baselines3.common.monitor", reason="pip install stable-baselines3")
    env = monitor.Monitor(make(), str(tmp_path / "log"), info_keywords=("verdict",))
    env.reset(options={"index": 3})
    env.step(WRONG)
    *_, info = env.step(RIGHT)
    assert (info["episode"]["r"], info["episode"]["l"], info["episode"]["verdict"]) == (1.0, 2, "correct")


@pytest.mark.parametrize("kind", ["DummyVectorEnv", "SubprocVectorEnv"])
def test_vector_environments_of_tianshou_step_ours(kind: str) -> None:
    tianshou = pytest.importorskip("tianshou.env", reason="pip install tianshou")
    # Tianshou refuses observations that are tuples, as conversations are
    makers: list[Callable[[], gymnasium.Env[Any, str]]] = [lambda: TextObservation(make())] * 2
    envs = getattr(tianshou, kind)(makers)
    try:
        envs.seed([1, 2])
        envs.reset()
        observations, rewards, _, _, infos = envs.step([WRONG, "hm"])
    finally:
        envs.close()
    assert rewards.tolist() == [0.0, -1.0]
    assert [info["verdict"] for info in infos] == ["wrong", "no_answer"]
    assert len(observations) == 2


def test_the_runner_of_rllib_takes_a_batch_of_texts_for_a_batch_of_characters() -> None:
    # RLlib splits every leaf of the observations of a batch along its first axis, also where a leaf is a text
    # of one episode. A text observation fails in the same way.
    pytest.importorskip("ray.rllib", reason="pip install 'ray[rllib]'")
    from ray.rllib.utils.spaces.space_utils import unbatch

    envs = gymnasium.make_vec(ID, 2, vectorization_mode="sync", **SETTINGS)
    observations, _ = envs.reset(seed=1)
    assert len(observations) == 2
    with pytest.raises(IndexError):
        unbatch(observations)
    assert unbatch(np.array(["first", "second"], dtype=object)) == ["first", "second"]

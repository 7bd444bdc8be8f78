"""TorchRL's `GymEnv` around our environments."""

import gymnasium
import pytest

from rise_env.adapters.torchrl import register_spaces
from tests.rise_env.adapters.conftest import ID, RIGHT, SETTINGS, WRONG

pytest.importorskip("torchrl", reason="pip install '.[torchrl]'")


@pytest.mark.filterwarnings("ignore")
def test_gym_env_plays_an_episode_and_a_rollout() -> None:
    from torchrl.envs import GymEnv
    from torchrl.envs.libs.gym import GymWrapper

    register_spaces()
    register_spaces()
    env = GymEnv(ID, **SETTINGS, shuffle=False, device=None)
    for _ in range(4):
        data = env.reset()
    assert data["observation"][0]["role"] == "user"
    data = env.step(data.set("action", WRONG))["next"]
    assert [message["role"] for message in data["observation"]] == ["user", "assistant", "user"]
    data = env.step(data.set("action", RIGHT))["next"]
    assert (data["reward"].item(), data["terminated"].item(), data["truncated"].item()) == (1.0, True, False)
    played = env.rollout(10, policy=lambda td: td.set("action", WRONG))
    assert played["next", "truncated"].squeeze(-1).tolist() == [False, False, True]
    wrapped = GymWrapper(gymnasium.make(ID, **SETTINGS))
    assert wrapped.rand_step(wrapped.reset())["next", "reward"].item() <= 0.0

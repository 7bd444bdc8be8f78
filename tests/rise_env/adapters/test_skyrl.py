"""skyrl-gym makes and plays our episodes."""

import pytest

from rise_env.envs.rules import Rules
from tests.rise_env.adapters.conftest import RIGHT, WRONG
from tests.rise_env.conftest import SUMS

skyrl_gym = pytest.importorskip("skyrl_gym", reason="pip install '.[skyrl]'")


def test_an_episode_is_made_by_name_from_a_row_and_played() -> None:
    from omegaconf import DictConfig

    from rise_env.adapters.skyrl import NAME, dataset_rows, register_env

    register_env()
    row = dataset_rows(SUMS, Rules(max_turns=3))[3]
    config = DictConfig({"checker": "numeric", "feedback": "oracle"})
    env = skyrl_gym.make(NAME, env_config=config, extras=row)
    prompt, metadata = env.init(row["prompt"])
    assert (prompt, metadata) == (row["prompt"], {})
    out = env.step(WRONG)
    assert out["observations"][0]["content"].startswith("That is not right.")
    assert (out["reward"], out["done"], out["metadata"]["verdict"]) == (0.0, False, "wrong")
    out = env.step(RIGHT)
    assert (out["observations"], out["reward"], out["done"]) == ([], 1.0, True)
    env = skyrl_gym.make(NAME, env_config=config, extras=row)
    env.init(row["prompt"])
    assert [env.step("hm")["done"] for _ in range(3)] == [False, False, True]


@pytest.mark.parametrize("setting", [{"feedbak": "oracle"}, {"feedback": "oracel"}, {"checker": "num"}])
def test_a_wrong_setting_is_refused(setting: dict[str, str]) -> None:
    from rise_env.adapters.skyrl import RiseTextEnv, dataset_rows
    from rise_env.errors import ConfigError

    with pytest.raises(ConfigError):
        RiseTextEnv(setting, dataset_rows(SUMS)[0])

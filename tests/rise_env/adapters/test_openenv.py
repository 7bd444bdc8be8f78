"""OpenEnv's interface over our episodes."""

import pytest

from tests.rise_env.adapters.conftest import ID, RIGHT, SETTINGS, WRONG
from tests.rise_env.conftest import SUMS

pytest.importorskip("openenv", reason="pip install '.[openenv]'")
pytestmark = pytest.mark.filterwarnings("ignore")


def test_an_environment_is_reset_and_stepped_with_its_types() -> None:
    from rise_env.adapters.openenv import OpenEnvEnvironment, ReplyAction

    env = OpenEnvEnvironment(ID, **SETTINGS)
    first = env.reset(episode_id="one", index=3)
    assert SUMS[3].question in first.messages[-1]["content"]
    second = env.step(ReplyAction(reply=WRONG))
    assert (second.reward, second.done, env.state.step_count) == (0.0, False, 1)
    last = env.step(ReplyAction(reply=RIGHT))
    assert (last.reward, last.done, last.truncated, last.metadata["verdict"]) == (1.0, True, False, "correct")
    assert type(last).model_validate_json(last.model_dump_json()) == last
    assert (env.state.episode_id, env.state.step_count) == ("one", 2)


def test_a_server_of_openenv_serves_it() -> None:
    pytest.importorskip("fastapi")
    pytest.importorskip("fastmcp")
    testclient = pytest.importorskip("fastapi.testclient")
    from openenv.core.env_server.http_server import create_app

    from rise_env.adapters.openenv import ConversationObservation, OpenEnvEnvironment, ReplyAction

    app = create_app(lambda: OpenEnvEnvironment(ID, **SETTINGS), ReplyAction, ConversationObservation)
    with testclient.TestClient(app) as client:
        answer = client.post("/reset", json={"seed": 1, "index": 3}).json()
    assert SUMS[3].question in answer["observation"]["messages"][-1]["content"]

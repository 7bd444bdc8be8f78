"""verifiers loads our taskset and plays our episodes."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any

import pytest

from tests.rise_env.adapters.conftest import WRONG

pytest.importorskip("verifiers", reason="pip install '.[verifiers]'")
pytest.importorskip(
    "verifiers.v1", reason="verifiers is installed without its dependencies", exc_type=ImportError
)
pytestmark = pytest.mark.filterwarnings("ignore")
SETTINGS = {"split": "test", "size": 5, "max_turns": 3, "feedback": "oracle"}
PLUGIN = "rise_env.adapters.verifiers"


class Agent:
    """Plays one interaction of verifiers with the given replies."""

    def __init__(self, replies: list[str]) -> None:
        self.replies, self.heard = iter(replies), []  # type: ignore[var-annotated]

    @asynccontextmanager
    async def interaction(self, task: Any) -> AsyncIterator[Any]:
        import verifiers.v1 as vf
        from verifiers.v1.agent import Segment

        async def turn(message: str | None = None) -> Segment:
            self.heard.append(message)
            return Segment(messages=[vf.AssistantMessage(content=next(self.replies))])

        trace = vf.Trace(task=vf.TraceTask(type="RiseTask", data=task.data))
        self.trace = trace
        yield SimpleNamespace(turn=turn, trace=trace)


def test_the_taskset_is_found_by_its_module_and_poses_the_problems() -> None:
    from verifiers.v1.utils.loaders import environment_class, load_taskset, taskset_class, taskset_config_type

    config = taskset_config_type(PLUGIN)(id=PLUGIN, env="RISE-Arithmetic-v0", settings=SETTINGS)
    tasks = list(load_taskset(config))
    assert [task.data.idx for task in tasks] == list(range(5))
    assert tasks[0].data.prompt.endswith("\\boxed{}.")
    assert taskset_class(PLUGIN).__name__ == "RiseTaskset"
    assert environment_class(PLUGIN).__name__ == "RiseEnv"
    reference = tasks[0].episode().math_env.problem.reference
    assert reference not in str(tasks[0].data.model_dump(exclude={"prompt"}))


def test_an_episode_of_several_turns_is_played_and_scored() -> None:
    from rise_env.adapters.verifiers import RiseEnv, RiseTaskset, RiseTasksetConfig

    tasks = RiseTaskset(RiseTasksetConfig(id=PLUGIN, env="RISE-Arithmetic-v0", settings=SETTINGS))
    task = next(iter(tasks))
    right = rf"\boxed{{{task.episode().math_env.problem.reference}}}"
    for replies, total, solved, attempts in (
        ([WRONG, right], 1.0, 1.0, 2.0),
        (["hm", WRONG, "hm"], -2.0, 0.0, 3.0),
    ):
        agent = Agent(replies)
        asyncio.run(RiseEnv.run(object.__new__(RiseEnv), task, SimpleNamespace(solver=agent)))
        assert agent.trace.rewards["return"].score == total
        assert agent.trace.metrics == {"solved": solved, "attempts": attempts}
        assert agent.heard[0] is None
        assert all(text.startswith("That is not right.") for text in agent.heard[1:])

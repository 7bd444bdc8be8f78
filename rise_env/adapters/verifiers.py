"""verifiers (0.4): our problems as a taskset, and our episodes as an environment of several turns.

This module is a plugin of verifiers: `--env.taskset.id rise_env.adapters.verifiers --env.taskset.env ID`.
"""

from collections.abc import Iterator
from typing import Any

from rise_env.adapters.text_episode import TextEpisode
from rise_env.utils.extras import missing_library

try:
    import verifiers.v1 as vf
except ImportError:
    raise missing_library("verifiers", "rise_env.adapters.verifiers") from None

__all__ = ["RiseEnv", "RiseTaskset"]


class RiseTasksetConfig(vf.TasksetConfig):  # type: ignore[misc]  # the library is not installed with ours
    """Which environment poses the problems."""

    env: str = "RISE-GSM8K-v0"
    """Environment id."""
    settings: dict[str, Any] = {}  # noqa: RUF012  pydantic copies it
    """Arguments of the environment, such as split and max_turns."""


class RiseData(vf.TaskData):  # type: ignore[misc]
    """One problem."""

    env: str
    settings: dict[str, Any]
    index: int
    """Index of the problem in its set."""


class RiseTask(vf.Task[RiseData, vf.State, vf.TaskConfig]):  # type: ignore[misc]
    """The task to solve one problem. Its data, which traces record, do not contain the reference answer."""

    def episode(self) -> TextEpisode:
        """Return an episode that has posed the problem."""
        episode = TextEpisode(self.data.env, **self.data.settings)
        episode.begin(index=self.data.index)
        return episode


class RiseTaskset(vf.Taskset[RiseTask, RiseTasksetConfig]):  # type: ignore[misc]
    """The problems of an environment, in its order."""

    def load(self) -> Iterator[RiseTask]:
        """Yield one task per problem."""
        episode = TextEpisode(self.config.env, **self.config.settings)
        for index, problem in enumerate(episode.math_env.problems):
            conversation, _ = episode.begin(index=index)
            system = conversation[0]["content"] if conversation[0]["role"] == "system" else None
            first = conversation[0 if system is None else 1 :]
            data = RiseData(
                id=problem.id,
                prompt=first[0]["content"] if len(first) == 1 else [dict(message) for message in first],
                system_prompt=system,
                env=self.config.env,
                settings=self.config.settings,
                index=index,
            )
            yield RiseTask(data, self.config.task)


class RiseEnvConfig(vf.EnvConfig):  # type: ignore[misc]
    """One agent solves the problems."""

    solver: vf.AgentConfig = vf.AgentConfig()


class RiseEnv(vf.Env[RiseEnvConfig]):  # type: ignore[misc]
    """Lets the agent reply until the episode is over, with our feedback in between."""

    async def run(self, task: RiseTask, agents: Any) -> None:
        """Play one episode; record the sum of the rewards, whether it was solved, and the attempts."""
        episode, total, attempts, solved = task.episode(), 0.0, 0, False
        async with agents.solver.interaction(task) as interaction:
            segment = await interaction.turn()
            while not segment.terminated:
                outcome = episode.reply(segment.last_reply)
                total, attempts, solved = total + outcome.reward, attempts + 1, outcome.terminated
                if outcome.feedback is None:
                    break
                segment = await interaction.turn(outcome.feedback)
        trace = interaction.trace
        trace.record_reward("return", total, 1.0)
        trace.record_metrics({"solved": solved, "attempts": attempts})

"""Playing episodes, many at a time.

| purpose           | plan                                              |
| ----------------- | ------------------------------------------------- |
| evaluation        | `[TurnPlan(agent)] * 5`                           |
| distillation      | `[TurnPlan(student), TurnPlan(teacher)]`          |
| self-distillation | `[TurnPlan(student), TurnPlan(student, num_samples=16)]` |
| parallel sampling | `[TurnPlan(agent, num_samples=5)]`                    |

Correct-to-correct pairs: let the environment go on after a success (`stop_when_correct=False`).
Source: Qu et al. 2024, "Recursive Introspection", arXiv:2407.18219, and its released `workflow_gen.py`.
"""

import json
from collections.abc import Sequence
from typing import Any

import gymnasium

from rise_agents.rollout.episode_runner import EpisodeRunner
from rise_agents.rollout.scheduler import TurnPlan, run_episodes
from rise_agents.types import SamplingConfig
from rise_env.errors import ConfigError
from rise_env.types import Trajectory
from rise_env.utils.seeding import derive

__all__ = ["WHERE", "TurnPlan", "derive", "plan_record", "rollout"]

WHERE = frozenset({"data_dir", "dataset", "render_mode"})
"""Settings of environments that do not change an episode."""


def rollout(
    plan: Sequence[TurnPlan],
    envs: Sequence[gymnasium.Env[Any, str]],
    indices: Sequence[int],
    sampling: SamplingConfig,
    *,
    seed: int,
    drop_degenerate: bool = False,
    max_concurrent_episodes: int | None = None,
) -> list[Trajectory]:
    """Play one episode per problem index and return what happened, in order.

    An episode that fails (its environment raises, its agent cannot answer it) is returned with `error`
    set and the turns before the failure; the others go on.

    Args:
        plan: One entry per turn; the end of the plan is a limit on turns.
        envs: One `MathEnv`, wrapped or not, per index. They are reset here.
        indices: Into the environments' problems.
        sampling: How replies are drawn.
        seed: Each reply's seed derives from (seed, index, turn, draw), so that an episode played again,
            alone or among others, gets the same replies.
        drop_degenerate: Drop replies that got stuck, as the released code does; see `degenerate`.
        max_concurrent_episodes: Episodes played at a time; None plays all.

    Raises:
        AgentError: An agent answers nothing any more.
        ConfigError: The arguments contradict one another.
    """
    if len(envs) != len(indices):
        raise ConfigError(f"one environment per index: got {len(envs)} and {len(indices)}")
    if not plan:
        raise ConfigError("a plan needs at least one turn")
    if max_concurrent_episodes is not None and max_concurrent_episodes < 1:
        raise ConfigError(f"max_concurrent_episodes must be at least 1, got {max_concurrent_episodes}")
    if seed < 0:
        raise ConfigError(f"seed must be at least 0, got {seed}")
    episodes = [
        EpisodeRunner(env, index, plan_record(plan, env, sampling, drop_degenerate=drop_degenerate), seed)
        for env, index in zip(envs, indices, strict=True)
    ]
    run_episodes(
        iter(episodes),
        plan,
        sampling,
        seed,
        max_concurrent_episodes=min(len(episodes), max_concurrent_episodes or len(episodes)),
        drop_degenerate=drop_degenerate,
        ended=lambda _: None,
    )
    return [episode.to_trajectory() for episode in episodes]


def plan_record(
    plan: Sequence[TurnPlan],
    env: gymnasium.Env[Any, str],
    sampling: SamplingConfig,
    *,
    drop_degenerate: bool = False,
) -> dict[str, Any]:
    """Return, as a JSON value, what beside problem and seed decides how an episode goes.

    Of the environment's settings those that JSON can hold count, but not where its problems lie: their
    content is what matters.
    """
    spec = env.spec
    settings = {} if spec is None else {k: v for k, v in spec.kwargs.items() if k not in WHERE and _plain(v)}
    wrappers = () if spec is None else spec.additional_wrappers
    return {
        "env": type(env.unwrapped).__name__ if spec is None else spec.id,
        "env_settings": settings,
        "wrappers": [wrapper.name for wrapper in wrappers],
        "turns": [[step.agent.name, step.num_samples, step.until_correct] for step in plan],
        "sampling": [sampling.temperature, sampling.top_p, sampling.max_new_tokens],
        "drop_degenerate": drop_degenerate,
    }


def _plain(value: Any) -> bool:
    try:
        json.dumps(value)
    except (TypeError, ValueError):
        return False
    return True

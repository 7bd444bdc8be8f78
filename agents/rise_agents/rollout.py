"""Playing episodes: every live one takes its turn in the same batch.

| purpose           | plan                                              |
| ----------------- | ------------------------------------------------- |
| evaluation        | `[TurnPlan(agent)] * 5`                           |
| distillation      | `[TurnPlan(student), TurnPlan(teacher)]`          |
| self-distillation | `[TurnPlan(student), TurnPlan(student, samples=16)]` |
| parallel sampling | `[TurnPlan(agent, samples=5)]`                    |

Correct-to-correct pairs: let the environment go on after a success (`stop_when_correct=False`).
Source: Qu et al. 2024, "Recursive Introspection", arXiv:2407.18219, and its released `workflow_gen.py`.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import gymnasium
import numpy as np

from rise_agents.asking import ask
from rise_agents.base import Agent, Reply, SamplingConfig
from rise_agents.degenerate import is_degenerate
from rise_agents.episodes import LiveEpisode
from rise_agents.expert_agent import ToldAgent
from rise_env.errors import ConfigError
from rise_env.types import Trajectory

MAX_REDRAWS = 8
"""How often a turn is drawn anew while all its replies are degenerate; then the last one stays."""

WHERE = frozenset({"data_dir", "dataset", "render_mode"})
"""Settings of environments that do not change an episode."""


@dataclass(frozen=True, slots=True)
class TurnPlan:
    """Who plays a turn, and how often they may try."""

    agent: Agent
    samples: int = 1
    """Replies to draw at most: drawing ends with the first correct one, the first best by reward counts."""
    until_correct: bool = True
    """False draws all of them, as a majority vote needs."""

    def __post_init__(self) -> None:
        if self.samples < 1:
            raise ConfigError(f"samples must be at least 1, got {self.samples}")


def rollout(
    plan: Sequence[TurnPlan],
    envs: Sequence[gymnasium.Env[Any, str]],
    indices: Sequence[int],
    sampling: SamplingConfig,
    *,
    seed: int,
    drop_degenerate: bool = False,
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

    Raises:
        AgentError: An agent answered nothing at all.
        ConfigError: The arguments contradict one another.
    """
    if len(envs) != len(indices):
        raise ConfigError(f"one environment per index: got {len(envs)} and {len(indices)}")
    if not plan:
        raise ConfigError("a plan needs at least one turn")
    if seed < 0:
        raise ConfigError(f"seed must be at least 0, got {seed}")
    episodes = [
        LiveEpisode(env, index, plan_record(plan, env, sampling, drop_degenerate=drop_degenerate), seed)
        for env, index in zip(envs, indices, strict=True)
    ]
    for turn, step in enumerate(plan):
        live = [episode for episode in episodes if episode.live]
        if live:
            _play(step, turn, live, sampling, seed, drop_degenerate=drop_degenerate)
    return [episode.record() for episode in episodes]


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
        "turns": [[step.agent.name, step.samples, step.until_correct] for step in plan],
        "sampling": [sampling.temperature, sampling.top_p, sampling.max_new_tokens],
        "drop_degenerate": drop_degenerate,
    }


def request_seed(seed: int, index: int, turn: int, draw: int) -> int:
    """Return the seed of one reply, in [0, 2**63)."""
    return int(np.random.SeedSequence((seed, index, turn, draw)).generate_state(1, np.uint64)[0] >> 1)


def _plain(value: Any) -> bool:
    try:
        json.dumps(value)
    except (TypeError, ValueError):
        return False
    return True


def _play(
    step: TurnPlan,
    turn: int,
    live: Sequence[LiveEpisode],
    sampling: SamplingConfig,
    seed: int,
    *,
    drop_degenerate: bool,
) -> None:
    if isinstance(step.agent, ToldAgent):
        step.agent.learn([episode.problem for episode in live])
    pending = list(live)
    last = step.samples + (MAX_REDRAWS if drop_degenerate else 0) - 1
    for draw in range(last + 1):
        seeds = [request_seed(seed, episode.index, turn, draw) for episode in pending]
        replies = ask(step.agent, [episode.conversation for episode in pending], sampling, seeds)
        for episode, reply in zip(pending, replies, strict=True):
            stuck = drop_degenerate and reply.finish != "error" and is_degenerate(reply.text)
            if not stuck or (draw == last and not episode.attempts):
                _hear(episode, step, reply)
        pending = [episode for episode in pending if _draws_on(episode, step, draw + 1)]
        if not pending:
            break
    for episode in live:
        episode.take_turn()


def _hear(episode: LiveEpisode, step: TurnPlan, reply: Reply) -> None:
    if reply.finish == "error":
        episode.fail(f"{step.agent.name}: {reply.text}")
    else:
        episode.hear(step.agent.name, reply, check=step.samples > 1)


def _draws_on(episode: LiveEpisode, step: TurnPlan, drawn: int) -> bool:
    if not episode.live:
        return False
    if drawn >= step.samples:
        return not episode.attempts  # all were degenerate
    return not (step.until_correct and episode.solved)

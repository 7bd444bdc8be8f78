"""Plays many episodes at a time and returns their trajectories; `turn_plan` has examples of plans."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import gymnasium

from rise_agents.deliberation.judge import JudgeChecker
from rise_agents.rollouts.episode_runner import EpisodeRunner
from rise_agents.rollouts.scheduler import run_episodes
from rise_agents.rollouts.turn_plan import TurnPlan, check_feedback, check_plan
from rise_agents.types import Agent, FormattedAgent, SamplingConfig
from rise_env.envs.initial_prompt import make_initial_prompt
from rise_env.envs.math_env import math_env_of
from rise_env.errors import ConfigError
from rise_env.trajectories.model_formats import FORMATS, format_to_json
from rise_env.types import Trajectory
from rise_env.utils.specs import given_arguments

PATH_SETTINGS = frozenset({"data_dir", "dataset", "order", "render_mode"})
"""Settings of environments that run records and episode ids leave out. The first three decide where problems
are read and in which order, but each episode records its problem; `render_mode` changes no episode."""


def rollout(
    plan: Sequence[TurnPlan],
    envs: Sequence[gymnasium.Env[Any, str]],
    indices: Sequence[int],
    sampling: SamplingConfig,
    *,
    seed: int,
    drop_degenerate: bool = False,
    max_concurrent_episodes: int | None = None,
    keep_tokens: bool = True,
) -> list[Trajectory]:
    """Play one episode per problem index.

    An episode fails if its environment raises or its agent cannot answer it. It is then returned with `error`
    set and the turns before the failure; the other episodes continue.

    Args:
        plan: One entry per turn. The end of the plan limits the number of turns.
        envs: One `MathEnv`, wrapped or not, per index. They are reset here.
        indices: Indices of the problems to play, one per environment.
        sampling: How replies are sampled at the turns whose plan has no sampling of its own.
        seed: Each reply's seed derives from (seed, index, turn, number of the sample in the turn), so that an
            episode gets the same replies whether it is played alone or among others.
        drop_degenerate: Sample repetitive replies again, as the released code does; see `is_degenerate`.
        max_concurrent_episodes: Number of episodes played at a time; None plays all.
        keep_tokens: Keep the token ids and log-probabilities that the agents return.

    Returns:
        One trajectory per index, in order.

    Raises:
        AgentError: An agent no longer answers any request.
        ConfigError: The arguments contradict one another, or one is out of range (empty plan, negative seed).
    """
    if len(envs) != len(indices):
        raise ConfigError(f"give one environment per index: got {len(envs)} and {len(indices)}")
    if max_concurrent_episodes is not None and max_concurrent_episodes < 1:
        raise ConfigError(f"max_concurrent_episodes must be at least 1, got {max_concurrent_episodes}")
    check_plan(plan, seed)
    episodes = []
    for env, index in zip(envs, indices, strict=True):
        check_feedback(plan, env)
        record = plan_record(plan, env, sampling, drop_degenerate=drop_degenerate)
        episodes.append(EpisodeRunner(env, index, record, seed, keep_tokens=keep_tokens))
    run_episodes(
        iter(episodes),
        plan,
        sampling,
        seed,
        max_concurrent_episodes=min(len(episodes), max_concurrent_episodes or len(episodes)),
        drop_degenerate=drop_degenerate,
        on_end=lambda _: None,
    )
    return [episode.to_trajectory() for episode in episodes]


def plan_record(
    plan: Sequence[TurnPlan],
    env: gymnasium.Env[Any, str],
    sampling: SamplingConfig,
    *,
    drop_degenerate: bool = False,
) -> dict[str, Any]:
    """Return a JSON value of everything that decides an episode, except its problem and its seed.

    The id of an episode is a hash of this value, the problem and the seed. The value contains the
    environment's settings that JSON can represent, without `PATH_SETTINGS`.
    """
    spec = env.spec
    settings = (
        {}
        if spec is None
        else {k: v for k, v in given_arguments(spec).items() if k not in PATH_SETTINGS and _is_json(v)}
    )
    wrappers = () if spec is None else spec.additional_wrappers
    record: dict[str, Any] = {
        "env": type(env.unwrapped).__name__ if spec is None else spec.id,
        "env_settings": settings,
        "wrappers": [wrapper.name for wrapper in wrappers],
        "turns": [
            [turn.agent.name, turn.num_samples, turn.until_correct, *_own_sampling(turn, sampling)]
            for turn in plan
        ],
        "sampling": _sampling_values(sampling),
        "drop_degenerate": drop_degenerate,
    }
    feedback = [None if turn.feedback is None else turn.feedback.record(sampling) for turn in plan[:-1]]
    if any(feedback):
        record["feedback"] = feedback
    checker = math_env_of(env).checker
    if isinstance(checker, JudgeChecker):
        record["judge"] = [checker.agent.name, *_sampling_values(checker.sampling)]
    if any(turn.verifies for turn in plan):
        record["verifies"] = [turn.verifies for turn in plan]
    return record | prompt_record(settings)


def format_record(agents: Iterable[Agent]) -> dict[str, Any]:
    """Return the formats of agents' models, for run records; empty where no agent knows its format."""
    formats = {a.name: format_to_json(a.format) for a in agents if isinstance(a, FormattedAgent)}
    return {FORMATS: formats} if formats else {}


def prompt_record(settings: Mapping[str, Any]) -> dict[str, str]:
    """Return name and hash of the initial prompt, for records; empty where the settings name no prompt.

    Args:
        settings: Arguments of the environment.
    """
    if "prompt" not in settings:
        return {}
    known = {name: settings[name] for name in ("system_prompt", "few_shot") if name in settings}
    name = "released_rise" if settings.get("released_rise") else settings["prompt"]
    return {"prompt": make_initial_prompt(prompt=name, **known).label}


def _own_sampling(turn: TurnPlan, sampling: SamplingConfig) -> list[list[float]]:
    """Return the sampling of a turn if it differs from that of the rollout; other ids stay the same."""
    return [] if turn.sampling is None or turn.sampling == sampling else [_sampling_values(turn.sampling)]


def _sampling_values(sampling: SamplingConfig) -> list[float]:
    return [sampling.temperature, sampling.top_p, sampling.max_new_tokens]


def _is_json(value: Any) -> bool:
    try:
        json.dumps(value)
    except (TypeError, ValueError):
        return False
    return True

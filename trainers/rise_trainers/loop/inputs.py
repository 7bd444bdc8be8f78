"""Finds the size of the problems and the model of a run without downloading or loading them.

Problems are read if they are on this machine. Otherwise the published size of the data set is used, and one
problem of typical length represents all problems. Of the model, only the configuration is read.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gymnasium

import rise_env
from rise_agents.deliberation.feedback_settings import feedback_agent
from rise_agents.registry import calls_per_reply
from rise_agents.rollouts.cost_estimate import prompt_tokens
from rise_env.envs.math_env import math_env_of
from rise_env.errors import DataNotFoundError, MissingDependencyError
from rise_env.problems.catalog import CATALOG
from rise_env.problems.catalog_loader import location
from rise_env.types import Problem
from rise_trainers.loop.config import RunConfig, environment_settings, first_model
from rise_trainers.loop.estimate import CallCounts
from rise_trainers.loop.memory import count_parameters
from rise_trainers.utils.digests import cached_config

QUESTION_LENGTH = 240
"""Characters of the placeholder problem: about the mean of GSM8K (235) and MATH (191)."""
OWN_CONFIG = "its config.json"
"""The source of a configuration that was read from the model itself."""
_PROMPT_SETTINGS = (
    "prompt",
    "system_prompt",
    "few_shot",
    "released_rise",
    "history_turns",
    "feedback",
    "max_turns",
)
"""Settings of an environment that change the length of its prompts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProblemSplit:
    """The problems of one split, or their published size."""

    size: int | None
    """Number of problems; None where it is unknown."""
    origin: str
    """The source of the size, for the printed plan."""
    env: gymnasium.Env[Any, str]
    """An environment with these problems, or with one placeholder problem."""

    def prompt_lengths(
        self, count: int, *, turns: int, max_new_tokens: int, feedback_tokens: int = 0
    ) -> list[float]:
        """Return the mean length of the prompt at every turn, in tokens; replies are of full length.

        Args:
            count: Number of problems that are played.
            turns: Number of prompts.
            max_new_tokens: Length of a reply, in tokens.
            feedback_tokens: Length of the feedback that an agent writes, in tokens.
        """
        size = len(math_env_of(self.env).problems)
        indices = range(min(size, max(1, count)))
        return prompt_tokens(
            self.env,
            indices,
            turns=turns,
            max_new_tokens=max_new_tokens,
            feedback_tokens=feedback_tokens,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class RunInputs:
    """The problems and the model of a run, as far as they are known."""

    train: ProblemSplit
    test: ProblemSplit
    model: str
    """The first model, as a folder or hub id."""
    parameters: int | None
    """Number of parameters of the first model; None if its configuration is unknown."""
    model_config: Any
    """The transformers configuration of the first model; None if it is unknown."""
    model_here: bool
    """Whether the configuration was read from the model itself."""
    model_origin: str
    """The source of the configuration, or the reason why it is unknown."""


def find_inputs(config: RunConfig) -> RunInputs:
    """Return the inputs of a run, as far as they are known without a download.

    Raises:
        ConfigError: There is no such environment, split or setting.
    """
    train = resolve_problems(config, config.problems.train_split)
    test = resolve_problems(config, config.problems.test_split)
    model_config, origin = find_model_config(config)
    return RunInputs(
        train=train,
        test=test,
        model=first_model(config),
        parameters=None if model_config is None else count_parameters(model_config)[0],
        model_config=model_config,
        model_here=origin == OWN_CONFIG,
        model_origin=origin,
    )


def resolve_problems(config: RunConfig, split: str) -> ProblemSplit:
    """Return the problems of a split, or their published size if they are not on this machine.

    Raises:
        ConfigError: There is no such environment, split or setting.
    """
    settings = {k.replace("-", "_"): v for k, v in environment_settings(config, split).items()}
    spec = CATALOG.get(config.env.removeprefix("RISE-").removesuffix("-v0"))
    settings["max_turns"] = max(config.iterations + 1, config.turns or 1, config.measure.turns)
    if config.boost is not None:
        settings["max_turns"] = max(settings["max_turns"], config.boost.turns)
    published = None
    if spec is not None and "dataset" not in settings and split in spec.splits:
        published = spec.sizes.get(split)
        folder = settings.get("data_dir")
        where = location(spec, split, folder)
        if not where.startswith("file"):
            # the settings are still checked, but an empty source keeps the loader from downloading
            settings["data_dir"] = folder or os.devnull
    elif isinstance(settings.get("dataset"), str) and not Path(settings["dataset"]).exists():
        origin = f"not fetched: {settings['dataset']}"
        return ProblemSplit(size=None, origin=origin, env=placeholder_env(settings))
    try:
        env = rise_env.make(config.env, **settings)
    except (DataNotFoundError, MissingDependencyError) as error:
        origin = f"not here ({where}); size as published" if published else str(error)
        return ProblemSplit(size=published, origin=origin, env=placeholder_env(settings))
    size = len(math_env_of(env).problems)
    return ProblemSplit(size=size, origin="here", env=env)


def placeholder_env(settings: Mapping[str, Any]) -> gymnasium.Env[Any, str]:
    """Return an environment with these settings and one problem of typical length."""
    text = "x" * QUESTION_LENGTH
    problem = Problem(id="unknown", question=text, reference="0", solution=text)
    kept = {name: settings[name] for name in _PROMPT_SETTINGS if name in settings}
    return rise_env.make("RISE-Custom-v0", dataset=[problem], **kept)


def find_model_config(config: RunConfig) -> tuple[Any, str]:
    """Return the transformers configuration of the first model or None, and its source or the reason.

    With `agent.shape`, the hub is not asked: without a connection, its retries take half a minute or more.
    """
    try:
        from transformers import AutoConfig
    except ImportError:
        return None, "transformers is not installed: no estimate of memory"
    model, shape = first_model(config), config.agent.shape
    if not shape or _has_config(model):
        try:
            return AutoConfig.from_pretrained(model), OWN_CONFIG
        except (OSError, ValueError) as error:
            reason = str(error).strip().split("\n")[0]
    if not shape:
        return None, f"no estimate of memory: config.json cannot be read, agent.shape is not set ({reason})"
    try:
        return AutoConfig.for_model(**shape), "agent.shape; its config.json is not here"
    except (TypeError, ValueError) as error:
        return None, f"agent.shape is no configuration of a model: {error}"


def _has_config(model: str) -> bool:
    """Return whether config.json of a folder or a hub id is on this machine."""
    if Path(model).is_dir():
        return (Path(model) / "config.json").is_file()
    return cached_config(model) is not None


def call_counts(
    config: RunConfig,
    agent: str,
    settings: Mapping[str, Any],
    *,
    teacher: str | None = None,
    teacher_settings: Mapping[str, Any] | None = None,
) -> CallCounts:
    """Return how many calls of models the replies and the feedback of a phase take.

    Args:
        config: The settings of the run.
        agent: The agent that plays.
        settings: Its settings.
        teacher: The agent at the last turn; None is the one that plays.
        teacher_settings: Its settings.
    """
    reply = calls_per_reply(agent, settings)
    last = reply if teacher is None else calls_per_reply(teacher, teacher_settings)
    if config.feedback is None:
        return CallCounts(reply=reply, last=last)
    writer = config.feedback_settings
    return CallCounts(
        reply=reply,
        last=last,
        feedback=calls_per_reply(feedback_agent(config.feedback), writer.agent_settings),
        feedback_tokens=(writer.sampling or config.sampling).max_new_tokens,
    )

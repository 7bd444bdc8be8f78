"""What the phases of a run take, before any of them runs: replies, tokens, steps, memory.

All numbers are the most that can happen: no problem solved early, every reply of full length, every
trajectory kept. Nothing is loaded but problems that lie here and the configuration of the model; nothing is
written. Data sets are never fetched: their published sizes are taken.
"""

import dataclasses
import json
import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gymnasium

import rise_env
from rise_agents.rollout.cost_estimate import prompt_tokens
from rise_env.errors import DataNotFoundError, MissingDependencyError
from rise_env.problems.catalog import CATALOG
from rise_env.problems.catalog_loader import whereabouts
from rise_env.types import Problem
from rise_trainers.fitting.config import FitConfig, from_json
from rise_trainers.loop.config import RunConfig
from rise_trainers.loop.memory import GIB, MemoryEstimate, estimate, parameters
from rise_trainers.loop.phases import Phase, environment_settings

QUESTION = 240
"""Characters of a problem that is not here: about the mean of GSM8K (235) and MATH (191)."""
_WHERE = ("data_dir", "dataset", "revision", "split")


@dataclass(frozen=True, slots=True, kw_only=True)
class Problems:
    """One split, or what is known of it."""

    size: int | None
    """None where nobody knows."""
    origin: str
    env: gymnasium.Env[Any, str]
    """With the problems, or with one that stands for all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """What one phase takes at most."""

    phase: Phase
    replies: int = 0
    by_teacher: int = 0
    """Of the replies."""
    prompt_tokens: int = 0
    tokens: int = 0
    """Generated, or trained on: over all epochs, prompts included."""
    steps: tuple[int, int] = (0, 0)
    """Of the optimizer: with one sequence per trajectory, and with one per reply."""
    memory: MemoryEstimate | None = None
    weights: float | None = None
    """GiB per device of the model that plays; None where nothing is known of it."""


def look_up(config: RunConfig, split: str) -> Problems:
    """Return the problems of a split; those that are not here are not fetched.

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
        where = whereabouts(spec, split, folder)
        if not where.startswith("file"):
            settings["data_dir"] = folder or os.devnull  # names are checked, and nothing is fetched
    elif isinstance(settings.get("dataset"), str) and not Path(settings["dataset"]).exists():
        return Problems(size=None, origin=f"not fetched: {settings['dataset']}", env=_stand_in(settings))
    try:
        env = rise_env.make(config.env, **settings)
    except (DataNotFoundError, MissingDependencyError) as error:
        reason = f"not here ({where}); size as published" if published else str(error)
        return Problems(size=published, origin=reason, env=_stand_in(settings))
    size = len(env.unwrapped.problems)  # type: ignore[attr-defined]
    return Problems(size=size, origin="here", env=env)


def _stand_in(settings: Mapping[str, Any]) -> gymnasium.Env[Any, str]:
    problem = Problem(id="unknown", question="x" * QUESTION, reference="0")
    kept = {name: value for name, value in settings.items() if name not in _WHERE}
    known = ("system_prompt", "few_shot", "released_rise", "history_turns", "feedback", "max_turns")
    return rise_env.make(
        "RISE-Custom-v0", dataset=[problem], **{name: kept[name] for name in known if name in kept}
    )


def find_shape(config: RunConfig, model: str) -> tuple[Any, str]:
    """Return the model's transformers configuration, None where there is none, and where it comes from."""
    try:
        from transformers import AutoConfig
    except ImportError:
        return None, "transformers is not installed: no estimate of memory"
    try:
        return AutoConfig.from_pretrained(model), "its config.json"
    except (OSError, ValueError) as error:
        reason = str(error).strip().split("\n")[0]
    if not config.agent.shape:
        return None, f"its config.json cannot be read, and agent.shape says nothing: no memory ({reason})"
    try:
        return AutoConfig.for_model(**config.agent.shape), "agent.shape; its config.json is not here"
    except (TypeError, ValueError) as error:
        return None, f"agent.shape is no configuration of a model: {error}"


def forecast(
    config: RunConfig, phases: Sequence[Phase], train: Problems, test: Problems, shape: Any
) -> list[Forecast]:
    """Return what each phase takes.

    Args:
        config: Of the run.
        phases: Of the run.
        train: Problems that are played.
        test: Problems that are measured on.
        shape: The model's transformers configuration; None leaves out memory.
    """
    found = []
    stores: dict[str, tuple[int, int, float]] = {}
    for phase in phases:
        if phase.command == "collect":
            this, length = _collection(config, phase, train, shape)
            stores[phase.watch[0]] = (phase.units, phase.settings["turns"], length)
        elif phase.command == "fit":
            this = _fit(phase, [stores[store] for store in phase.settings["data"]], shape)
        else:
            this = _evaluation(config, phase, test, shape)
        found.append(this)
    return found


def _collection(config: RunConfig, phase: Phase, problems: Problems, shape: Any) -> tuple[Forecast, float]:
    """Return the forecast, and the length of a longest trajectory in tokens."""
    settings = phase.settings
    turns, last = settings["turns"], settings.get("num_samples", 1)
    longest = settings["sampling"]["max_new_tokens"]
    prompts = _prompts(problems, phase.units, turns, longest)
    replies = phase.units * (turns - 1 + last)
    boost = "teacher" not in settings  # its teacher plays all turns
    by_teacher = replies if boost else phase.units * last if settings["teacher"] else 0
    this = Forecast(
        phase=phase,
        replies=replies,
        by_teacher=by_teacher,
        prompt_tokens=round(phase.units * (sum(prompts) + (last - 1) * prompts[-1])),
        tokens=replies * longest,
        weights=None if boost else _weights(config, shape),
    )
    return this, prompts[-1] + longest


def _evaluation(config: RunConfig, phase: Phase, problems: Problems, shape: Any) -> Forecast:
    turns, num_samples = phase.settings["turns"], phase.settings["num_samples"]
    count, longest = phase.settings["limit"], config.sampling.max_new_tokens
    prompts = _prompts(problems, count, turns, longest)
    return Forecast(
        phase=phase,
        replies=count * (turns + num_samples),
        prompt_tokens=round(count * (sum(prompts) + num_samples * prompts[0])),
        tokens=count * (turns + num_samples) * longest,
        weights=_weights(config, shape),
    )


def _fit(phase: Phase, stores: Sequence[tuple[int, int, float]], shape: Any) -> Forecast:
    fit = from_json(phase.settings)
    epoch = sum(count * min(float(fit.max_length), length) for count, _, length in stores)
    one = 1 if fit.selection.turns in ("first", "last") else None
    counts = (sum(n for n, _, _ in stores), sum(n * (one or turns) for n, turns, _ in stores))
    fewest = counts[1] if fit.layout == "per_turn" else counts[0]
    return Forecast(
        phase=phase,
        tokens=round(epoch * fit.epochs),
        steps=(_steps(fit, fewest), _steps(fit, counts[1])),
        memory=_memory(fit, shape),
    )


def _memory(fit: FitConfig, shape: Any) -> MemoryEstimate | None:
    if shape is None:
        return None
    try:
        return estimate(_as_launched(fit), shape, machines=machines(fit))
    except ImportError:  # of DeepSpeed, whose estimates ours contain
        return None


def _steps(fit: FitConfig, sequences: int) -> int:
    return math.ceil(fit.epochs * math.ceil(sequences / fit.batch_size))


def _prompts(problems: Problems, count: int, turns: int, max_new_tokens: int) -> list[float]:
    size = len(problems.env.unwrapped.problems)  # type: ignore[attr-defined]
    return prompt_tokens(
        problems.env, range(min(size, max(1, count))), turns=turns, max_new_tokens=max_new_tokens
    )


def _weights(config: RunConfig, shape: Any) -> float | None:
    if shape is None:
        return None
    settings = config.agent.settings
    width = 4 if settings.get("dtype") == "float32" else 2
    return float(parameters(shape)[0] * width / settings.get("tensor_parallel_size", 1) / GIB)


def _as_launched(fit: FitConfig) -> FitConfig:
    """Return the fit with the ZeRO stage and offloading of the user's own DeepSpeed file."""
    if fit.deepspeed is None or not Path(fit.deepspeed).is_file():
        return fit
    try:
        zero = json.loads(Path(fit.deepspeed).read_text()).get("zero_optimization", {})
        offload = zero.get("offload_optimizer", {}).get("device", "none") != "none"
        return dataclasses.replace(fit, zero_stage=zero.get("stage", 0), offload=offload)
    except (ValueError, AttributeError):
        return fit


def machines(fit: FitConfig) -> int:
    """Return how many machines a fit has: the lines of its hostfile; 1 where that is not here."""
    if fit.hostfile is None or not Path(fit.hostfile).is_file():
        return 1
    lines = (line.partition("#")[0].strip() for line in Path(fit.hostfile).read_text().splitlines())
    return max(1, sum(bool(line) for line in lines))

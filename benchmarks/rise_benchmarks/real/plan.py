"""Turns a recipe into the settings of its trainings and measurements."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rise_agents.evaluation.evaluate_agents import EvaluateConfig
from rise_agents.types import SamplingConfig
from rise_benchmarks.real.recipe import BASE, Recipe, Table, model_parts
from rise_benchmarks.variant import UNMEASURED
from rise_env.errors import ConfigError
from rise_env.trajectories.outcomes import FailureLimits
from rise_env.utils.settings import build, merged
from rise_trainers.loop.config import RunConfig, first_model
from rise_trainers.loop.run_folder import BOOST, model_folder

ANY_SHARE = FailureLimits(max_cut=1.0)
"""Replies that are cut do not stop an experiment: models often write too much before they are trained."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelOverride:
    """The model of the experiment in place of the recipe's."""

    model: str | None = None
    """Folder or hub id of the model that all trainings start from; None is the recipe's."""
    backend: str | None = None
    """The agent with which models play: transformers or vllm; None is the recipe's."""
    settings: dict[str, Any] = field(default_factory=dict)
    """Settings of the agent in addition to the recipe's, for example revision, for a model of the hub."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RealConfig:
    """The settings of `rise bench real`."""

    recipe: str
    """A YAML file, or the name of a packaged recipe; see `rise_benchmarks.real.recipe`."""
    out: str | None = None
    """Folder for models, logs and results; None is runs/real-NAME, with the name of the recipe."""
    agent: ModelOverride = field(default_factory=ModelOverride)
    seeds: tuple[int, ...] | None = None
    """Seeds; None takes those of the recipe."""
    limit: int | None = None
    """Number of problems per table and per training, where the recipe's is larger; for a first try."""
    data_dir: str | None = None
    """Folder of the data sets; None uses RISE_DATA_DIR or the hub."""
    dry_run: bool = False
    """Print how many replies, tokens and steps the experiment needs at most, and do nothing."""
    measure_speed: bool = False
    """With dry_run: play a few episodes, make a short fit, and print the hours of every phase. It loads the
    first model, and writes into a temporary folder beside `out`."""

    @property
    def folder(self) -> Path:
        """The folder for models, logs and results."""
        return Path(self.out or f"runs/real-{Path(self.recipe).stem}")

    def __post_init__(self) -> None:
        if self.limit is not None and self.limit < 1:
            raise ConfigError(f"limit must be at least 1, got {self.limit}")
        if self.measure_speed and not self.dry_run:
            raise ConfigError("measure_speed needs dry_run: add --dry_run")
        if self.seeds is not None and not self.seeds:
            raise ConfigError("seeds is empty: give at least one seed, or leave it out")


class Plan:
    """The trainings and measurements of an experiment.

    Args:
        recipe: The experiment.
        config: Where it runs, and what replaces values of the recipe.
    """

    def __init__(self, recipe: Recipe, config: RealConfig) -> None:
        self.recipe = recipe
        self.config = config
        self.out = config.folder
        self.seeds = config.seeds or recipe.seeds
        self.shared = _shared(recipe, config)

    def run_folder(self, name: str, seed: int) -> Path:
        """Return the run folder of a training."""
        return self.out / "training" / f"{name}-seed-{seed}"

    def shared_run(self) -> RunConfig:
        """Return the settings that all trainings share, with the defaults of the others."""
        return build(RunConfig, self.shared, where="shared.")

    def training(self, name: str, seed: int) -> RunConfig:
        """Return the settings of the run that is the training `name` with this seed."""
        training = self.recipe.trainings[name]
        own: dict[str, Any] = {"out": str(self.run_folder(name, seed)), "seeds": [seed]}
        if training.start != BASE:
            own["agent"] = {"model": self.model(training.start, seed)}
        settings = merged(merged(merged(self.shared, UNMEASURED), training.settings), own)
        if self.config.limit is not None:
            settings = _limited(settings, self.config.limit)
        return build(RunConfig, settings, where=f"trainings.{name}.")

    def model(self, model: str, seed: int) -> str:
        """Return the folder or hub id of a model; see `recipe` for the names of models."""
        if model == BASE:
            return first_model(self.shared_run())
        name, stage = model_parts(model)
        return str(model_folder(self.run_folder(name, seed), seed, stage))

    def is_there(self, model: str, seed: int) -> bool:
        """Return whether a model was trained already; the base always is."""
        return model == BASE or Path(self.model(model, seed)).is_dir()

    def measurement(self, name: str, seed: int, rows: Mapping[str, str]) -> EvaluateConfig:
        """Return the settings of the measurement of some rows of a table."""
        table = self.recipe.tables[name]
        shared = self.shared_run()
        limit = table.limit if self.config.limit is None else min(table.limit, self.config.limit)
        return EvaluateConfig(
            env=table.env,
            agent=tuple(f"{shared.agent.backend}:{self.model(model, seed)}" for model in rows.values()),
            label=tuple(rows),
            out=str(self.out / name),
            limit=limit,
            seeds=(seed,),
            protocols=table.protocols,
            turns=table.turns,
            num_samples=table.num_samples,
            draws=table.draws,
            sampling=self._sampling(table, shared),
            env_settings=self._env_settings(table),
            agent_settings=shared.agent.settings,
            failures=ANY_SHARE,
        )

    def check(self) -> None:
        """Raise ConfigError if a training or measurement has a wrong setting, or a model is never trained."""
        for seed in self.seeds:
            runs = {name: self.training(name, seed) for name in self.recipe.trainings}
            for name, table in self.recipe.tables.items():
                self.measurement(name, seed, table.rows)
            models = [training.start for training in self.recipe.trainings.values()]
            models += [model for table in self.recipe.tables.values() for model in table.rows.values()]
            for model in models:
                if model != BASE:
                    _check_stage(model, runs)

    def _env_settings(self, table: Table) -> dict[str, Any]:
        settings = {**table.env_settings, "split": table.split}
        if self.config.data_dir is not None:
            settings["data_dir"] = self.config.data_dir
        return settings

    def _sampling(self, table: Table, shared: RunConfig) -> SamplingConfig:
        return shared.sampling if table.sampling is None else table.sampling


def _shared(recipe: Recipe, config: RealConfig) -> dict[str, Any]:
    """Return the shared settings of the trainings with what the command line replaces."""
    given = config.agent
    agent = {key: value for key, value in (("model", given.model), ("backend", given.backend)) if value}
    over: dict[str, Any] = {"agent": {**agent, "settings": given.settings}}
    if config.data_dir is not None:
        over["problems"] = {"data_dir": config.data_dir}
    if "revision" in given.settings:
        over["fit"] = {"revision": given.settings["revision"]}
    return merged(recipe.shared, over)


def _limited(settings: Mapping[str, Any], limit: int) -> dict[str, Any]:
    """Return the settings of a run with at most `limit` problems per stage."""
    problems = RunConfig().problems.train
    train = min(limit, settings.get("problems", {}).get("train", problems))
    limited = merged(settings, {"problems": {"train": train}})
    boost = settings.get("boost")
    if boost:
        limited["boost"] = merged(boost, {"train": min(limit, boost.get("train", limit))})
    return limited


def _check_stage(model: str, runs: Mapping[str, RunConfig]) -> None:
    name, stage = model_parts(model)
    run = runs[name]
    if stage == BOOST and run.boost is None:
        raise ConfigError(f"the recipe uses the model {model}, but trainings.{name} has no boost stage")
    if stage != BOOST and stage > run.iterations:
        raise ConfigError(
            f"the recipe uses the model {model}, but trainings.{name} has {run.iterations} iterations"
        )

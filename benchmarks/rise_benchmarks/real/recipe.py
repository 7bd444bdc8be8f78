"""A recipe: which models are trained, and in which tables they are measured.

    shared:                     # settings of rise run that all trainings share
      env: RISE-ASDiv-v0
      agent: {model: HuggingFaceTB/SmolLM2-135M-Instruct}
    trainings:                  # name -> one run of rise run
      rise: {settings: {boost: {train: 300}, iterations: 1}}
      sft: {start: rise/boost, settings: {turns: 1}}
    tables:                     # name -> the same measurements of several models
      test:
        env: RISE-ASDiv-v0
        split: test_part
        rows: {boosted: rise/boost, SFT: sft/1, RISE 1: rise/1}

A model is named as TRAINING/boost or TRAINING/ITERATION; "base" is the model that all trainings start from.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from rise_agents.types import SamplingConfig
from rise_env.errors import ConfigError, DataNotFoundError
from rise_env.utils.settings import build
from rise_env.utils.suggestions import validate_choice
from rise_trainers.loop.run_folder import BOOST, Stage

BASE = "base"
RECIPES = Path(__file__).parent / "recipes"
"""Folder of the recipes that can be named without a path."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Training:
    """One training: a run of `rise run` per seed, without its own evaluations."""

    start: str = BASE
    """The model that it starts from."""
    settings: Mapping[str, Any] = field(default_factory=dict)
    """Settings of `rise run` that replace the shared ones."""
    rollouts_of: str | None = None
    """An earlier training whose first iteration plays the same episodes, which are copied."""
    what: str = ""
    """How the training differs from the others, in words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """One table: the same measurements of several models."""

    env: str
    rows: Mapping[str, str]
    """Name of the row -> the model."""
    split: str = "test"
    env_settings: Mapping[str, Any] = field(default_factory=dict)
    """Further arguments of the environment, for example `where`."""
    limit: int = 300
    """Number of problems, from the start of the split."""
    turns: int = 5
    num_samples: int = 5
    """K of the metric mK@t1."""
    draws: int | None = None
    """Number of independent first replies; None is `num_samples`."""
    protocols: tuple[str, ...] = ("sequential", "parallel")
    sampling: SamplingConfig | None = None
    """How replies are sampled; None is the shared sampling."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """An experiment."""

    shared: Mapping[str, Any]
    """Settings of `rise run` that all trainings share."""
    trainings: Mapping[str, Training] = field(default_factory=dict)
    tables: Mapping[str, Table]
    compare: tuple[str, ...] = ()
    """Tables of the same problems whose rows are compared with the first row of the first one; see
    `rise_benchmarks.real.comparison`."""
    seeds: tuple[int, ...] = (0,)
    what: str = ""
    """The experiment in words."""

    def __post_init__(self) -> None:
        if not self.tables:
            raise ConfigError("the recipe has no tables: name at least one under tables")
        if not self.seeds:
            raise ConfigError("the recipe has no seeds: give at least one, for example seeds: [0]")
        earlier: dict[str, Training] = {}
        for name, training in self.trainings.items():
            where = f"trainings.{name}"
            check_model(training.start, earlier, f"{where}.start")
            if training.rollouts_of is not None:
                validate_choice(training.rollouts_of, earlier, f"{where}.rollouts_of")
            earlier[name] = training
        for name, table in self.tables.items():
            for row, model in table.rows.items():
                check_model(model, self.trainings, f"tables.{name}.rows.{row}")
        for name in self.compare:
            validate_choice(name, self.tables, "table in compare")


def check_model(model: str, trainings: Iterable[str], where: str) -> None:
    """Raise ConfigError if a model is neither "base" nor of one of these trainings."""
    if model == BASE:
        return
    training, _, stage = model.partition("/")
    validate_choice(training, tuple(trainings), f"training in {where}")
    if stage != BOOST and not (stage.isdigit() and int(stage) > 0):
        raise ConfigError(
            f"{where} is {model!r}: a model is named base, TRAINING/boost or TRAINING/ITERATION"
        )


def model_parts(model: str) -> tuple[str, Stage]:
    """Return the training and the stage of a model's name, which is not "base"."""
    training, _, stage = model.partition("/")
    return training, BOOST if stage == BOOST else int(stage)


def read_recipe(name: str) -> Recipe:
    """Return the recipe in a file, or one of those in `RECIPES` by its name.

    Raises:
        DataNotFoundError: There is no such file and no such name.
        ConfigError: The file has an unknown setting or a wrong value.
    """
    path = Path(name)
    if not path.is_file():
        path = RECIPES / f"{name}.yaml"
    if not path.is_file():
        known = ", ".join(sorted(file.stem for file in RECIPES.glob("*.yaml")))
        raise DataNotFoundError(f"there is no recipe {name!r}: give a YAML file, or one of {known}")
    values = _read_yaml(path)
    for key, kind in (("trainings", Training), ("tables", Table)):
        entries = values.get(key) or {}
        if not isinstance(entries, Mapping):
            raise ConfigError(f"{path}: {key} is a mapping from names to settings, got {entries!r}")
        for entry, settings in entries.items():
            if not isinstance(settings, Mapping):
                raise ConfigError(f"{path}: {key}.{entry} is a mapping of settings, got {settings!r}")
            build(kind, settings, where=f"{key}.{entry}.")
    return build(Recipe, values)


def _read_yaml(path: Path) -> dict[str, Any]:
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} is not YAML: {' '.join(str(error).split())}") from error
    if not isinstance(values, dict):
        raise ConfigError(f"{path} is no recipe: it must be a YAML mapping with shared, trainings and tables")
    return values

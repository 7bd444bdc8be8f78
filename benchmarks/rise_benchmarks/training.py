"""Trains the variants of a suite of `rise bench`: each is a run of `rise run` in a folder of its own."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from rise_benchmarks.search.rows import AgentRow
from rise_benchmarks.variant import UNMEASURED, Variant
from rise_env.errors import ConfigError, DataNotFoundError
from rise_env.utils.config_parser import parse
from rise_env.utils.settings import merged

if TYPE_CHECKING:
    from rise_trainers.loop.config import RunConfig


@dataclass(frozen=True, slots=True)
class Trained:
    """The models that the variants of a suite trained."""

    models: Mapping[str, Mapping[int, str]]
    """Name of the row -> seed -> agent."""
    runs: Mapping[str, tuple["RunConfig", int]]
    """Name of the row -> settings of its run, and the iteration; 0 is the model before the first."""
    critics: Mapping[int, str]
    """Seed -> the critic as an agent; empty if no variant fits one."""

    def rows(self, seed: int) -> dict[str, AgentRow]:
        """Return the rows of the models of a seed."""
        return {name: AgentRow(agent=agents[seed]) for name, agents in self.models.items()}


def variant_config(
    name: str, variant: Variant, recipe: Mapping[str, Any], own: Mapping[str, Any]
) -> "RunConfig":
    """Write the settings of the run that trains a variant beside its folder, and return them.

    Args:
        name: Name of the variant.
        variant: How it differs from the recipe.
        recipe: Settings of `rise run` that all variants share.
        own: env, out and seeds of the run.

    Raises:
        ConfigError: The settings contradict each other.
    """
    from rise_trainers.loop.config import RunConfig

    settings = merged(merged(merged(recipe, UNMEASURED), variant.settings), own)
    path = Path(own["out"]).with_name(f"{name}.yaml")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump(settings, sort_keys=False))
    return parse(RunConfig, ["--config", str(path)], prog="rise bench")


def train(
    variants: Mapping[str, Variant], folder: Path, *, env: str, recipe: str | None, seeds: Sequence[int]
) -> Trained:
    """Train all variants that are not trained yet.

    Args:
        variants: Name -> variant.
        folder: Folder of their runs.
        env: Environment id.
        recipe: File with the settings of `rise run` that all variants share.
        seeds: Seeds; each has models of its own.

    Raises:
        ConfigError, DataNotFoundError: The recipe or the settings of a variant are wrong.
    """
    from rise_benchmarks.real.run import take_rollouts
    from rise_trainers import self_improve
    from rise_trainers.critic.stage import critic_agent
    from rise_trainers.loop.config import first_model
    from rise_trainers.loop.run_folder import model_folder
    from rise_trainers.loop.run_settings import claim

    shared = read_recipe(recipe)
    models: dict[str, dict[int, str]] = {}
    runs: dict[str, tuple[RunConfig, int]] = {}
    critics: dict[int, str] = {}
    for name, variant in variants.items():
        own = folder / name
        config = variant_config(name, variant, shared, {"env": env, "out": str(own), "seeds": list(seeds)})
        if variant.rollouts_of is not None:
            claim(own, config)
            for seed in seeds:
                take_rollouts(folder / variant.rollouts_of, own, seed)
        self_improve.run(config)
        critics |= {seed: found for seed in seeds if (found := critic_agent(config, seed, 1)) is not None}
        for label, row in variant.rows.items():
            number = 0 if label == "base" else int(label.removeprefix("iteration "))
            runs[row] = (config, number)
            models[row] = {
                seed: f"{config.agent.backend}:"
                f"{model_folder(own, seed, number) if number else first_model(config)}"
                for seed in seeds
            }
    return Trained(models, runs, critics)


def read_recipe(path: str | None) -> dict[str, Any]:
    """Return the settings of a recipe.

    Raises:
        DataNotFoundError: There is no such file.
        ConfigError: It is no YAML mapping.
    """
    if path is None or not Path(path).is_file():
        raise DataNotFoundError(f"there is no recipe {path}: give a YAML file with settings of rise run")
    recipe = yaml.safe_load(Path(path).read_text())
    if not isinstance(recipe, dict):
        raise ConfigError(f"{path} is no recipe: it must be a YAML mapping with settings of rise run")
    return recipe

"""The settings in a run folder, RUN/config.yaml, and whether a command continues the run in the folder."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from rise_agents.registry import deciding_settings as deciding_agent_settings
from rise_env.errors import ConfigError
from rise_env.trajectories.old_names import rename_run_settings
from rise_env.trajectories.output_folder import make_output_folder
from rise_env.utils.settings import deciding_settings, defaults, differences, merged
from rise_trainers.critic.config import CRITIC_FIT, CriticConfig
from rise_trainers.fitting.config import FitConfig
from rise_trainers.loop.config import BOOST_FIT, BoostConfig, RunConfig, to_json
from rise_trainers.utils.digests import model_digest

SETTINGS = "config.yaml"
INPUTS = "inputs.yaml"
"""The digest of the first model."""


def claim(out: Path, config: RunConfig) -> list[str]:
    """Write the settings into a new run folder, or check that an existing one belongs to the same run.

    Returns:
        The dotted names of the settings that differ from those in the folder, and may; see `record`.

    Raises:
        ConfigError: The folder belongs to a run with other settings or another first model, or holds other
            files.
    """
    mine, inputs = to_json(config), {"model": model_digest(config.agent.model)}
    path = out / SETTINGS
    if path.exists():
        found = yaml.safe_load(path.read_text())
        if not isinstance(found, dict):
            raise ConfigError(f"{path} is damaged; choose another folder with --out, or delete {out}")
        found = merged(to_json(RunConfig()), rename_run_settings(found))
        changed = differences(deciding_run_settings(found), deciding_run_settings(mine))
        if changed:
            raise ConfigError(
                f"{out} is a run with other settings ({', '.join(changed)}); "
                "choose another folder with --out, or the same settings to continue it"
            )
        before = _read_inputs(out)
        if before and before != inputs:
            raise ConfigError(
                f"{out} is a run of another first model: {config.agent.model} is not what it was when the "
                "run began; choose another folder with --out, or the same model to continue it"
            )
        return [name for name in differences(found, mine) if name != "out"]
    own = {file.with_suffix(suffix).name for file in (path, out / INPUTS) for suffix in (".yaml", ".new")}
    if out.exists() and any(entry.name not in own for entry in out.iterdir()):
        raise ConfigError(f"{out} is not empty and holds no run; choose another folder with --out")
    make_output_folder(out)
    _replace(out / INPUTS, inputs)
    _replace(path, mine)
    return []


def record(out: Path, config: RunConfig) -> None:
    """Replace the settings in a run folder by those with which the run continues."""
    _replace(out / SETTINGS, to_json(config))


def deciding_run_settings(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings of a run that must be the same when it continues.

    Args:
        settings: All settings, as plain values. Those of fits and agents are free mappings, whose
            entries are `Changeable` where their own definitions say so.
    """
    kept = deciding_settings(RunConfig, settings)
    agent, improve = settings["agent"], settings["improve"]
    boost, critic = settings["boost"], settings["critic"]
    kept["fit"] = _deciding_fit_settings(settings["fit"])
    kept["agent"]["settings"] = deciding_agent_settings(
        f"{agent['backend']}:{agent['model']}", agent["settings"]
    )
    if improve["teacher"] is not None:
        kept["improve"]["teacher_settings"] = deciding_agent_settings(
            improve["teacher"], improve["teacher_settings"]
        )
    if boost is not None:
        boost = merged(defaults(BoostConfig), boost)
        kept["boost"] |= {
            "fit": _deciding_fit_settings(merged(BOOST_FIT, _underscored(boost["fit"]))),
            "settings": deciding_agent_settings(boost["teacher"], boost["settings"]),
        }
    if critic is not None:
        critic = merged(defaults(CriticConfig), critic)
        kept["critic"] |= {
            "fit": _deciding_fit_settings(merged(CRITIC_FIT, _underscored(critic["fit"]))),
        }
    return kept


def _deciding_fit_settings(settings: Mapping[str, Any]) -> dict[str, Any]:
    return deciding_settings(FitConfig, merged(defaults(FitConfig), _underscored(settings)))


def _underscored(settings: Mapping[str, Any]) -> dict[str, Any]:
    return {name.replace("-", "_"): value for name, value in settings.items()}


def _read_inputs(out: Path) -> dict[str, Any] | None:
    path = out / INPUTS
    return yaml.safe_load(path.read_text()) if path.exists() else None


def _replace(path: Path, value: Mapping[str, Any]) -> None:
    """Write a YAML file, which replaces the one before when it is complete."""
    new = path.with_suffix(".new")
    new.write_text(yaml.safe_dump(value, sort_keys=False))
    new.replace(path)

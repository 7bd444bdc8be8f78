"""`rise fit`: trains a model on stores of trajectories, by one reward-weighted fit, and saves the new model.

    rise fit --data STORE.jsonl --model PATH --output DIR
    rise fit --config fit.yaml --learning_rate 2e-5 --selection.criterion better

The DeepSpeed launcher starts the processes that train; this module does not import torch. While a fit runs,
its state is in `DIR.partial` (settings, log, metrics, checkpoints). `DIR` appears in one rename when the fit
is complete. A killed fit continues from its last checkpoint when the same command is given again. Settings
that are `Changeable` may differ from before, and files may have moved, but not changed.
"""

import json
import os
import shutil
from collections.abc import Callable, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import yaml

from rise_agents.chat.loading import adapter_config, read_template
from rise_env.errors import ConfigError, DataNotFoundError
from rise_env.trajectories.output_folder import make_output_folder
from rise_env.utils.extras import missing_library
from rise_env.utils.file_lock import exclusive
from rise_env.utils.settings import deciding_settings, defaults, differences, merged
from rise_trainers.checks.before_fit import check_before_fit
from rise_trainers.checks.deepspeed_file import read_deepspeed_file
from rise_trainers.cluster.checks import check_devices
from rise_trainers.cluster.leader import leading
from rise_trainers.cluster.members import follow
from rise_trainers.cluster.rendezvous import Rendezvous
from rise_trainers.fitting.config import FitConfig, to_json
from rise_trainers.fitting.paths import INPUTS, METRICS, MODEL, SETTINGS, model_path, partial_folder
from rise_trainers.utils.digests import file_digest, model_digest, store_digest

TRACKED = ("runs", "wandb")
"""Subfolders of the partial folder that TensorBoard and W&B write."""


def fit(config: FitConfig, *, progress: Callable[[dict[str, Any]], None] | None = None) -> None:
    """Run a fit in new processes and wait until they end.

    If the output folder holds the same fit, nothing is done. If the same fit was killed, it continues from
    its last checkpoint. If torchrun or srun started several processes that call this function, each runs its
    share of the ranks.

    Args:
        config: The settings of the fit.
        progress: Called with each line of the metrics when it is written: {"kind": "step", "step", "total",
            "loss", "grad_norm", "learning_rate", "tokens_per_s", "seconds_left", ...}.

    Raises:
        ConfigError: The settings contradict each other, or the output folder belongs to another fit.
        DataNotFoundError: A store or the model does not exist.
        TrainingError: The processes failed; the message names their log.
        BusyError: Another process runs the same fit.
    """
    if follow(os.environ):
        return
    with leading(os.environ) as rendezvous:
        _fit(config, rendezvous, progress)


def _fit(
    config: FitConfig, rendezvous: Rendezvous | None, progress: Callable[[dict[str, Any]], None] | None
) -> None:
    from rise_trainers.fitting.launcher import run_launcher

    check_inputs(config)
    output, partial = Path(config.output), partial_folder(config.output)
    inputs = input_digests(config)
    if output.exists():
        _check_same(config, inputs, output)
        return
    if (partial / SETTINGS).exists():
        _check_same(config, inputs, partial)
    check_before_fit(config)
    make_output_folder(partial, setting="output")
    with exclusive(partial):
        # the settings are last, because settings without inputs would accept any inputs
        _replace(partial / INPUTS, yaml.safe_dump(inputs, sort_keys=False))
        _replace(partial / SETTINGS, json.dumps(to_json(config), indent=2) + "\n")
        if not (partial / MODEL).exists():
            run_launcher(config, partial, rendezvous, progress=progress)
        _finish(partial, output)


def _finish(partial: Path, output: Path) -> None:
    """Make the output folder appear in one rename, and delete the state of the fit."""
    for name in (METRICS, SETTINGS, INPUTS):
        shutil.copyfile(partial / name, partial / MODEL / name)
    for name in TRACKED:
        if (partial / name).exists():
            (partial / name).rename(partial / MODEL / name)
    output.parent.mkdir(parents=True, exist_ok=True)
    (partial / MODEL).rename(output)
    shutil.rmtree(partial)


def _replace(path: Path, text: str) -> None:
    """Write a file, which replaces the one before when it is complete."""
    new = path.with_name(path.name + ".new")
    new.write_text(text)
    new.replace(path)


def input_digests(config: FitConfig) -> dict[str, Any]:
    """Return digests of what the settings `ByContent` name: setting -> digest, and a list for the stores."""
    files = {name: getattr(config, name) for name in ("chat_template", "deepspeed")}
    return {
        "data": [store_digest(store) for store in config.data],
        "model": model_digest(config.model, config.revision),
        "adapter": None if config.adapter is None else model_digest(config.adapter),
        **{name: None if path is None else file_digest(path) for name, path in files.items()},
    }


def check_inputs(config: FitConfig) -> None:
    """Check that the inputs of a fit exist, and that its devices are visible.

    Raises:
        ConfigError: CUDA_VISIBLE_DEVICES or the hostfile has too few devices or is malformed, or the
            DeepSpeed file contradicts the settings.
        DataNotFoundError: A store, a model folder, a DeepSpeed file or a hostfile does not exist.
        MissingDependencyError: A tracker is not installed.
    """
    for store in config.data:
        if not Path(store).is_file():
            raise DataNotFoundError(
                f"there is no store of trajectories {store}: collect one with `rise collect`"
            )
    model = Path(model_path(config.model))
    looks_local = model.is_absolute() or config.model.startswith((".", "~")) or len(model.parts) > 2
    if looks_local and not (model / "config.json").is_file():
        raise DataNotFoundError(
            f"there is no model in {config.model}: a model folder must have a config.json"
        )
    if config.chat_template is not None:
        read_template(config.chat_template)
    if config.hostfile is not None and not Path(config.hostfile).is_file():
        raise DataNotFoundError(f"there is no file {config.hostfile}: correct the setting hostfile")
    if config.deepspeed is not None:
        read_deepspeed_file(config)
    check_devices(config, os.environ)
    if config.adapter is not None:
        adapter_config(config.adapter)
    for tracker in config.report_to:
        if find_spec(tracker) is None:
            raise missing_library(tracker, "report_to")


def _check_same(config: FitConfig, inputs: Mapping[str, Any], folder: Path) -> None:
    """Raise ConfigError unless `folder` belongs to a fit with these settings and inputs.

    Args:
        config: The settings.
        inputs: The digests of its inputs.
        folder: The output or partial folder. One without digests is of an older version.
    """
    try:
        found = json.loads((folder / SETTINGS).read_text())
    except (OSError, ValueError):
        raise ConfigError(f"{folder} exists and is not the output of a fit: choose another output") from None
    known = _known_inputs(folder)
    if known:
        changed = [name for name in differences(known, inputs) if not _may_be_same(known[name], inputs[name])]
        if changed:
            raise ConfigError(
                f"{folder} was made from other inputs: {_named(config, inputs, known, changed[0])}; choose "
                "another output"
            )
    before, now = merged(defaults(FitConfig), found), to_json(config)
    changed = differences(deciding_settings(FitConfig, before), deciding_settings(FitConfig, now))
    if changed:
        raise ConfigError(
            f"{folder} was made with other settings ({', '.join(changed)}): choose another output"
        )


def _known_inputs(folder: Path) -> dict[str, Any]:
    try:
        known: dict[str, Any] = yaml.safe_load((folder / INPUTS).read_text())
    except FileNotFoundError:
        return {}
    except (yaml.YAMLError, UnicodeDecodeError):
        raise ConfigError(f"{folder / INPUTS} is damaged: choose another output") from None
    return known


def _may_be_same(before: Any, now: Any) -> bool:
    """Return whether two digests are of one hub model, of which one was not in the cache of the machine."""
    if not isinstance(before, str) or not isinstance(now, str):
        return False
    return before in (now, now.partition("@")[0]) or now == before.partition("@")[0]


def _named(config: FitConfig, inputs: Mapping[str, Any], known: Mapping[str, Any], name: str) -> str:
    """Return a text that names an input which is not what it was."""
    if name == "data":
        if len(known[name]) != len(config.data):
            return f"{name} was {len(known[name])} stores, not {len(config.data)}"
        pairs = zip(config.data, known[name], inputs[name], strict=True)
        return f"{name} {next(path for path, before, now in pairs if before != now)} has another content"
    path = getattr(config, name)
    if known[name] is None or path is None:
        return f"{name} is {path}, and {'none' if known[name] is None else 'one'} was set before"
    return f"{name} {path} has another content"


def main(argv: list[str]) -> int:
    """Run the command line; see the docstring of this module."""
    from rise_env.utils.config_parser import parse
    from rise_trainers.fitting.progress import FitProgress

    config = parse(FitConfig, argv, prog="rise fit")
    check_inputs(config)
    with FitProgress() as display:
        fit(config, progress=display.update)
    print(config.output)
    return 0

"""`rise fit`: trains a model on stores of trajectories, by one reward-weighted fit, and saves the new model.

    rise fit --data STORE.jsonl --model PATH --output DIR
    rise fit --config fit.yaml --learning_rate 2e-5 --selection.criterion better

The DeepSpeed launcher starts the processes that train; this module does not import torch. While a fit runs,
its state is in `DIR.partial` (settings, log, metrics, checkpoints). `DIR` appears in one rename when the fit
is complete. A killed fit continues from its last checkpoint when the same command is given again.
"""

import json
import os
import shutil
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from rise_agents.chat.loading import adapter_config, read_template
from rise_env.errors import ConfigError, DataNotFoundError
from rise_env.utils.extras import missing_library
from rise_env.utils.file_lock import exclusive
from rise_trainers.cluster.devices import rank_devices
from rise_trainers.cluster.hostfile import check_hosts
from rise_trainers.fitting.config import FitConfig, to_json
from rise_trainers.fitting.paths import METRICS, MODEL, SETTINGS, model_path, partial_folder

TRACKED = ("runs", "wandb")
"""Subfolders of the partial folder that TensorBoard and W&B write."""


def fit(config: FitConfig, *, progress: Callable[[dict[str, Any]], None] | None = None) -> None:
    """Run a fit in new processes and wait until they end.

    If the output folder holds the same fit, nothing is done. If the same fit was killed, it continues from
    its last checkpoint.

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
    from rise_trainers.fitting.launcher import run_launcher

    check_inputs(config)
    output, partial = Path(config.output), partial_folder(config.output)
    if output.exists():
        _check_same(config, output)
        return
    if (partial / SETTINGS).exists():
        _check_same(config, partial)
    partial.mkdir(parents=True, exist_ok=True)
    with exclusive(partial):
        settings = partial / (SETTINGS + ".new")
        settings.write_text(json.dumps(to_json(config), indent=2) + "\n")
        settings.replace(partial / SETTINGS)
        if not (partial / MODEL).exists():
            run_launcher(config, partial, progress=progress)
        _finish(partial, output)


def _finish(partial: Path, output: Path) -> None:
    """Make the output folder appear in one rename, and delete the state of the fit."""
    for name in (METRICS, SETTINGS):
        shutil.copyfile(partial / name, partial / MODEL / name)
    for name in TRACKED:
        if (partial / name).exists():
            (partial / name).rename(partial / MODEL / name)
    output.parent.mkdir(parents=True, exist_ok=True)
    (partial / MODEL).rename(output)
    shutil.rmtree(partial)


def check_inputs(config: FitConfig) -> None:
    """Check that the inputs of a fit exist, and that its devices are visible.

    Raises:
        ConfigError: CUDA_VISIBLE_DEVICES or the hostfile has too few devices, or is malformed.
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
    for name in ("deepspeed", "hostfile"):
        path = getattr(config, name)
        if path is not None and not Path(path).is_file():
            raise DataNotFoundError(f"there is no file {path}: correct the setting {name}")
    if config.hostfile is None:
        rank_devices(config, os.environ)
    else:
        check_hosts(config, config.hostfile, os.environ)
    if config.adapter is not None:
        adapter_config(config.adapter)
    for tracker in config.report_to:
        if find_spec(tracker) is None:
            raise missing_library(tracker, "report_to")


def _check_same(config: FitConfig, folder: Path) -> None:
    """Raise ConfigError unless `folder` belongs to a fit with these settings."""
    try:
        found = json.loads((folder / SETTINGS).read_text())
    except (OSError, ValueError):
        raise ConfigError(f"{folder} exists and is not the output of a fit: choose another output") from None
    mine = to_json(config)
    changed = sorted(name for name in mine if found.get(name) != mine[name] and name not in _CHANGEABLE)
    if changed:
        raise ConfigError(
            f"{folder} was made with other settings ({', '.join(changed)}): choose another output"
        )


_CHANGEABLE = frozenset(
    {
        *("threads", "log_every", "keep_checkpoints", "output", "save_every", "cache", "report_to"),
        *("launcher", "master_addr", "master_port"),
    }
)
"""Settings that may change when a fit is continued."""


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

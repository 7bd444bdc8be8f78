"""Starts the W&B runs of a `rise run`, which are in one group; see `wandb_runs`."""

import logging
import secrets
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rise_env.errors import ConfigError
from rise_env.utils.extras import missing_library

ID = "wandb-id"
"""File in the run folder with the id of the W&B run. With several seeds, the ids begin with it."""
_TAG_LENGTH = 64
"""The longest tag that W&B accepts."""
_log = logging.getLogger(__name__)


def start(folder: Path, settings: Mapping[str, Any], *, seed: int | None, first: bool) -> Any:
    """Start or continue a W&B run.

    W&B's environment variables take precedence over the names that are made here, except that the name and
    the id get the seed behind them if there are several.

    Args:
        folder: The run folder; W&B writes its files to the subfolder wandb/.
        settings: See `tracker.tracked_settings`; they become W&B's config.
        seed: The seed whose phases it logs; None for the run of the report over several seeds.
        first: Whether nothing has started yet. A later W&B run that cannot start is logged offline, so that
            training goes on.

    Raises:
        MissingDependencyError: W&B is not installed.
        ConfigError: W&B does not start, because nobody is logged in or there is no network.
    """
    try:
        import wandb
    except ImportError as error:
        raise missing_library("wandb", "track") from error
    own = wandb.setup().settings  # from W&B's environment variables and files
    kept = folder / ID
    base = kept.read_text().strip() if kept.exists() else own.run_id or secrets.token_hex(4)
    part = "report" if seed is None else f"seed-{seed}"
    suffix = f"-{part}" if len(settings["seeds"]) > 1 else ""
    arguments: dict[str, Any] = {
        "id": base + suffix,
        "resume": "allow",
        "dir": str(folder),
        "project": own.project or "rise",
        "name": (own.run_name or folder.name) + suffix,
        "group": own.run_group or f"{own.run_name or folder.name}-{base}",
        "job_type": own.run_job_type or ("report" if seed is None else "train"),
        "tags": sorted({*(own.run_tags or ()), *tags(settings)}),
    }
    try:
        run = wandb.init(**arguments)
    except wandb.errors.Error as error:
        reason = str(error).splitlines()[0]
        if first:
            raise ConfigError(
                f"W&B does not start ({reason}): run `wandb login`, or set WANDB_MODE=offline to log into "
                f"{folder}/wandb"
            ) from error
        _log.warning("W&B does not start (%s): %s is logged offline into %s/wandb", reason, part, folder)
        run = wandb.init(**arguments, mode="offline")
    if not run.disabled:
        kept.write_text(base + "\n")
        run.config.update({**settings, **({} if seed is None else {"seed": seed})}, allow_val_change=True)
        for old in folder.glob(f"wandb/offline-run-*-{base}{suffix}"):
            if old.resolve() != Path(run.settings.sync_dir).resolve():
                shutil.rmtree(old)
    return run


def tags(settings: Mapping[str, Any]) -> list[str]:
    """Return the tags of a run: environment, model, weights, and where improved replies come from.

    Args:
        settings: See `tracker.tracked_settings`.
    """
    teacher = settings["improve"]["teacher"]
    found = (
        settings["env"],
        Path(settings["agent"]["model"]).name,
        f"weights-{settings['fit']['weights']}",
        "self-distillation" if teacher is None else "distillation",
    )
    return [tag[:_TAG_LENGTH] for tag in found]

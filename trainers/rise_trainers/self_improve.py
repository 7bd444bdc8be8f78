"""`rise run`: the outer loop of RISE, over processes and files.

    rise run --config examples/quickstart.yaml
    rise run --env RISE-GSM8K-v0 --problems.data-dir DIR --agent.model PATH_OR_HUB_ID --out runs/gsm8k

Iteration k plays k turns on-policy and improves the last one, pools the trajectories of all iterations,
fits from the first model by reward-weighted regression and measures (arXiv:2407.18219, algorithm 1). A boost
stage before the first iteration fits a weak model to a teacher's rollouts. The run folder is the state:
killed at any point, the same command goes on there. See `phases` for its layout. `--dry-run` says what a run
takes.
"""

import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from rich.console import Console

from rise_env.cli.config_parser import parse
from rise_env.errors import ConfigError, PhaseError
from rise_env.trajectories.old_names import rename_run_settings
from rise_env.utils.settings import merged
from rise_trainers.loop.config import RunConfig, to_json
from rise_trainers.loop.phases import plan_phases
from rise_trainers.loop.preflight import check_run
from rise_trainers.loop.supervisor import Supervisor, environment
from rise_trainers.tracking.tracker import Tracker, tracked_settings

SETTINGS = "config.yaml"
FREE = frozenset({"out", "track", "max_concurrent_episodes"})
"""Settings that may change when a run is continued; `agent.shape`, too."""


def main(argv: Sequence[str]) -> int:
    """Run `rise run`."""
    config = parse(RunConfig, argv, prog="rise run")
    if config.dry_run:
        from rise_trainers.loop.dry_run import describe

        print(describe(config))
        return 0
    run(config)
    return 0


def run(config: RunConfig) -> Path:
    """Run the loop, or what is left of it, and return the run folder.

    Raises:
        ConfigError: Settings contradict each other, or the folder is of a run with other settings.
        DataNotFoundError: Problems or model are not there.
        PhaseError: A phase failed; what is done stays done.
    """
    out = Path(config.out)
    console = Console(stderr=True)
    phases = plan_phases(config, check_run(config))
    claim(out, config)
    with Tracker(out, config.track, tracked_settings(config)) as tracker:
        with Supervisor(out / "phases", phases, console) as supervisor:
            tracker.drop_unfinished([phase.name for phase in phases if supervisor.is_done(phase)])
            for phase in phases:
                if supervisor.is_done(phase):
                    supervisor.skip(phase)
                else:
                    supervisor.run(phase, tracker.log_running)
                tracker.log_phase(phase)
        if config.problems.test:
            _report(out)
            tracker.log_report(out)
    console.print(f"run folder: {out}", highlight=False)
    return out


def claim(out: Path, config: RunConfig) -> None:
    """Write the settings into a new run folder, or see that an old one has the same."""
    mine = to_json(config)
    path = out / SETTINGS
    if path.exists():
        found = yaml.safe_load(path.read_text())
        if not isinstance(found, dict):
            raise ConfigError(f"{path} is damaged; choose another folder with --out, or delete {out}")
        same = [_deciding(merged(to_json(RunConfig()), rename_run_settings(found))), _deciding(mine)]
        changed = sorted(name for name in same[1] if same[0][name] != same[1][name])
        if changed:
            raise ConfigError(
                f"{out} is a run with other settings ({', '.join(changed)}); "
                "choose another folder with --out, or the same settings to continue it"
            )
        return
    if out.exists() and any(out.iterdir()):
        raise ConfigError(f"{out} is not empty and is no run of ours; choose another folder with --out")
    out.mkdir(parents=True, exist_ok=True)
    new = path.with_suffix(".new")
    new.write_text(yaml.safe_dump(mine, sort_keys=False))
    new.replace(path)


def _deciding(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings that decide what a run does."""
    kept = {name: value for name, value in settings.items() if name not in FREE}
    kept["agent"] = {name: value for name, value in kept["agent"].items() if name != "shape"}
    return kept


def _report(out: Path) -> None:
    """Sum up in a process of its own, which prints the table."""
    command = [sys.executable, "-m", "rise_env.cli.main", "report", str(out)]
    sys.stdout.flush()
    done = subprocess.run(command, env=environment(), stdin=subprocess.DEVNULL, check=False)
    if done.returncode:
        raise PhaseError(f"the report failed with exit code {done.returncode}: rise report {out} tries again")

"""`rise run`: the outer loop of RISE. Each phase is a process that reads and writes files.

    rise run --config examples/quickstart.yaml
    rise run --env RISE-GSM8K-v0 --problems.data-dir DIR --agent.model PATH_OR_HUB_ID --out runs/gsm8k

Iteration k collects rollouts of k on-policy turns and an improved last turn, fits the first model on the
trajectories of all iterations by reward-weighted regression, and evaluates it (arXiv:2407.18219, algorithm
1). An optional boost stage before the first iteration fits a weak model on the rollouts of a teacher. All
state is in the run folder (see `loop.run_folder`): after a kill at any point, the same command continues the
run, also with other values of the settings that change no result. `--dry-run` prints how many replies, tokens
and steps and how much memory a run needs at most.
"""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from rise_env.errors import PhaseError
from rise_env.trajectories.outcomes import FailureLimits, Outcomes, end_with, failure
from rise_env.utils.config_parser import parse
from rise_trainers.cluster.leader import leading
from rise_trainers.cluster.members import follow
from rise_trainers.cluster.ray_cluster import ray_cluster
from rise_trainers.cluster.rendezvous import Rendezvous
from rise_trainers.loop.config import RunConfig
from rise_trainers.loop.phases import plan_phases
from rise_trainers.loop.preflight import check_run
from rise_trainers.loop.run_settings import claim, record
from rise_trainers.loop.supervisor import Supervisor, environment
from rise_trainers.tracking.tracker import Tracker, tracked_settings


def main(argv: Sequence[str]) -> int:
    """Run `rise run`."""
    config = parse(RunConfig, argv, prog="rise run")
    if config.dry_run:
        from rise_trainers.loop.dry_run import describe

        print(describe(config))
        return 0
    out = run(config)
    return exit_code(out, config.failures) if config.problems.test else 0


def run(config: RunConfig) -> Path:
    """Run the phases of the loop that are not done yet, and return the run folder.

    If torchrun or srun started several processes that call this function, the first one runs the phases. The
    others run their share of the ranks of every fit, and return when the run ends.

    Raises:
        ConfigError: The settings contradict each other, or the folder belongs to a run with other settings.
        DataNotFoundError: The problems or the model do not exist.
        PhaseError: A phase failed; the phases before it stay done.
        TrainingError: This is not the first process of its world, and the first one failed.
    """
    if follow(os.environ):
        return Path(config.out)
    with leading(os.environ) as rendezvous:
        return _run(config, rendezvous)


def _run(config: RunConfig, rendezvous: Rendezvous | None) -> Path:
    out = Path(config.out)
    console = Console(stderr=True)
    phases = plan_phases(config, check_run(config))
    changed = claim(out, config)
    world = None if rendezvous is None else rendezvous.world
    with Tracker(out, config.track, tracked_settings(config)) as tracker:
        with (
            ray_cluster(config.workers, rendezvous) as variables,
            Supervisor(out / "phases", phases, console, world=world, variables=variables) as supervisor,
        ):
            if changed:
                record(out, config)
                console.print(f"the run continues with other {', '.join(changed)}", highlight=False)
            tracker.drop_unfinished([phase.name for phase in phases if supervisor.is_done(phase)])
            for phase in phases:
                if supervisor.is_done(phase):
                    supervisor.skip(phase)
                else:
                    supervisor.run(phase, tracker.log_running)
                tracker.log_phase(phase)
        if config.problems.test:
            _report(out, config.failures)
            tracker.log_report(out)
    console.print(f"run folder: {out}", highlight=False)
    return out


def exit_code(out: Path, limits: FailureLimits) -> int:
    """Return 1 if too many replies of the last model were cut or refused; those of models before it may be.

    Args:
        out: The run folder, with the report.
        limits: The setting `failures`.
    """
    path = out / "report.json"
    if not path.is_file():  # this is not the first process of its world, and the folder is on another machine
        return 0
    last = json.loads(path.read_text())["rows"][-1]
    said = failure(Outcomes.from_json(last["outcomes"]), limits)
    return end_with(said and f"{last['name']}: {said}", prog="rise run")


def _report(out: Path, limits: FailureLimits) -> None:
    """Write the report in a new process, which prints its table and warnings."""
    given = ["--failures.warn-above", str(limits.warn_above)]
    given += ["--failures.max-failed", "1", "--failures.max-cut", "1"]  # see `exit_code`
    command = [sys.executable, "-m", "rise_env.cli.main", "report", str(out), *given]
    sys.stdout.flush()
    done = subprocess.run(command, env=environment(), stdin=subprocess.DEVNULL, check=False)
    if done.returncode:
        raise PhaseError(f"the report failed with exit code {done.returncode}: rise report {out} tries again")

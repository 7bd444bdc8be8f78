"""`rise bench real`: trains and measures real language models on real problems, as a recipe says.

    rise bench real --recipe smollm2-asdiv --dry-run
    rise bench real --recipe smollm2-asdiv --agent.model HuggingFaceTB/SmolLM2-135M-Instruct --out runs/real

OUT/training has the runs of `rise run`, OUT/TABLE the logs and the report of each table, OUT/result.md all
tables. If it is killed at any point, the same command continues.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from rise_benchmarks.performance.provenance import write_result
from rise_benchmarks.real.comparison import compare, comparison_text
from rise_benchmarks.real.dry_run import describe
from rise_benchmarks.real.plan import Plan, RealConfig
from rise_benchmarks.real.recipe import read_recipe
from rise_benchmarks.report.report import write_report
from rise_benchmarks.report.tables import markdown
from rise_env.errors import PhaseError
from rise_env.utils.config_parser import parse
from rise_env.utils.settings import plain
from rise_trainers.loop.run_folder import store_path
from rise_trainers.utils.parent_death import PARENT_PID_VARIABLE


def main(argv: Sequence[str]) -> int:
    """Run `rise bench real`."""
    config = parse(RealConfig, argv, prog="rise bench real")
    plan = Plan(read_recipe(config.recipe), config)
    plan.check()
    if config.dry_run:
        print(describe(plan))
        return 0
    run(plan)
    print((plan.out / "result.md").read_text())
    print(f"result: {plan.out}/result.json, result.md; reports: {plan.out}/<table>/report.html")
    return 0


def run(plan: Plan) -> dict[str, Any]:
    """Train and measure what is missing, and return the reports of all tables, and their comparison.

    The rows of a table are measured in order, each as soon as its model is trained.

    Raises:
        ConfigError: Settings contradict each other, or the folder belongs to another experiment.
        DataNotFoundError: Problems or models do not exist.
        PhaseError: A phase of a training or a measurement failed; what was done before stays done.
    """
    plan.out.mkdir(parents=True, exist_ok=True)
    (plan.out / "recipe.yaml").write_text(yaml.safe_dump(plain(plan.recipe), sort_keys=False))
    measured: set[tuple[str, int, int]] = set()
    _measure(plan, measured)
    for name in plan.recipe.trainings:
        for seed in plan.seeds:
            train(plan, name, seed)
        _measure(plan, measured)
    reports = {name: write_report(plan.out / name) for name in plan.recipe.tables}
    parts = [f"**{name}**\n\n{markdown(report)}" for name, report in reports.items()]
    result: dict[str, Any] = {"tables": reports}
    if plan.recipe.compare:
        compared = compare([plan.out / name for name in plan.recipe.compare])
        result["comparison"] = compared
        parts.append(comparison_text(compared))
    write_result(plan.out / "result.json", result, indent=1)
    (plan.out / "result.md").write_text("\n\n".join(parts) + "\n")
    return result


def train(plan: Plan, name: str, seed: int) -> None:
    """Run the phases of one training that are not done."""
    from rise_trainers import self_improve
    from rise_trainers.loop.run_settings import claim

    config = plan.training(name, seed)
    source = plan.recipe.trainings[name].rollouts_of
    if source is not None:
        claim(Path(config.out), config)
        take_rollouts(plan.run_folder(source, seed), Path(config.out), seed)
    self_improve.run(config)


def measure(plan: Plan, name: str, seed: int, rows: Mapping[str, str]) -> None:
    """Measure some rows of a table that are not measured yet.

    The measurement is a process of its own, which gives its memory back before the next model is trained.

    Raises:
        PhaseError: The measurement failed. What it has played is kept.
    """
    path = plan.out / "measurements" / f"{name}-seed-{seed}.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump(plain(plan.measurement(name, seed, rows)), sort_keys=False))
    module = "rise_trainers.utils.parent_death"
    command = [sys.executable, "-m", module, "rise_env.cli.main", "evaluate", "--config", str(path)]
    done = subprocess.run(command, env={**os.environ, PARENT_PID_VARIABLE: str(os.getpid())}, check=False)
    if done.returncode:
        raise PhaseError(f"measuring {name} with seed {seed} failed with exit code {done.returncode}")


def _measure(plan: Plan, measured: set[tuple[str, int, int]]) -> None:
    """Measure every row whose model is trained; `measured` has (table, seed, rows) of earlier calls."""
    for name, table in plan.recipe.tables.items():
        for seed in plan.seeds:
            rows = _trained(plan, table.rows, seed)
            if rows and (name, seed, len(rows)) not in measured:
                measure(plan, name, seed, rows)
                measured.add((name, seed, len(rows)))


def _trained(plan: Plan, rows: Mapping[str, str], seed: int) -> dict[str, str]:
    """Return the rows before the first one whose model is not trained yet; later ones keep their place."""
    found: dict[str, str] = {}
    for row, model in rows.items():
        if not plan.is_there(model, seed):
            break
        found[row] = model
    return found


def take_rollouts(source: Path, folder: Path, seed: int) -> None:
    """Copy the first rollouts of another run, which are the same episodes that this run would play."""
    own = store_path(folder, seed, 1)
    if not own.exists():
        own.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(store_path(source, seed, 1), own.with_suffix(".new"))
        own.with_suffix(".new").replace(own)

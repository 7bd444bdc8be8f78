"""`rise run --dry-run`: prints the phases of a run and what they need at most. It loads no weights."""

import contextlib
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

from rise_env.errors import ConfigError, DataNotFoundError, MissingDependencyError, StoreError
from rise_env.trajectories.output_folder import check_output_folder
from rise_trainers.fitting import launcher
from rise_trainers.fitting.fit import check_inputs
from rise_trainers.fitting.paths import partial_folder
from rise_trainers.loop import supervisor
from rise_trainers.loop.config import RunConfig
from rise_trainers.loop.estimate import Estimate, disk_bytes
from rise_trainers.loop.inputs import ProblemSplit, RunInputs, find_inputs
from rise_trainers.loop.memory import GIB
from rise_trainers.loop.phases import Phase, plan_phases
from rise_trainers.loop.preflight import (
    MachineCheck,
    check_agents,
    check_phases,
    check_run_disk,
    check_settings,
    check_size,
    fits_of,
    machine_checks,
)
from rise_trainers.loop.speed import EPISODES, Speed, measure_speed

_HEAD = (
    *("phase", "replies", "by teacher", "calls", "prompt tokens", "reply tokens", "trained tokens", "steps"),
    *("GiB/device", "GiB/host", "GiB disk"),
)


def describe(config: RunConfig) -> str:
    """Return what a run will do: problems, replies, tokens, steps, memory and the launch commands.

    Raises:
        ConfigError: The settings contradict each other; the run itself would raise the same error.
    """
    check_output_folder(config.out)
    check_settings(config)
    check_agents(config)
    problems = config.problems
    with contextlib.redirect_stdout(sys.stderr):  # DeepSpeed prints while it is imported
        inputs = find_inputs(config)
        if inputs.test.size is not None:
            check_size(config, inputs.test.size)
        train_size = problems.train if inputs.train.size is None else inputs.train.size
        check_phases(config, train_size)
        phases = plan_phases(config, train_size, inputs)
        checked = _checked(config, inputs, phases)
        speed = measure_speed(phases, config, Path(config.out)) if config.measure_speed else None
    lines = [
        f"environment   {config.env}",
        f"problems      {_problems(problems.train, inputs.train, problems.train_split)}; "
        f"{_problems(problems.test, inputs.test, problems.test_split)}",
        f"model         {inputs.model}: {_size(inputs)}{inputs.model_origin}",
        f"run folder    {config.out}",
        "",
        *_columns(("checked on this machine", "", "found"), checked, left=3),
        "",
        *_table(phases, speed),
        "",
        *_notes(phases, _reply_lengths(config)),
        *_speed_notes(speed),
        "",
        "launch commands",
        *(line for phase in phases for line in _commands(Path(config.out), phase)),
    ]
    return "\n".join(lines)


def _size(inputs: RunInputs) -> str:
    return "" if inputs.parameters is None else f"{inputs.parameters / 1e6:,.1f} million parameters, from "


def _problems(wanted: int, found: ProblemSplit, split: str) -> str:
    known = "an unknown number" if found.size is None else f"{found.size:,}"
    taken = wanted if found.size is None else min(wanted, found.size)
    return f"{taken:,} of {known} of {split} ({found.origin})"


def _table(phases: Sequence[Phase], speed: Speed | None) -> list[str]:
    rows = [(phase, phase.estimate) for phase in phases if phase.estimate is not None]
    lines = [_HEAD, *(_cells(phase, estimate) for phase, estimate in rows), _total(rows)]
    if speed is not None:
        hours = [speed.hours(phase) or 0.0 for phase, _ in rows]
        column = ["hours", *(f"{number:.2f}" for number in (*hours, sum(hours)))]
        lines = [(*line, cell) for line, cell in zip(lines, column, strict=True)]
    return _columns(lines[0], lines[1:])


def _columns(head: Sequence[str], rows: Sequence[Sequence[str]], left: int = 1) -> list[str]:
    """Return the lines of a table; its first `left` columns are aligned to the left."""
    cells = [head, *rows]
    widths = [max(len(line[column]) for line in cells) for column in range(len(head))]
    return [
        "  ".join(
            cell.rjust(width) if column >= left else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in cells
    ]


def _checked(config: RunConfig, inputs: RunInputs, phases: Sequence[Phase]) -> list[tuple[str, str, str]]:
    """Return what was checked on this machine, "ok" or "no", and what was found or what to do.

    Raises:
        ConfigError: A file of settings that is here contradicts the settings.
    """
    checks = [MachineCheck("files of the settings", lambda: _files(config))]
    if inputs.model_here:
        checks += machine_checks(config)
    checks.append(MachineCheck("disk", lambda: check_run_disk(config, phases)))
    rows = []
    for check in checks:
        try:
            rows.append((check.what, "ok", check.call()))
        except (ConfigError, DataNotFoundError, MissingDependencyError, StoreError) as error:
            rows.append((check.what, "no", str(error)))
    return rows


def _files(config: RunConfig) -> str:
    for fit in fits_of(config).values():
        check_inputs(fit)
    return "all there"


def _cells(phase: Phase, row: Estimate) -> tuple[str, ...]:
    disk = "?" if row.disk is None else f"{row.disk / GIB:.1f}"
    if phase.command == "fit":
        memory = ("?", "?") if row.memory is None else (f"{row.memory.device:.1f}", f"{row.memory.host:.1f}")
        return (phase.name, "", "", "", "", "", f"{row.tokens:,}", f"{row.steps:,}", *memory, disk)
    by_teacher_alone = row.by_teacher == row.replies
    weights = "" if by_teacher_alone else "?" if row.weights_gib is None else f"{row.weights_gib:.1f}"
    teacher = f"{row.by_teacher:,}" if row.by_teacher else ""
    return (
        *(phase.name, f"{row.replies:,}", teacher, _count(row.calls)),
        *(f"{row.prompt_tokens:,}", f"{row.tokens:,}"),
        *("", "", weights, "", disk),
    )


def _total(rows: Sequence[tuple[Phase, Estimate]]) -> tuple[str, ...]:
    played = [row for phase, row in rows if phase.command != "fit"]
    fitted = [row for phase, row in rows if phase.command == "fit"]
    calls = [row.calls for row in played]
    sums = (
        sum(row.replies for row in played),
        sum(row.by_teacher for row in played),
        None if None in calls else sum(count or 0 for count in calls),
        sum(row.prompt_tokens for row in played),
        sum(row.tokens for row in played),
        sum(row.tokens for row in fitted),
        sum(row.steps for row in fitted),
    )
    disk = disk_bytes([row for _, row in rows])
    return ("all", *map(_count, sums), "", "", "?" if disk is None else f"{disk / GIB:.1f}")


def _count(number: int | None) -> str:
    return "?" if number is None else f"{number:,}"


def _reply_lengths(config: RunConfig) -> str:
    """Return the maximal lengths of replies in the samplings of a run, for example "512 or 1000"."""
    boost = None if config.boost is None else config.boost.sampling
    used = [
        sampling for sampling in (config.sampling, config.improve.sampling, boost) if sampling is not None
    ]
    return " or ".join(map(str, sorted({sampling.max_new_tokens for sampling in used})))


def _notes(phases: Sequence[Phase], reply_lengths: str) -> list[str]:
    fit, estimate = next((phase.fit, phase.estimate) for phase in phases if phase.fit is not None)
    nodes = 1 if estimate is None else estimate.machines
    notes = [
        "All numbers are upper bounds. They assume that no problem is solved before the last turn, that each "
        f"reply has {reply_lengths} tokens, that drop_degenerate samples no reply again and that every "
        "trajectory is trained. The lengths of prompts are estimated from their characters.",
        "Calls: at most so many requests to models: replies, the feedback that an agent writes, and all that "
        "a search asks for one reply. Tokens are those of all calls.",
        "Steps: each trains whole trajectories with at most batch_size replies.",
        "GiB: in a fit, memory for weights, gradients, optimizer, activations and logits, for each of "
        f"{fit.ranks * nodes} devices on {nodes} machine{'s' if nodes > 1 else ''} (leave a tenth free); "
        "in other phases, memory for the weights alone. The attention cache needs memory as well.",
        "GiB disk: in a fit, the most that it has on disk at a time, with "
        f"{fit.keep_checkpoints} checkpoints and the one that is being written; in the last line, the most "
        "that the run folder has at a time.",
    ]
    if any(phase.estimate is not None and phase.estimate.calls is None for phase in phases):
        notes.append(
            "Calls are unknown where only a number of tokens limits a search; each of its replies counts as "
            "one call in the tokens."
        )
    if fit.hostfile is not None and not Path(fit.hostfile).is_file():
        notes.append(
            f"The run needs a file that does not exist: the hostfile {fit.hostfile}; one machine was assumed."
        )
    if fit.deepspeed is not None and not Path(fit.deepspeed).is_file():
        notes.append(f"The run needs a file that does not exist: the DeepSpeed file {fit.deepspeed}.")
    return notes


def _speed_notes(speed: Speed | None) -> list[str]:
    if speed is None:
        return []
    return [
        f"hours: measured on this machine with {EPISODES} episodes at most and one short fit: "
        f"{speed.reply_tokens_per_s:,.0f} reply tokens/s, {speed.fit_tokens_per_s:,.0f} trained tokens/s, "
        f"{speed.load_s:.0f} s to load the model, {speed.fit_load_s:.0f} s of a fit besides its steps. The "
        "replies of teachers and the feedback of an agent are not included. With more episodes at a time, "
        "playing may be faster."
    ]


def _commands(out: Path, phase: Phase) -> list[str]:
    lines = [f"{phase.name}:", "  " + shlex.join(supervisor.command(out / "phases", phase))]
    if phase.fit is not None:
        lines.append("  -> " + shlex.join(launcher.command(phase.fit, partial_folder(phase.fit.output))))
    return lines

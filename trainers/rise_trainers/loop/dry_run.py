"""`rise run --dry-run`: what a run will do and take, as text. Loads no weights, writes nothing."""

import contextlib
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

from rise_trainers.fitting.config import from_json
from rise_trainers.fitting.paths import partial_folder
from rise_trainers.loop.config import RunConfig
from rise_trainers.loop.forecast import Forecast, Problems, find_shape, forecast, look_up, machines
from rise_trainers.loop.memory import parameters
from rise_trainers.loop.phases import Phase, first_model, plan_phases
from rise_trainers.loop.preflight import check_size, check_teachers

_HEAD = (
    *("phase", "replies", "by teacher", "prompt tokens", "reply tokens", "trained tokens", "steps"),
    *("GiB/device", "GiB/host"),
)


def describe(config: RunConfig) -> str:
    """Return what a run will do: problems, replies, tokens, steps, memory and the launch commands.

    Raises:
        ConfigError: The settings contradict each other; the same that the run itself would raise.
    """
    check_teachers(config)
    train = look_up(config, config.problems.train_split)
    test = look_up(config, config.problems.test_split)
    if test.size is not None:
        check_size(config, test.size)
    phases = plan_phases(config, config.problems.train if train.size is None else train.size)
    with contextlib.redirect_stdout(sys.stderr):  # DeepSpeed greets
        shape, origin = find_shape(config, first_model(config))
        rows = forecast(config, phases, train, test, shape)
    size = "" if shape is None else f"{parameters(shape)[0] / 1e6:,.1f} million parameters, from "
    lines = [
        f"environment   {config.env}",
        f"problems      {_problems(config.problems.train, train, config.problems.train_split)}; "
        f"{_problems(config.problems.test, test, config.problems.test_split)}",
        f"model         {first_model(config)}: {size}{origin}",
        f"run folder    {config.out}",
        "",
        *_table(rows),
        "",
        *_notes(config, phases),
        "",
        "launch commands",
        *(line for phase in phases for line in _commands(Path(config.out), phase)),
    ]
    return "\n".join(lines)


def _problems(wanted: int, found: Problems, split: str) -> str:
    known = "an unknown number" if found.size is None else f"{found.size:,}"
    taken = wanted if found.size is None else min(wanted, found.size)
    return f"{taken:,} of {known} of {split} ({found.origin})"


def _table(rows: Sequence[Forecast]) -> list[str]:
    cells = [_HEAD, *(_cells(row) for row in rows), _total(rows)]
    widths = [max(len(line[column]) for line in cells) for column in range(len(_HEAD))]
    return [
        "  ".join(
            cell.rjust(width) if column else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in cells
    ]


def _cells(row: Forecast) -> tuple[str, ...]:
    name = row.phase.name
    if row.phase.command == "fit":
        memory = ("?", "?") if row.memory is None else (f"{row.memory.device:.1f}", f"{row.memory.host:.1f}")
        return (name, "", "", "", "", f"{row.tokens:,}", _span(*row.steps), *memory)
    elsewhere = row.by_teacher == row.replies
    weights = "" if elsewhere else "?" if row.weights is None else f"{row.weights:.1f}"
    teacher = f"{row.by_teacher:,}" if row.by_teacher else ""
    return (
        *(name, f"{row.replies:,}", teacher, f"{row.prompt_tokens:,}", f"{row.tokens:,}"),
        *("", "", weights, ""),
    )


def _total(rows: Sequence[Forecast]) -> tuple[str, ...]:
    played = [row for row in rows if row.phase.command != "fit"]
    names = ("replies", "by_teacher", "prompt_tokens", "tokens")
    sums = [sum(getattr(row, name) for row in played) for name in names]
    trained = sum(row.tokens for row in rows if row.phase.command == "fit")
    steps = _span(*(sum(row.steps[side] for row in rows) for side in (0, 1)))
    return ("all", *(f"{number:,}" for number in (*sums, trained)), steps, "", "")


def _span(low: int, high: int) -> str:
    return f"{low:,}" if low == high else f"{low:,} to {high:,}"


def _notes(config: RunConfig, phases: Sequence[Phase]) -> list[str]:
    fits = [from_json(phase.settings) for phase in phases if phase.command == "fit"]
    nodes = machines(fits[0])
    notes = [
        f"All at most: no problem is solved early, every reply has {config.sampling.max_new_tokens} tokens, "
        "every trajectory is trained. Prompts are estimated from their characters.",
        "Steps: one sequence per trajectory, or per reply where the chat template rewrites history.",
        "GiB: in a fit its weights, gradients, optimizer, activations and logits, for each of "
        f"{fits[0].ranks * nodes} devices on {nodes} machine{'s' if nodes > 1 else ''} (leave a tenth free); "
        "elsewhere the weights alone, beside which the attention cache must fit.",
    ]
    if fits[0].hostfile is not None and not Path(fits[0].hostfile).is_file():
        notes.append(f"Not here, and needed: the hostfile {fits[0].hostfile}; one machine was assumed.")
    if fits[0].deepspeed is not None and not Path(fits[0].deepspeed).is_file():
        notes.append(f"Not here, and needed: the DeepSpeed file {fits[0].deepspeed}.")
    return notes


def _commands(out: Path, phase: Phase) -> list[str]:
    from rise_trainers.fitting import launcher as launch
    from rise_trainers.loop import supervisor as supervise

    lines = [f"{phase.name}:", "  " + shlex.join(supervise.command(out / "phases", phase))]
    if phase.command == "fit":
        fit = from_json(phase.settings)
        lines.append("  -> " + shlex.join(launch.command(fit, partial_folder(fit.output))))
    return lines

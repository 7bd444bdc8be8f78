"""`rise bench real --dry-run`: what an experiment needs at most. It loads no weights."""

import contextlib
import dataclasses
import sys
from collections.abc import Sequence
from dataclasses import dataclass

from rise_agents.evaluation.protocols import PROTOCOLS
from rise_benchmarks.real.plan import Plan
from rise_benchmarks.real.recipe import BASE
from rise_env.errors import ConfigError
from rise_trainers.loop.config import MeasureConfig, ProblemsConfig
from rise_trainers.loop.inputs import find_inputs, resolve_problems
from rise_trainers.loop.phases import plan_phases
from rise_trainers.loop.speed import Speed, measure_speed


@dataclass(frozen=True, slots=True)
class Row:
    """What a phase needs."""

    name: str
    numbers: tuple[int, int, int, int, int]
    """In the order of `_HEAD`."""
    hours: float = 0.0


_HEAD = ("phase", "replies", "prompt tokens", "reply tokens", "trained tokens", "steps")
_NOTE = (
    "All numbers are upper bounds: no problem is solved before the last turn, every reply is of full length "
    "and every trajectory is trained. The lengths of prompts are estimated from their characters."
)


def describe(plan: Plan) -> str:
    """Return the replies, tokens and optimizer steps of every phase of an experiment.

    Raises:
        ConfigError: A setting is wrong; the experiment itself would raise the same error.
    """
    rows: list[Row] = []
    speed = None
    with contextlib.redirect_stdout(sys.stderr):  # DeepSpeed prints while it is imported
        if plan.config.measure_speed:
            speed = _measured(plan)
        for seed in plan.seeds:
            for name in plan.recipe.trainings:
                rows += _of_training(plan, name, seed, speed)
            for name in plan.recipe.tables:
                rows += _of_table(plan, name, seed, speed)
    total = [sum(row.numbers[column] for row in rows) for column in range(len(_HEAD) - 1)]
    table = [_HEAD, *(_cells(row.name, row.numbers) for row in rows), _cells("all", total)]
    if speed is not None:
        hours = [row.hours for row in rows]
        column = ["hours", *(f"{number:.2f}" for number in (*hours, sum(hours)))]
        table = [(*line, cell) for line, cell in zip(table, column, strict=True)]
    lines = [
        f"recipe      {plan.config.recipe}",
        f"model       {plan.model('base', plan.seeds[0])}",
        f"folder      {plan.out}",
        "",
        *_aligned(table),
        "",
        _NOTE,
    ]
    if speed is not None:
        lines.append(
            f"The hours are those of {speed.reply_tokens_per_s:,.0f} reply tokens/s and "
            f"{speed.fit_tokens_per_s:,.0f} trained tokens/s, measured on this machine with the first model. "
            "Its replies are often longer than those of the trained ones."
        )
    return "\n".join(lines)


def _measured(plan: Plan) -> Speed:
    """Return the speeds of the first training that starts from the first model."""
    names = [name for name, training in plan.recipe.trainings.items() if training.start == BASE]
    if not names:
        raise ConfigError("measure_speed needs a recipe with a training")
    name = names[0]
    config = plan.training(name, plan.seeds[0])
    inputs = find_inputs(config)
    phases = plan_phases(config, inputs.train.size or config.problems.train, inputs)
    return measure_speed(phases, config, plan.out)


def _of_training(plan: Plan, name: str, seed: int, speed: Speed | None) -> list[Row]:
    config = plan.training(name, seed)
    inputs = find_inputs(config)
    size = config.problems.train if inputs.train.size is None else inputs.train.size
    found = []
    for phase in plan_phases(config, size, inputs):
        needs = phase.estimate
        if needs is None:
            continue
        hours = (speed and speed.hours(phase)) or 0.0
        if phase.command == "fit":
            numbers = (0, 0, 0, needs.tokens, needs.steps)
        else:
            numbers = (needs.replies, needs.prompt_tokens, needs.tokens, 0, 0)
        found.append(Row(f"{name}: {phase.name}", numbers, hours))
    return found


def _of_table(plan: Plan, name: str, seed: int, speed: Speed | None) -> list[Row]:
    table = plan.recipe.tables[name]
    config = plan.measurement(name, seed, table.rows)
    longest = config.sampling.max_new_tokens
    plans = {
        protocol: PROTOCOLS[protocol].num_samples(config.turns, config.draws or config.num_samples)
        for protocol in config.protocols
        if protocol in PROTOCOLS
    }
    most = max(len(samples) for samples in plans.values())
    settings = dict(config.env_settings)
    split = str(settings.pop("split"))
    problems = ProblemsConfig(data_dir=settings.pop("data_dir", None), settings=settings)
    shared = dataclasses.replace(
        plan.shared_run(), env=config.env, problems=problems, measure=MeasureConfig(turns=most)
    )
    found = resolve_problems(shared, split)
    count = config.limit if found.size is None else min(config.limit, found.size)
    lengths = found.prompt_lengths(count, turns=most, max_new_tokens=longest)
    rows = []
    for protocol, samples in plans.items():
        each = count * len(table.rows)
        prompts = sum(number * length for number, length in zip(samples, lengths, strict=False))
        label = f"{name}: seed-{seed}.{protocol}, {len(table.rows)} rows"
        replies = each * sum(samples)
        hours = 0.0 if speed is None else speed.playing_hours(replies * longest)
        rows.append(Row(label, (replies, round(each * prompts), replies * longest, 0, 0), hours))
    return rows


def _cells(name: str, numbers: Sequence[int]) -> tuple[str, ...]:
    return (name, *(f"{number:,}" if number else "" for number in numbers))


def _aligned(lines: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    return [
        "  ".join(
            cell.rjust(width) if column else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    ]

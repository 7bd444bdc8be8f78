"""`rise bench real --dry-run`: what an experiment needs at most. It loads no weights."""

import contextlib
import dataclasses
import sys
from collections.abc import Sequence

from rise_agents.evaluation.protocols import PROTOCOLS
from rise_benchmarks.real.plan import Plan
from rise_trainers.loop.config import MeasureConfig, ProblemsConfig
from rise_trainers.loop.inputs import find_inputs, resolve_problems
from rise_trainers.loop.phases import plan_phases

Row = tuple[str, tuple[int, int, int, int, int]]
"""The name of a phase and its numbers, in the order of `_HEAD`."""
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
    with contextlib.redirect_stdout(sys.stderr):  # DeepSpeed prints while it is imported
        for seed in plan.seeds:
            for name in plan.recipe.trainings:
                rows += _of_training(plan, name, seed)
            for name in plan.recipe.tables:
                rows += _of_table(plan, name, seed)
    total = [sum(numbers[column] for _, numbers in rows) for column in range(len(_HEAD) - 1)]
    lines = [
        f"recipe      {plan.config.recipe}",
        f"model       {plan.model('base', plan.seeds[0])}",
        f"folder      {plan.out}",
        "",
        *_aligned([_HEAD, *(_cells(name, numbers) for name, numbers in rows), _cells("all", total)]),
        "",
        _NOTE,
    ]
    return "\n".join(lines)


def _of_training(plan: Plan, name: str, seed: int) -> list[Row]:
    config = plan.training(name, seed)
    inputs = find_inputs(config)
    size = config.problems.train if inputs.train.size is None else inputs.train.size
    found = []
    for phase in plan_phases(config, size, inputs):
        needs = phase.estimate
        if needs is None:
            continue
        label = f"{name}: {phase.name}"
        if phase.command == "fit":
            found.append((label, (0, 0, 0, needs.tokens, needs.steps)))
        else:
            found.append((label, (needs.replies, needs.prompt_tokens, needs.tokens, 0, 0)))
    return found


def _of_table(plan: Plan, name: str, seed: int) -> list[Row]:
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
        rows.append((label, (replies, round(each * prompts), replies * longest, 0, 0)))
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

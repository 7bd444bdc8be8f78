"""The phases of a run: which command is started with which settings, in which order.

    evaluate base -> [ collect -> fit -> evaluate ] for every iteration, all of that for every seed -> report

    RUN/config.yaml                           resolved settings of the run
    RUN/evaluate/<label>/seed-S/*.jsonl       what was played to measure: base, iteration-1, ...
    RUN/seed-S/iteration-K/collect/           what was played to learn from
    RUN/seed-S/iteration-K/model/             what was learned
    RUN/phases/                               settings, log and end of every phase
    RUN/report.json, report.md, *.png, metrics.jsonl

Every phase can be done again at no cost but time: it goes on where it was.
"""

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import rise_agents.tiny
from rise_env.seeding import derive
from rise_trainers.fit import to_json as fit_to_json
from rise_trainers.run_config import RunConfig, fit_config

LABEL = "evaluate"


@dataclass(frozen=True, slots=True, kw_only=True)
class Phase:
    """One process."""

    name: str
    title: str
    command: str
    """Of `rise`."""
    settings: dict[str, Any]
    """Handed over as --config."""
    watch: tuple[str, ...]
    """Files that grow by a line per unit of work done, or the metrics of a fit."""
    units: int
    """Of work: episodes or steps; 0 where unknown."""
    cost: float
    """Expected replies drawn, or their like: for the time left."""
    iteration: int = 0
    seed: int = 0


def plan_phases(config: RunConfig, train_size: int) -> list[Phase]:
    """Return all phases of a run in order.

    Args:
        config: Of the run.
        train_size: How many training problems there are.
    """
    out = Path(config.out)
    phases: list[Phase] = []
    for place, seed in enumerate(config.seeds):
        phases.append(_evaluate(config, 0, seed, first_model(config)))
        for k in range(1, config.iterations + 1):
            player = first_model(config) if k == 1 else str(model_folder(out, seed, k - 1))
            page = place * config.iterations + k - 1
            phases.append(_collect(config, k, seed, player, page, train_size))
            phases.append(_fit(config, k, seed))
            phases.append(_evaluate(config, k, seed, str(model_folder(out, seed, k))))
    return phases


def first_model(config: RunConfig) -> str:
    """Return the model that the loop starts from, as a folder or hub id."""
    if config.agent.model == "tiny":
        return str(Path(rise_agents.tiny.__file__).parent)
    return config.agent.model


def model_folder(out: Path, seed: int, iteration: int) -> Path:
    """Return where the model of an iteration is."""
    return out / f"seed-{seed}" / f"iteration-{iteration}" / "model"


def store_path(out: Path, seed: int, iteration: int) -> Path:
    """Return where the trajectories of an iteration are."""
    return out / f"seed-{seed}" / f"iteration-{iteration}" / "collect" / "trajectories.jsonl"


def evaluation_folder(out: Path, seed: int, iteration: int) -> Path:
    """Return where the logs of an evaluation are."""
    return out / LABEL / (f"iteration-{iteration}" if iteration else "base") / f"seed-{seed}"


def _environment(config: RunConfig, split: str) -> dict[str, Any]:
    settings = {**config.problems.settings, "split": split}
    if config.problems.data_dir is not None:
        settings["data_dir"] = config.problems.data_dir
    return settings


def _evaluate(config: RunConfig, k: int, seed: int, model: str) -> Phase:
    label = f"iteration {k}" if k else "base"
    folder = evaluation_folder(Path(config.out), seed, k)
    settings = {
        "env": config.env,
        "agent": [f"{config.agent.backend}:{model}"],
        "label": [label],
        "out": str(Path(config.out) / LABEL),
        "limit": config.problems.test,
        "seeds": [seed],
        "turns": config.measure.turns,
        "samples": config.measure.samples,
        "sampling": dataclasses.asdict(config.sampling),
        "env_settings": _environment(config, config.problems.test_split),
        "agent_settings": config.agent.settings,
        "chunk": config.chunk,
    }
    return Phase(
        name=f"seed-{seed}.{k}-evaluate",
        title=f"measuring {label}",
        command="evaluate",
        settings=settings,
        watch=(str(folder / "sequential.jsonl"), str(folder / "parallel.jsonl")),
        units=2 * config.problems.test,
        cost=config.problems.test * (config.measure.turns + config.measure.samples),
        iteration=k,
        seed=seed,
    )


def _collect(config: RunConfig, k: int, seed: int, model: str, page: int, train_size: int) -> Phase:
    count = min(config.problems.train, train_size)
    turns = config.turns or k + 1
    settings: dict[str, Any] = {
        "env": config.env,
        "agent": f"{config.agent.backend}:{model}",
        "out": str(store_path(Path(config.out), seed, k).parent),
        "limit": count,
        "start": page % max(1, train_size // count) * count,
        "turns": turns,
        "last_agent": config.improve.teacher,
        "last_samples": config.improve.samples,
        "stop_when_correct": not config.improve.after_success,
        "sampling": dataclasses.asdict(config.sampling),
        "seed": derive(seed, k) % 2**31,
        "env_settings": _environment(config, config.problems.train_split),
        "agent_settings": config.agent.settings,
        "chunk": config.chunk,
    }
    return Phase(
        name=f"seed-{seed}.{k}-collect",
        title=f"iteration {k}: playing {turns} turns",
        command="collect",
        settings=settings,
        watch=(str(store_path(Path(config.out), seed, k)),),
        units=count,
        cost=count * (turns + 0.2 * config.improve.samples),
        iteration=k,
        seed=seed,
    )


def _fit(config: RunConfig, k: int, seed: int) -> Phase:
    out = Path(config.out)
    model = first_model(config) if config.restart or k == 1 else str(model_folder(out, seed, k - 1))
    first = 1 if config.restart else k
    fit = fit_config(
        config,
        data=tuple(str(store_path(out, seed, i)) for i in range(first, k + 1)),
        model=model,
        output=str(model_folder(out, seed, k)),
        seed=derive(seed, k) % 2**31,
    )
    return Phase(
        name=f"seed-{seed}.{k}-fit",
        title=f"iteration {k}: fitting",
        command="fit",
        settings=fit_to_json(fit),
        watch=(str(model_folder(out, seed, k)),),
        units=0,
        cost=config.problems.train * (k - first + 1) * fit.epochs * 2.0,
        iteration=k,
        seed=seed,
    )

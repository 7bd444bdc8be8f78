"""The phases of a run: which command is started with which settings, in which order.

    evaluate base -> [ collect -> fit -> evaluate ] for the boost stage, where there is one, and for every
    iteration, all of that for every seed -> report

    RUN/config.yaml                           resolved settings of the run
    RUN/evaluate/<label>/seed-S/*.jsonl       what was played to measure: base, boost, iteration-1, ...
    RUN/seed-S/iteration-K/collect/           what was played to learn from; RUN/seed-S/boost/collect/
    RUN/seed-S/iteration-K/model/             what was learned; RUN/seed-S/boost/model/
    RUN/phases/                               settings, log and end of every phase
    RUN/report.json, report.md, *.png, metrics.jsonl

Every phase can be done again at no cost but time: it goes on where it was.
"""

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import rise_agents.tiny
from rise_env.utils.seeding import derive
from rise_trainers.fitting.config import to_json as fit_to_json
from rise_trainers.loop.config import BoostConfig, RunConfig, fit_config

LABEL = "evaluate"
BOOST: Literal["boost"] = "boost"
Stage = int | Literal["boost"]
"""Where a run is: an iteration, 0 before the first one, or the boost stage."""


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
    units: int = 0
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
    pages = train_size // min(config.problems.train, train_size)
    for place, seed in enumerate(config.seeds):
        phases.append(_evaluate(config, 0, seed, first_model(config)))
        if config.boost is not None:
            phases.append(_collect_boost(config, config.boost, seed, place, train_size))
            phases.append(_fit_boost(config, config.boost, seed))
            phases.append(_evaluate(config, BOOST, seed, start_model(config, seed)))
        for k in range(1, config.iterations + 1):
            first = k == 1 or not config.on_policy
            player = start_model(config, seed) if first else str(model_folder(out, seed, k - 1))
            page = place * (pages // len(config.seeds)) + k - 1  # not of the number of iterations
            phases.append(_collect(config, k, seed, player, page, train_size))
            phases.append(_fit(config, k, seed))
            phases.append(_evaluate(config, k, seed, str(model_folder(out, seed, k))))
    if not config.problems.test:
        phases = [phase for phase in phases if phase.command != "evaluate"]
    return phases


def first_model(config: RunConfig) -> str:
    """Return the model that a run starts from, as a folder or hub id."""
    if config.agent.model == "tiny":
        return str(Path(rise_agents.tiny.__file__).parent)
    return config.agent.model


def start_model(config: RunConfig, seed: int) -> str:
    """Return the model that iterations start, and start again, from: the boosted one where there is one."""
    return first_model(config) if config.boost is None else str(model_folder(Path(config.out), seed, BOOST))


def model_folder(out: Path, seed: int, stage: Stage) -> Path:
    """Return where the model of a stage is."""
    return out / f"seed-{seed}" / _name(stage) / "model"


def store_path(out: Path, seed: int, stage: Stage) -> Path:
    """Return where the trajectories of a stage are."""
    return out / f"seed-{seed}" / _name(stage) / "collect" / "trajectories.jsonl"


def evaluation_folder(out: Path, seed: int, stage: Stage) -> Path:
    """Return where the logs of an evaluation are."""
    return out / LABEL / _name(stage) / f"seed-{seed}"


def _name(stage: Stage) -> str:
    return {0: "base", BOOST: "boost"}.get(stage) or f"iteration-{stage}"


def _phase(seed: int, stage: Stage, command: str) -> dict[str, Any]:
    """Return what names a phase; the boost stage counts as iteration 0."""
    name = f"seed-{seed}.{'0-boost' if stage == BOOST else stage}-{command}"
    return {"name": name, "command": command, "iteration": 0 if stage == BOOST else stage, "seed": seed}


def environment_settings(config: RunConfig, split: str) -> dict[str, Any]:
    """Return the arguments of the environment that poses a split."""
    settings = {**config.problems.settings, "split": split}
    if config.problems.data_dir is not None:
        settings["data_dir"] = config.problems.data_dir
    return settings


def _evaluate(config: RunConfig, stage: Stage, seed: int, model: str) -> Phase:
    label = _name(stage).replace("-", " ")
    folder = evaluation_folder(Path(config.out), seed, stage)
    settings = {
        "env": config.env,
        "agent": [f"{config.agent.backend}:{model}"],
        "label": [label],
        "out": str(Path(config.out) / LABEL),
        "limit": config.problems.test,
        "seeds": [seed],
        "turns": config.measure.turns,
        "num_samples": config.measure.num_samples,
        "sampling": dataclasses.asdict(config.sampling),
        "env_settings": environment_settings(config, config.problems.test_split),
        "agent_settings": config.agent.settings,
        "max_concurrent_episodes": config.max_concurrent_episodes,
    }
    return Phase(
        **_phase(seed, stage, "evaluate"),
        title=f"measuring {label}",
        settings=settings,
        watch=(str(folder / "sequential.jsonl"), str(folder / "parallel.jsonl")),
        units=2 * config.problems.test,
        cost=config.problems.test * (config.measure.turns + config.measure.num_samples),
    )


def _collect(config: RunConfig, k: int, seed: int, model: str, page: int, train_size: int) -> Phase:
    count = min(config.problems.train, train_size)
    turns = config.turns or k + 1
    settings: dict[str, Any] = {
        "agent": f"{config.agent.backend}:{model}",
        "limit": count,
        "start": page % max(1, train_size // count) * count,
        "turns": turns,
        "teacher": config.improve.teacher,
        "num_samples": config.improve.num_samples,
        "stop_when_correct": not config.improve.after_success,
        "sampling": dataclasses.asdict(config.sampling),
        "agent_settings": config.agent.settings,
        "teacher_settings": config.improve.teacher_settings,
    }
    return Phase(
        **_phase(seed, k, "collect"),
        title=f"iteration {k}: playing {turns} turns",
        settings={**settings, **_collection(config, k, seed)},
        watch=(str(store_path(Path(config.out), seed, k)),),
        units=count,
        cost=count * (turns + 0.2 * config.improve.num_samples),
    )


def _collect_boost(config: RunConfig, boost: BoostConfig, seed: int, place: int, train_size: int) -> Phase:
    count = min(boost.train, train_size)
    settings: dict[str, Any] = {
        "agent": boost.teacher,
        "limit": count,
        "start": train_size - (place % max(1, train_size // count) + 1) * count,
        "turns": boost.turns,
        "sampling": dataclasses.asdict(boost.sampling or config.sampling),
        "agent_settings": boost.settings,
    }
    return Phase(
        **_phase(seed, BOOST, "collect"),
        title=f"boost: {boost.teacher} plays",
        settings={**settings, **_collection(config, BOOST, seed)},
        watch=(str(store_path(Path(config.out), seed, BOOST)),),
        units=count,
        cost=float(count * boost.turns),
    )


def _collection(config: RunConfig, stage: Stage, seed: int) -> dict[str, Any]:
    """Return the settings that all collections of a run share."""
    return {
        "env": config.env,
        "out": str(store_path(Path(config.out), seed, stage).parent),
        "drop_degenerate": config.drop_degenerate,
        "seed": derive(seed, 0 if stage == BOOST else stage) % 2**31,
        "env_settings": environment_settings(config, config.problems.train_split),
        "max_concurrent_episodes": config.max_concurrent_episodes,
    }


def _fit(config: RunConfig, k: int, seed: int) -> Phase:
    out = Path(config.out)
    model = start_model(config, seed) if config.restart or k == 1 else str(model_folder(out, seed, k - 1))
    first = 1 if config.restart else k
    fit = fit_config(
        config,
        data=tuple(str(store_path(out, seed, i)) for i in range(first, k + 1)),
        model=model,
        output=str(model_folder(out, seed, k)),
        seed=derive(seed, k) % 2**31,
    )
    return Phase(
        **_phase(seed, k, "fit"),
        title=f"iteration {k}: fitting",
        settings=fit_to_json(fit),
        watch=(str(model_folder(out, seed, k)),),
        cost=config.problems.train * (k - first + 1) * fit.epochs * 2.0,
    )


def _fit_boost(config: RunConfig, boost: BoostConfig, seed: int) -> Phase:
    out = Path(config.out)
    fit = fit_config(
        config,
        data=(str(store_path(out, seed, BOOST)),),
        model=first_model(config),
        output=str(model_folder(out, seed, BOOST)),
        seed=derive(seed, 0) % 2**31,
        boost=True,
    )
    return Phase(
        **_phase(seed, BOOST, "fit"),
        title="boost: fitting",
        settings=fit_to_json(fit),
        watch=(str(model_folder(out, seed, BOOST)),),
        cost=boost.train * fit.epochs * 2.0,
    )

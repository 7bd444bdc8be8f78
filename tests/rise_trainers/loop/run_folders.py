"""A small run folder made without a model: what phases and the report leave."""

import json
from pathlib import Path

import rise_env
from rise_agents.backends.scripted_agent import ScriptedAgent
from rise_agents.rollouts.collect import collect
from rise_agents.rollouts.turn_plan import TurnPlan
from rise_agents.types import SamplingConfig
from rise_benchmarks.report.report import write_report
from rise_env.trajectories.store import TrajectoryStore
from rise_trainers.loop.phases import Phase

STEPS = [
    {"kind": "data", "total": 2, "notes": [], "trajectories": 4, "weight_share": {"0.0": 0.1, "1.0": 0.9}},
    {"kind": "step", "step": 1, "total": 2, "loss": 0.5, "grad_norm": 1.0},
    {"kind": "step", "step": 2, "total": 2, "loss": 0.25, "grad_norm": 0.5},
    {"kind": "end", "step": 2, "total": 2, "tokens_per_s": 9.0},
]


def answer(conversation: object) -> str:
    """Wrong at first, right for every second problem from turn 2 on."""
    text = str(conversation)
    return "\\boxed{-1}" if text.count("boxed") < 2 else "I do not know."


def play(path: Path, turns: int, num_samples: int, record: dict[str, object]) -> None:
    agent = ScriptedAgent(answer)
    plan = [TurnPlan(agent, num_samples=num_samples, until_correct=False)] * turns
    with TrajectoryStore(path, record) as store:
        collect(
            plan,
            lambda: rise_env.make(
                "RISE-Arithmetic-v0", split="test", max_turns=turns, stop_when_correct=False
            ),
            range(4),
            store,
            SamplingConfig(),
            seed=0,
        )


def make(folder: Path) -> Path:
    record = {"label": "base", "env": "RISE-Arithmetic-v0", "env_settings": {}, "turns": 5, "num_samples": 5}
    log = folder / "evaluate" / "base" / "seed-0"
    play(log / "sequential.jsonl", 5, 1, {**record, "seed": 0})
    play(log / "parallel.jsonl", 1, 5, {**record, "seed": 0})
    model = folder / "model"
    model.mkdir()
    (model / "metrics.jsonl").write_text("".join(json.dumps(line) + "\n" for line in STEPS))
    write_report(folder)
    return folder


def phases(folder: Path) -> list[Phase]:
    log = folder / "evaluate" / "base" / "seed-0"
    common = {"title": "", "cost": 1.0, "iteration": 1}
    both = (str(log / "sequential.jsonl"), str(log / "parallel.jsonl"))
    model = str(folder / "model")
    fit = {"model": "someone/model", "data": [both[0]]}
    return [
        Phase(
            name="seed-0.1-collect",
            command="collect",
            progress_files=both[:1],
            settings={"agent": "transformers:someone/model"},
            **common,
        ),  # type: ignore[arg-type]
        Phase(name="seed-0.1-fit", command="fit", progress_files=(model,), settings=fit, **common),  # type: ignore[arg-type]
        Phase(
            name="seed-0.1-evaluate",
            command="evaluate",
            progress_files=both,
            settings={"agent": [f"transformers:{model}"], "label": ["iteration 1"]},
            **common,  # type: ignore[arg-type]
        ),
    ]

"""The layout of a run folder: where each stage of a run keeps its files.

RUN/config.yaml                           settings of the run, with all defaults
RUN/inputs.yaml                           digest of the first model
RUN/evaluate/<label>/seed-S/*.jsonl       trajectories of evaluations: base, boost, iteration-1, ...
RUN/seed-S/iteration-K/collect/           trajectories to train on; RUN/seed-S/boost/collect/
RUN/seed-S/iteration-K/model/             the fitted model; RUN/seed-S/boost/model/
RUN/seed-S/critic/                        the critic; with critic.again also RUN/seed-S/iteration-K/critic/
RUN/phases/                               settings, log and completion marker of every phase
RUN/metrics.jsonl                         metrics of all phases
RUN/report.json, report.md, *.png
"""

from pathlib import Path
from typing import Literal

EVALUATIONS = "evaluate"
BOOST: Literal["boost"] = "boost"
Stage = int | Literal["boost"]
"""A part of a run: an iteration from 1, the boost stage, or 0 for the model before both."""


def stage_name(stage: Stage) -> str:
    """Return the name of a stage: base, boost, iteration-1, ..."""
    return {0: "base", BOOST: "boost"}.get(stage) or f"iteration-{stage}"


def model_folder(out: Path, seed: int, stage: Stage) -> Path:
    """Return the folder of the model that a stage fits."""
    return out / f"seed-{seed}" / stage_name(stage) / "model"


def store_path(out: Path, seed: int, stage: Stage) -> Path:
    """Return the store of the trajectories that a stage trains on."""
    return out / f"seed-{seed}" / stage_name(stage) / "collect" / "trajectories.jsonl"


def evaluation_folder(out: Path, seed: int, stage: Stage) -> Path:
    """Return the folder of the stores that the evaluation of a stage writes."""
    return out / EVALUATIONS / stage_name(stage) / f"seed-{seed}"

"""Writes the metrics of a fit as JSON lines.

    {"kind": "data", "total": steps, "steps_per_epoch": .., "notes": [...], "trajectories": ..,
     "weight_share": .., ...}
    {"kind": "policy", ...}, before the first step and after the last one: see `policy_metrics`
    {"kind": "step", "step": 1, "total": 90, "epoch": .., "loss": .., "grad_norm": .., "learning_rate": ..,
     "tokens_per_s": .., "seconds": .., "seconds_left": ..}
    {"kind": "end", "step": 90, "total": 90, "seconds": .., "tokens_per_s": ..}

`loss` is the weighted loss. `tokens_per_s` counts all tokens of all ranks, computed from the mean number of
tokens of an optimizer step. `seconds` is the time since the line before; in the line "end", since this
process started to train.
"""

import json
import math
import time
from pathlib import Path
from typing import Any

import transformers

from rise_env.errors import TrainingError
from rise_trainers.data.optimizer_steps import StepPlan
from rise_trainers.fitting.paths import METRICS
from rise_trainers.fitting.prepare_data import Prepared


class MetricsLog(transformers.TrainerCallback):  # type: ignore[misc]
    """Appends a line per logged step, on rank 0. A continued fit removes lines after its checkpoint first."""

    def __init__(self, folder: Path, data: Prepared, plan: StepPlan) -> None:
        self._path = folder / METRICS
        self._data = data
        self._steps_per_epoch = plan.steps_per_epoch
        self._tokens_per_step = sum(len(example) for example in data.examples) / plan.steps_per_epoch
        self._begin = (0, 0.0)
        self._last = (0, 0.0)

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Write the line about the training data. A continued fit keeps its earlier lines after it."""
        if not state.is_world_process_zero:
            return
        kept = []
        if state.global_step and self._path.exists():
            lines = [json.loads(line) for line in self._path.read_text().splitlines() if line.endswith("}")]
            kept = [line for line in lines if line["kind"] == "step" and line["step"] <= state.global_step]
        first = {
            "kind": "data",
            "total": state.max_steps,
            "steps_per_epoch": self._steps_per_epoch,
            "notes": list(self._data.notes),
            **self._data.statistics,
        }
        new = self._path.with_suffix(".new")
        new.write_text("".join(json.dumps(line) + "\n" for line in [first, *kept]))
        new.replace(self._path)

    def on_step_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Start the clock at the first step: what other callbacks do before it does not count."""
        if not self._last[1]:
            self._begin = self._last = (state.global_step, time.monotonic())

    def on_log(self, args: Any, state: Any, control: Any, logs: dict[str, float], **_: Any) -> None:
        """Append the line of an optimizer step."""
        if "loss" not in logs:
            return
        for name in ("loss", "grad_norm"):  # every rank has the same values, so that all of them stop
            if not math.isfinite(logs.get(name, 0.0)):
                raise TrainingError(
                    f"the {name} of step {state.global_step} is {logs[name]}: lower learning_rate "
                    "or kl_penalty"
                )
        if not state.is_world_process_zero:
            return
        now = time.monotonic()
        step, total = state.global_step, state.max_steps
        seconds = now - self._last[1]
        per_step = (now - self._begin[1]) / max(step - self._begin[0], 1)
        line = {
            "kind": "step",
            "step": step,
            "total": total,
            "epoch": round(state.epoch or 0.0, 4),
            "loss": logs["loss"],
            "grad_norm": logs.get("grad_norm"),
            "learning_rate": logs["learning_rate"],
            "tokens_per_s": round((step - self._last[0]) * self._tokens_per_step / max(seconds, 1e-9), 1),
            "seconds": round(seconds, 4),
            "seconds_left": round((total - step) * per_step, 1),
        }
        self._last = (step, now)
        self.append(line)

    def on_train_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Append the last line."""
        if state.is_world_process_zero:
            seconds = time.monotonic() - self._begin[1] if self._begin[1] else 0.0  # no step was left
            steps = state.global_step - self._begin[0]
            self.append(
                {
                    "kind": "end",
                    "step": state.global_step,
                    "total": state.max_steps,
                    "seconds": round(seconds, 2),
                    "tokens_per_s": round(steps * self._tokens_per_step / seconds, 1) if seconds else 0.0,
                }
            )

    def append(self, line: dict[str, Any]) -> None:
        """Append a line."""
        with open(self._path, "a") as file:
            file.write(json.dumps(line) + "\n")

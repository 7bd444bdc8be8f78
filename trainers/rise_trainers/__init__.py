"""Trains agents on stored trajectories: reward-weighted regression on DeepSpeed, and the RISE loop.

`run` runs the whole loop (collect, fit, evaluate, repeat), `fit` makes one fit. `select_targets` and
`exponential_weights` say which replies are trained and how much each counts; `weighted_nll` is the loss and
`RWRTrainer` the trainer. Only the names in `__all__` are public.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rise_trainers.data.targets import Selection, select_targets
    from rise_trainers.data.weights import exponential_weights
    from rise_trainers.fitting.config import FitConfig
    from rise_trainers.fitting.fit import fit
    from rise_trainers.fitting.rwr_trainer import RWRTrainer
    from rise_trainers.loop.config import RunConfig
    from rise_trainers.loss.weighted_nll import weighted_nll
    from rise_trainers.self_improve import run

__all__ = [
    "FitConfig",
    "RWRTrainer",
    "RunConfig",
    "Selection",
    "exponential_weights",
    "fit",
    "run",
    "select_targets",
    "weighted_nll",
]

# Every name is imported at its first use (PEP 562). `weighted_nll` and `RWRTrainer` need torch and
# transformers, which the base install lacks. The others would slow the start of each process of a run,
# because `python -m rise_trainers.<module>` imports this file first.
_MODULES = {
    "FitConfig": "rise_trainers.fitting.config",
    "RWRTrainer": "rise_trainers.fitting.rwr_trainer",
    "RunConfig": "rise_trainers.loop.config",
    "Selection": "rise_trainers.data.targets",
    "exponential_weights": "rise_trainers.data.weights",
    "fit": "rise_trainers.fitting.fit",
    "run": "rise_trainers.self_improve",
    "select_targets": "rise_trainers.data.targets",
    "weighted_nll": "rise_trainers.loss.weighted_nll",
}


if not TYPE_CHECKING:  # a visible `__getattr__` would hide misspelt names from type checkers

    def __getattr__(name: str) -> Any:
        if name not in _MODULES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return getattr(importlib.import_module(_MODULES[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})

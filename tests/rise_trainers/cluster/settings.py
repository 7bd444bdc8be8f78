"""Settings of a fit whose files do not exist."""

from typing import Any

from rise_trainers.fitting.config import FitConfig


def settings(**given: Any) -> FitConfig:
    return FitConfig(data=("store.jsonl",), model="tiny", output="out", **given)

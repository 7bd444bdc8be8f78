"""Every setting of every command is explained in the help text."""

import importlib
from dataclasses import fields

import pytest

from rise_env.utils.config_parser import field_docstrings
from rise_env.utils.settings import field_types, nested_dataclass

CONFIGS = (
    "rise_agents.rollouts.collect_config:CollectConfig",
    "rise_agents.evaluation.evaluate_agents:EvaluateConfig",
    "rise_agents.learning.config:LearnConfig",
    "rise_trainers.fitting.config:FitConfig",
    "rise_trainers.loop.config:RunConfig",
    "rise_trainers.cli.mask:MaskConfig",
    "rise_benchmarks.bench:BenchConfig",
    "rise_benchmarks.report.report:ReportConfig",
)


def unexplained(config: type, prefix: str = "") -> list[str]:
    texts, kinds = field_docstrings(config), field_types(config)
    found = []
    for field in fields(config):
        nested = nested_dataclass(kinds[field.name])
        if nested is not None:
            found += unexplained(nested, f"{prefix}{field.name}.")
        elif not texts.get(field.name):
            found.append(prefix + field.name)
    return found


@pytest.mark.parametrize("place", CONFIGS)
def test_every_setting_has_a_text(place: str) -> None:
    module, _, name = place.partition(":")
    assert not unexplained(getattr(importlib.import_module(module), name))

"""Which workers an evaluation accepts; tests/rise_agents/engines/test_ray_nodes.py plays with them."""

import pytest

from rise_agents.engines.ray_engine import refuse_cost_cap
from rise_agents.evaluation.evaluate_agents import EvaluateConfig
from rise_agents.evaluation.with_workers import number_of_workers
from rise_env.errors import ConfigError


def test_the_number_of_workers_is_read() -> None:
    assert number_of_workers("ray:3") == 3
    assert number_of_workers("") is None
    assert number_of_workers("local:1") is None


@pytest.mark.parametrize("workers", ["ray", "ray:0", "local:2", "rya:2"])
def test_malformed_workers_are_refused(workers: str) -> None:
    with pytest.raises(ConfigError):
        number_of_workers(workers)


def test_best_of_n_is_refused_with_workers() -> None:
    with pytest.raises(ConfigError, match="best_of_n is played in one process"):
        EvaluateConfig(protocols=("parallel", "best_of_n"), workers="ray:2")


def test_a_cost_cap_is_refused_with_several_workers() -> None:
    refuse_cost_cap({"max_usd": 5}, 1)
    refuse_cost_cap({}, 4)
    with pytest.raises(ConfigError, match="max_usd is 5, but each of 4 workers would spend as much"):
        refuse_cost_cap({"max_usd": 5}, 4)

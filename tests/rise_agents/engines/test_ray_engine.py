"""Collecting with Ray actors; skipped if Ray is not installed."""

import gc
import importlib.util
import warnings
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from rise_agents.cli.collect import run
from rise_agents.engines.ray_pool import chunk_size
from rise_agents.rollouts.collect_config import CollectConfig
from rise_env.errors import ConfigError, MissingDependencyError
from rise_env.trajectories.model_formats import stored_formats
from rise_env.trajectories.store import read_run, read_trajectories

MISSING = importlib.util.find_spec("ray") is None
needs_ray = pytest.mark.skipif(MISSING, reason="Ray is not installed: pip install '.[ray]'")
LIMIT = 60


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """Suppress the warnings about Ray's processes."""
    yield
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        gc.collect()


def config(out: Path, **settings: Any) -> CollectConfig:
    given: dict[str, Any] = {
        "env": "RISE-Arithmetic-v0",
        "agent": "tests.rise_agents.slow_agents:make_agent",
        "agent_settings": {"seconds": 0.001},
        "turns": 2,
        "limit": LIMIT,
        "max_concurrent_episodes": 7,
        "out": str(out),
    }
    return CollectConfig(**{**given, **settings})


def by_id(out: Path) -> dict[str, object]:
    stored = list(read_trajectories(out / "trajectories.jsonl"))
    assert set(Counter(trajectory.id for trajectory in stored).values()) == {1}
    return {trajectory.id: trajectory for trajectory in stored}


@needs_ray
@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_workers_store_thoughts_tokens_and_formats(tmp_path: Path) -> None:
    settings = {"agent": "tests.rise_agents.thinking_agent:ThinkingAgent", "agent_settings": {}, "limit": 3}
    run(config(tmp_path / "single", **settings), show=False)
    run(config(tmp_path / "workers", workers="ray:1", **settings), show=False)
    assert by_id(tmp_path / "workers") == by_id(tmp_path / "single")
    stores = [read_run(tmp_path / name / "trajectories.jsonl") for name in ("single", "workers")]
    assert stored_formats(stores[0]) == stored_formats(stores[1]) != {}


@needs_ray
@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_two_workers_make_the_store_that_one_process_makes(tmp_path: Path) -> None:
    single = run(config(tmp_path / "single"), show=False)
    both = run(config(tmp_path / "both", workers="ray:2"), show=False)
    assert by_id(tmp_path / "both") == by_id(tmp_path / "single")
    assert (both.done, both.played, both.tokens) == (single.done, single.played, single.tokens)
    stores = [read_run(tmp_path / name / "trajectories.jsonl") for name in ("single", "both")]
    assert stores[0] == stores[1]


@needs_ray
@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_a_killed_workers_problems_are_played_again_and_stored_once(tmp_path: Path) -> None:
    flag = tmp_path / "died"
    deadly = config(
        tmp_path / "both",
        workers="ray:2",
        agent="tests.rise_agents.slow_agents:make_deadly",
        agent_settings={"flag": str(flag), "calls": 3},
    )
    run(deadly, show=False)
    assert flag.exists()  # one worker killed itself half way
    run(config(tmp_path / "single"), show=False)
    assert by_id(tmp_path / "both") == by_id(tmp_path / "single")


@needs_ray
@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_ray_workers_continue_the_store_of_one_process(tmp_path: Path) -> None:
    run(config(tmp_path, limit=20), show=False)
    assert run(config(tmp_path, workers="ray:2"), show=False).played == LIMIT - 20
    assert len(by_id(tmp_path)) == LIMIT


@needs_ray
@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_a_workers_wrong_setting_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no setting 'secs'"):
        run(config(tmp_path, workers="ray:1", agent_settings={"secs": 1}), show=False)


@pytest.mark.skipif(not MISSING, reason="Ray is installed")
def test_without_ray_the_extra_is_named(tmp_path: Path) -> None:
    with pytest.raises(MissingDependencyError, match=r"\.\[ray\]"):
        run(config(tmp_path, workers="ray:2"), show=False)


def test_every_worker_gets_a_chunk_and_streaming_workers_get_larger_ones() -> None:
    assert [chunk_size(todo, 4, 0) for todo in (0, 3, 100, 10**6)] == [1, 1, 25, 256]
    assert [chunk_size(todo, 4, 320) for todo in (100, 10**6)] == [25, 1280]

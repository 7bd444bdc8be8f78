"""Consecutive phases of play share one process, which loads their model once."""

import io
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from rise_agents.kept_agents import keep_agents
from rise_agents.registry import load_agent
from rise_env.errors import PhaseError
from rise_env.trajectories.store import read_trajectories
from rise_trainers.loop.phases import Phase
from rise_trainers.loop.player import agent_of
from rise_trainers.loop.supervisor import Supervisor

AGENT = "tests.rise_trainers.loop.counted_agents:CountedAgent"


def phase(folder: Path, command: str, name: str, **agent_settings: Any) -> Phase:
    settings: dict[str, Any] = {
        "env": "RISE-Arithmetic-v0",
        "agent": AGENT if command == "collect" else [AGENT],
        "agent_settings": {"file": str(folder / "events"), **agent_settings},
        "limit": 3,
        "turns": 2,
        "out": str(folder / name),
    }
    if command == "evaluate":
        settings |= {"label": ["it"], "env_settings": {}}
    return Phase(name=name, title=name, command=command, settings=settings, progress_files=(), cost=1.0)


def events(folder: Path) -> list[tuple[str, str]]:
    """Return the events with the ids of their processes."""
    return [tuple(line.split()) for line in (folder / "events").read_text().splitlines()]  # type: ignore[misc]


def supervised(folder: Path, *phases: Phase, variables: dict[str, str] | None = None) -> str:
    """Run phases; return what the console shows."""
    shown = io.StringIO()
    with Supervisor(folder / "phases", phases, Console(file=shown), variables=variables) as supervisor:
        for one in phases:
            supervisor.run(one)
    return shown.getvalue()


def test_an_evaluation_and_a_collection_with_one_agent_load_it_once(tmp_path: Path) -> None:
    first, second = phase(tmp_path, "evaluate", "first"), phase(tmp_path, "collect", "second")
    other = phase(tmp_path, "collect", "third", dies=False)
    supervised(tmp_path, first, second, other)
    happened = events(tmp_path)
    assert [event for event, _ in happened] == ["load", "forget", "close", "load", "close"]
    assert happened[0][1] == happened[2][1] != happened[3][1] == happened[4][1]
    for store in (
        "first/it/seed-0/sequential.jsonl",
        "second/trajectories.jsonl",
        "third/trajectories.jsonl",
    ):
        assert len(list(read_trajectories(tmp_path / store))) == 3
    # each phase has its own log
    assert "first" not in (tmp_path / "phases" / "second.log").read_text()
    assert "3 of 3 episodes" in (tmp_path / "phases" / "second.log").read_text()
    assert "3 of 3 episodes" not in (tmp_path / "phases" / "first.log").read_text()


def test_the_process_that_plays_joins_the_cluster_of_the_run(tmp_path: Path) -> None:
    supervised(tmp_path, phase(tmp_path, "collect", "first"), variables={"RAY_ADDRESS": "10.0.0.7:1"})
    assert [event for event, _ in events(tmp_path)] == ["load", "in:10.0.0.7:1", "close"]


def test_a_playing_process_that_dies_is_a_failed_phase(tmp_path: Path) -> None:
    with pytest.raises(PhaseError, match="first failed"):
        supervised(tmp_path, phase(tmp_path, "collect", "first", dies=True))


def test_a_wrong_setting_is_the_error_of_its_phase_and_the_process_ends(tmp_path: Path) -> None:
    wrong = phase(tmp_path, "collect", "second")
    wrong.settings["limit"] = -1
    with pytest.raises(PhaseError, match=r"second failed: rise collect: limit must be at least 1"):
        supervised(tmp_path, phase(tmp_path, "collect", "first"), wrong)
    assert [event for event, _ in events(tmp_path)] == ["load", "close"]


def test_fits_have_no_agent_that_could_be_shared() -> None:
    assert agent_of("fit", {}) is None


def test_kept_agents_are_loaded_once_and_closed_at_the_end(tmp_path: Path) -> None:
    file = str(tmp_path / "events")
    with keep_agents():
        one = load_agent(AGENT, file=file)
        one.close()
        assert load_agent(AGENT, file=file) is one
        assert load_agent(AGENT, file=file, dies=True) is not one
    load_agent(AGENT, file=file).close()
    happened = [event for event, _ in events(tmp_path)]
    assert happened == ["load", "forget", "load", "close", "close", "load", "close"]

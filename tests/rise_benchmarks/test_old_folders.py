"""Stores and run folders that version 0.1 wrote before settings were renamed; see tests/fixtures."""

import dataclasses
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from rise_benchmarks.report.report import make_report
from rise_env import read_trajectories
from rise_env.cli.main import main
from rise_env.errors import ConfigError
from rise_env.utils.config_parser import parse
from rise_trainers.loop.config import RunConfig
from rise_trainers.loop.run_settings import claim

OLD = Path(__file__).parents[1] / "fixtures" / "version_0_1"


def known_part(value: Any, old: Any) -> Any:
    """Return `value` without the keys of mappings that `old` does not have in the same place."""
    if isinstance(value, dict) and isinstance(old, dict):
        return {key: known_part(part, old[key]) for key, part in value.items() if key in old}
    if isinstance(value, list) and isinstance(old, list) and len(value) == len(old):
        return [known_part(part, before) for part, before in zip(value, old, strict=True)]
    return value


def test_a_report_of_an_old_run_has_the_numbers_that_were_printed_then(tmp_path: Path) -> None:
    run = tmp_path / "run"
    shutil.copytree(OLD / "run", run)
    before = json.loads((run / "report.json").read_text())
    before["num_samples"] = before.pop("samples")
    assert known_part(make_report(run), before) == before
    assert main(["report", str(run), "--page", "false"]) == 0
    assert known_part(json.loads((run / "report.json").read_text()), before) == before


def test_an_old_collection_is_continued_and_every_episode_is_played_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("torch")
    folder = tmp_path / "collected"
    shutil.copytree(OLD / "collected", folder)
    before = (folder / "trajectories.jsonl").read_bytes()
    command = [
        "collect", "RISE-Arithmetic-v0", "--agent", "tiny", "--teacher", "expert", "--turns", "2",
        "--sampling.max_new_tokens", "48", "--env_settings.released_rise", "true", "--limit", "5",
        "--out", str(folder),
    ]  # fmt: skip
    assert main(command) == 0
    assert "5 of 5 episodes" in capsys.readouterr().out
    assert (folder / "trajectories.jsonl").read_bytes().startswith(before)
    found = [t.problem.id for t in read_trajectories(folder / "trajectories.jsonl")]
    assert found == [f"arithmetic/train/0/{index}" for index in range(5)]
    assert main([*command, "--num_samples", "2"]) == 2
    assert "agents is" in capsys.readouterr().err


def test_an_old_run_is_claimed_by_the_same_settings_alone(tmp_path: Path) -> None:
    run = tmp_path / "run"
    shutil.copytree(OLD / "run", run)
    written = (run / "config.yaml").read_bytes()
    settings = yaml.safe_load(written)
    settings["improve"]["num_samples"] = settings["improve"].pop("samples")
    settings["measure"]["num_samples"] = settings["measure"].pop("samples")
    settings["max_concurrent_episodes"] = settings.pop("chunk")
    (tmp_path / "new.yaml").write_text(yaml.safe_dump({**settings, "out": str(run)}))
    config = parse(RunConfig, ["--config", str(tmp_path / "new.yaml")], prog="rise run")
    claim(run, config)
    assert (run / "config.yaml").read_bytes() == written
    other = dataclasses.replace(config, measure=dataclasses.replace(config.measure, num_samples=3))
    with pytest.raises(ConfigError, match=r"other settings \(measure.num_samples\)"):
        claim(run, other)

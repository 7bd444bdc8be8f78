"""Whose run a folder is."""

from pathlib import Path

import pytest
import yaml

from rise_env.errors import BusyError, ConfigError
from rise_env.utils.file_lock import exclusive
from rise_trainers.loop.config import BoostConfig, PolicyConfig, RunConfig, to_json
from rise_trainers.self_improve import SETTINGS, claim, run


def test_a_run_begun_before_a_setting_existed_goes_on(tmp_path: Path) -> None:
    out = tmp_path / "run"
    config = RunConfig(out=str(out))
    claim(out, config)
    written = yaml.safe_load((out / SETTINGS).read_text())
    del written["boost"], written["drop_degenerate"], written["improve"]["teacher_settings"]
    (out / SETTINGS).write_text(yaml.safe_dump(written))
    claim(out, config)
    with pytest.raises(ConfigError, match="other settings \\(boost\\)"):
        claim(out, RunConfig(out=str(out), boost=BoostConfig()))


def test_what_only_a_dry_run_reads_may_change(tmp_path: Path) -> None:
    out = tmp_path / "run"
    claim(out, RunConfig(out=str(out)))
    assert "dry_run" not in yaml.safe_load((out / SETTINGS).read_text())
    claim(out, RunConfig(out=str(out), agent=PolicyConfig(shape={"model_type": "llama"})))
    with pytest.raises(ConfigError, match="other settings \\(agent\\)"):
        claim(out, RunConfig(out=str(out), agent=PolicyConfig(backend="vllm")))


def test_two_processes_do_not_run_the_same_run(tmp_path: Path) -> None:
    config = RunConfig(out=str(tmp_path / "run"))
    (tmp_path / "run" / "phases").mkdir(parents=True)
    with exclusive(tmp_path / "run" / "phases"):
        (tmp_path / "run" / SETTINGS).write_text(yaml.safe_dump(to_json(config)))
        with pytest.raises(BusyError, match="another process"):
            run(config)
    assert not list((tmp_path / "run" / "phases").glob("*.log"))

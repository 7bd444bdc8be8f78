"""Whose run a folder is."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from rise_env.errors import BusyError, ConfigError
from rise_env.utils.file_lock import exclusive
from rise_env.utils.settings import build
from rise_trainers.loop.config import BoostConfig, PolicyConfig, RunConfig, to_json
from rise_trainers.loop.run_settings import SETTINGS, claim
from rise_trainers.self_improve import run
from tests.rise_trainers import small_models


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
    with pytest.raises(ConfigError, match=r"other settings \(agent\.backend\)"):
        claim(out, RunConfig(out=str(out), agent=PolicyConfig(backend="vllm")))


NEUTRAL: dict[str, Any] = {
    "iterations": 3,
    "max_concurrent_episodes": 3,
    "track": "wandb",
    "failures": {"max_failed": 0.9},
    "agent": {"settings": {"max-batch-tokens": 100, "prefix_cache_mb": 0}},
    "improve": {"teacher": "openai:m@http://host/v1", "teacher_settings": {"max_usd": 2.0, "attempts": 3}},
    "fit": {"micro_batch_size": 1, "gradient-checkpointing": True, "zero_stage": 3, "tau": 0.4},
    "boost": {"settings": {}, "fit": {"ranks": 2, "weights": "uniform"}},
}
BEFORE: dict[str, Any] = {
    "improve": {"teacher": "openai:m@http://host/v1", "teacher_settings": {"reply_log": "log"}},
    "boost": {},
}


@pytest.mark.parametrize("name", NEUTRAL)
def test_settings_that_change_no_result_may_change(name: str, tmp_path: Path) -> None:
    out = tmp_path / "run"
    claim(out, build(RunConfig, {**BEFORE, "out": str(out)}))
    changed = claim(out, build(RunConfig, {**BEFORE, name: NEUTRAL[name], "out": str(out)}))
    assert changed
    assert all(setting.startswith(name) for setting in changed)


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"fit": {"tau": 0.5}}, "fit.tau"),
        ({"fit": {"lora": {"rank": 8}}}, "fit.lora"),
        ({"agent": {"settings": {"dtype": "bfloat16"}}}, "agent.settings.dtype"),
        ({"improve": {**BEFORE["improve"], "teacher_settings": {"send_seeds": False}}}, "send_seeds"),
        ({"boost": {"fit": {"epochs": 1.0}}}, "boost.fit.epochs"),
        ({"keep_tokens": False}, "keep_tokens"),
    ],
)
def test_settings_that_decide_results_must_not_change(
    settings: dict[str, Any], named: str, tmp_path: Path
) -> None:
    out = tmp_path / "run"
    claim(out, build(RunConfig, {**BEFORE, "out": str(out)}))
    with pytest.raises(ConfigError, match=named):
        claim(out, build(RunConfig, {**BEFORE, **settings, "out": str(out)}))


def test_another_first_model_under_the_same_path_is_noticed(tmp_path: Path) -> None:
    model = small_models.save_model(tmp_path / "model")
    config = RunConfig(out=str(tmp_path / "run"), agent=PolicyConfig(model=str(model)))
    claim(tmp_path / "run", config)
    model.rename(tmp_path / "moved")
    claim(
        tmp_path / "run",
        RunConfig(out=config.out, agent=PolicyConfig(model=str(tmp_path / "moved"))),
    )
    small_models.save_model(model, seed=1)
    with pytest.raises(ConfigError, match="another first model"):
        claim(tmp_path / "run", config)


def test_a_run_killed_while_its_folder_was_made_goes_on(tmp_path: Path) -> None:
    out = tmp_path / "run"
    claim(out, RunConfig(out=str(out)))
    (out / SETTINGS).rename(out / "config.new")
    claim(out, RunConfig(out=str(out)))
    assert (out / SETTINGS).exists()


def test_two_processes_do_not_run_the_same_run(tmp_path: Path) -> None:
    config = RunConfig(out=str(tmp_path / "run"))
    (tmp_path / "run" / "phases").mkdir(parents=True)
    with exclusive(tmp_path / "run" / "phases"):
        (tmp_path / "run" / SETTINGS).write_text(yaml.safe_dump(to_json(config)))
        with pytest.raises(BusyError, match="another process"):
            run(config)
    assert not list((tmp_path / "run" / "phases").glob("*.log"))

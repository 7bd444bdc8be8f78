"""`rise fit` with the trackers of transformers."""

import json
from pathlib import Path
from typing import get_args, get_type_hints

import pytest

from rise_env.cli.main import main
from rise_env.errors import MissingDependencyError
from rise_trainers.fitting.config import FitConfig, from_json, to_json
from rise_trainers.fitting.fit import check_inputs, fit
from rise_trainers.fitting.paths import metrics_path
from tests.rise_trainers import small_models
from tests.rise_trainers.tracking import wandb_file


def test_a_tracker_that_is_not_installed_is_named_before_the_fit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = from_json({**to_json(small_models.fit_config(tmp_path)), "report_to": ["tensorboard"]})
    assert config.report_to == ("tensorboard",)
    monkeypatch.setattr("rise_trainers.fitting.fit.find_spec", lambda name: None)
    with pytest.raises(MissingDependencyError, match=r"\.\[tensorboard\]"):
        check_inputs(config)


def test_a_tracker_that_there_is_not_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["fit", "--data", "s", "--model", "tiny", "--output", "o", "--report_to", "[weights]"]
    assert main(words) == 2
    assert "report_to" in capsys.readouterr().err


def test_transformers_knows_every_tracker() -> None:
    from transformers.integrations.integration_utils import INTEGRATION_TO_CALLBACK

    [names] = [args for args in get_args(get_type_hints(FitConfig)["report_to"]) if args is not ...]
    assert {"tensorboard", "wandb", "mlflow", "trackio"} == set(get_args(names))
    assert set(get_args(names)) <= INTEGRATION_TO_CALLBACK.keys()


@pytest.mark.slow
def test_tensorboard_and_wandb_hold_every_loss_and_stay_with_the_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    events = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    monkeypatch.setenv("WANDB_MODE", "offline")
    for name in ("WANDB_DIR", "WANDB_RUN_ID", "WANDB_RESUME"):
        monkeypatch.delenv(name, raising=False)
    config = from_json({**to_json(small_models.fit_config(tmp_path)), "report_to": ["tensorboard", "wandb"]})
    fit(config)
    lines = [json.loads(line) for line in metrics_path(config.output).read_text().splitlines()]
    losses = [line["loss"] for line in lines if line["kind"] == "step"]

    [folder] = Path(config.output, "runs").iterdir()
    board = events.EventAccumulator(str(folder))
    board.Reload()
    assert [point.value for point in board.Scalars("train/loss")] == pytest.approx(losses)
    assert wandb_file.column(wandb_file.only(Path(config.output)), "train/loss") == pytest.approx(losses)

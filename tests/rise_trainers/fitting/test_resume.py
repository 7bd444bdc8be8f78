"""Kill -9 during a fit, the same command again: the result is that of an uninterrupted fit."""

import json
import shutil
import signal
import subprocess
import sys
import time
import typing
from pathlib import Path
from typing import Any

import pytest
import yaml
from safetensors.torch import load_file

from rise_env.errors import ConfigError
from rise_env.utils.settings import Mark, mark_of
from rise_trainers.fitting import checkpoints
from rise_trainers.fitting.config import FitConfig, from_json, to_json
from rise_trainers.fitting.fit import fit, input_digests
from rise_trainers.fitting.paths import INPUTS, MODEL, SETTINGS, metrics_path, partial_folder
from tests.rise_trainers import small_models
from tests.waiting import PATIENCE_S

LAUNCH = """
import json, sys
from rise_trainers import fit
from rise_trainers.fitting.config import from_json
fit(from_json(json.loads(sys.argv[1])))
"""


def start(config: FitConfig) -> "subprocess.Popen[bytes]":
    return subprocess.Popen([sys.executable, "-c", LAUNCH, json.dumps(to_json(config))])


def steps(config: FitConfig) -> list[dict[str, Any]]:
    path = metrics_path(config.output)
    if not path.exists():
        return []
    lines = [json.loads(line) for line in path.read_text().splitlines() if line.endswith("}")]
    return [line for line in lines if line["kind"] == "step"]


def kill_after(config: FitConfig, step: int) -> None:
    process = start(config)
    deadline = time.monotonic() + PATIENCE_S
    while not any(line["step"] >= step for line in steps(config)):
        assert process.poll() is None, (partial_folder(config.output) / "fit.log").read_text()[-2000:]
        assert time.monotonic() < deadline
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()


def weights_of(folder: str) -> bytes:
    return (Path(folder) / "model.safetensors").read_bytes()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("ranks", "stage", "dtype"), [(1, 1, "float32"), (2, 3, "float32"), (2, 1, "bfloat16")]
)
def test_a_killed_fit_continues_as_if_nothing_had_happened(
    ranks: int, stage: int, dtype: str, tmp_path: Path
) -> None:
    config = small_models.fit_config(
        tmp_path, ranks=ranks, zero_stage=stage, dtype=dtype, epochs=8.0, save_every=3, learning_rate=3e-3
    )
    whole = from_json({**to_json(config), "output": str(tmp_path / "whole")})
    fit(whole)
    kill_after(config, 4)
    reached = len(steps(config))
    time.sleep(3)
    assert len(steps(config)) <= reached + 1, "the ranks went on alone"
    assert not Path(config.output).exists()
    fit(config)
    assert [line["step"] for line in steps(config)] == list(range(1, 17))
    assert [line["loss"] for line in steps(config)] == [line["loss"] for line in steps(whole)]
    assert weights_of(config.output) == weights_of(whole.output)


LAYOUT = {"ranks": 1, "zero_stage": 1}


def checkpoint(folder: Path, step: int, layout: dict[str, Any] | None) -> Path:
    path = folder / f"checkpoint-{step}"
    path.mkdir()
    (path / "weights").touch()
    if layout is not None:
        (path / checkpoints.COMPLETE_MARKER).write_text(json.dumps(layout))
    return path


def test_only_complete_checkpoints_are_continued_from(tmp_path: Path) -> None:
    for step, layout in ((3, LAYOUT), (6, LAYOUT), (9, None), (12, None)):
        checkpoint(tmp_path, step, layout)
    (tmp_path / "checkpoint-12" / checkpoints.COMPLETE_MARKER).touch()  # the disk was full
    sixth = tmp_path / "checkpoint-6"
    assert checkpoints.place_to_continue(tmp_path, LAYOUT) == (sixth, "")
    assert (tmp_path / "checkpoint-9").exists()
    assert checkpoints.place_to_continue(tmp_path, LAYOUT, clean=True) == (sixth, "")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["checkpoint-3", "checkpoint-6"]


def test_no_checkpoint_is_no_place_to_continue_from(tmp_path: Path) -> None:
    assert checkpoints.place_to_continue(tmp_path, LAYOUT) == (None, "")


def test_checkpoints_of_other_ranks_are_removed_and_named(tmp_path: Path) -> None:
    checkpoint(tmp_path, 3, LAYOUT)
    place, sentence = checkpoints.place_to_continue(tmp_path, {**LAYOUT, "ranks": 2}, clean=True)
    assert place is None
    assert "begins again" in sentence
    assert "ranks was 1 and is 2" in sentence
    assert not list(tmp_path.iterdir())


def changed(config: FitConfig, **settings: Any) -> FitConfig:
    return from_json({**to_json(config), **settings})


def notes(config: FitConfig) -> list[str]:
    first: dict[str, Any] = json.loads(metrics_path(config.output).read_text().splitlines()[0])
    found: list[str] = first["notes"]
    return found


def distance(one: str, other: str) -> float:
    """Return the largest difference between the weights of two models."""
    first, second = load_file(Path(one) / "model.safetensors"), load_file(Path(other) / "model.safetensors")
    assert first.keys() == second.keys()
    return max(float((first[name] - second[name]).abs().max()) for name in first)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("settings", "begins_again"),
    [
        ({"micro_batch_size": 1}, False),
        ({"gradient_checkpointing": True}, False),
        ({"packed": True}, False),
        ({"attention": "eager", "threads": 2, "cache": False, "log_every": 2}, False),
        ({"save_every": 5, "keep_checkpoints": 3}, False),
        ({"ranks": 2}, True),
        ({"zero_stage": 2}, True),
        ({"zero_stage": 3}, True),
        ({"zero_stage": 2, "offload": True}, True),
        ({"layout": "per_turn"}, True),
        ({"policy_sequences": 3}, True),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, dict) else None,
)
def test_a_killed_fit_ends_with_the_same_weights_when_it_continues_with(
    settings: dict[str, Any], begins_again: bool, whole_fit: FitConfig, tmp_path: Path
) -> None:
    if settings.get("offload") and shutil.which("ninja") is None:
        pytest.skip("offload compiles a kernel, and ninja is not installed")
    config = changed(whole_fit, output=str(tmp_path / "fitted"))
    kill_after(config, 5)
    other = changed(config, **settings)
    fit(other)
    assert any("begins again" in note for note in notes(other)) == begins_again
    assert steps(other)[-1]["step"] == 16
    assert distance(other.output, whole_fit.output) < 1e-6


@pytest.fixture(scope="module")
def whole_fit(tmp_path_factory: pytest.TempPathFactory) -> FitConfig:
    """The settings of a fit that has ended; its learning rate keeps rounding errors small."""
    config = small_models.fit_config(
        tmp_path_factory.mktemp("whole"), epochs=8.0, save_every=3, learning_rate=1e-4, kl_penalty=0.1
    )
    fit(config)
    return config


@pytest.mark.parametrize("epochs", [1.5, 2.0])
def test_a_fit_killed_before_it_is_saved_trains_no_further_step(epochs: float, tmp_path: Path) -> None:
    config = small_models.fit_config(tmp_path, epochs=epochs)
    whole = changed(config, output=str(tmp_path / "whole"))
    fit(whole)
    total = steps(whole)[-1]["total"]
    process = start(config)
    last = partial_folder(config.output) / f"checkpoint-{total}" / checkpoints.COMPLETE_MARKER
    deadline = time.monotonic() + PATIENCE_S
    while not last.exists() and process.poll() is None:
        assert time.monotonic() < deadline
        time.sleep(0.001)
    process.kill()
    process.wait()
    saved = (partial_folder(config.output) / MODEL, Path(config.output))
    if not any(path.exists() for path in saved):  # the kill was not too late
        fit(config)
        assert [line["step"] for line in steps(config)] == list(range(1, total + 1))
        assert weights_of(config.output) == weights_of(whole.output)


def begun(config: FitConfig) -> None:
    """Make the folder of a fit that was killed before its first step."""
    partial = partial_folder(config.output)
    partial.mkdir()
    (partial / SETTINGS).write_text(json.dumps(to_json(config)))
    (partial / INPUTS).write_text(yaml.safe_dump(input_digests(config)))


@pytest.mark.parametrize("place", ["partial", "output"])
def test_another_store_under_the_same_path_is_noticed(place: str, tmp_path: Path) -> None:
    config = small_models.fit_config(tmp_path)
    begun(config)
    if place == "output":
        partial_folder(config.output).rename(config.output)
    (tmp_path / "store.jsonl").unlink()
    small_models.save_store(tmp_path / "store.jsonl", small_models.trajectories(16, seed=1))
    with pytest.raises(ConfigError, match=r"other inputs: data .*store\.jsonl has another content"):
        fit(config)


def test_another_model_under_the_same_path_is_noticed(tmp_path: Path) -> None:
    config = small_models.fit_config(tmp_path)
    begun(config)
    shutil.rmtree(tmp_path / "model")
    small_models.save_model(tmp_path / "model", seed=1)
    with pytest.raises(ConfigError, match=r"other inputs: model .*model has another content"):
        fit(config)


def test_another_file_that_a_setting_names_is_noticed(tmp_path: Path) -> None:
    template = tmp_path / "template.jinja"
    template.write_text(small_models.STABLE)
    config = small_models.fit_config(tmp_path, chat_template=str(template))
    begun(config)
    with pytest.raises(ConfigError, match="chat_template is None, and one was set before"):
        fit(changed(config, chat_template=None))
    template.write_text(small_models.STABLE + "\n")
    with pytest.raises(ConfigError, match=r"chat_template .*jinja has another content"):
        fit(config)


def test_a_fit_whose_files_moved_is_the_same_fit(tmp_path: Path) -> None:
    config = small_models.fit_config(tmp_path)
    begun(config)
    partial_folder(config.output).rename(config.output)
    (tmp_path / "store.jsonl").rename(tmp_path / "moved.jsonl")
    with open(tmp_path / "moved.jsonl", "a") as file:
        file.write('{"id": "an incomplete line')
    (tmp_path / "model").rename(tmp_path / "moved")
    fit(changed(config, data=[str(tmp_path / "moved.jsonl")], model=str(tmp_path / "moved"), ranks=2))


def test_every_setting_that_names_files_has_a_digest(tmp_path: Path) -> None:
    hints = typing.get_type_hints(FitConfig, include_extras=True)
    by_content = {name for name, kind in hints.items() if mark_of(kind) is Mark.BY_CONTENT}
    assert by_content == input_digests(small_models.fit_config(tmp_path)).keys()

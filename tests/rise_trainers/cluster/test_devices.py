"""Which devices a fit uses; needs no GPU."""

import base64
import json
from pathlib import Path

import pytest

from rise_env.errors import ConfigError
from rise_trainers.cluster.devices import rank_devices
from rise_trainers.fitting import launcher
from rise_trainers.fitting.fit import fit
from rise_trainers.fitting.paths import partial_folder
from tests.rise_trainers import small_models
from tests.rise_trainers.cluster.settings import settings


def shown(visible: str | None, **more: object) -> list[str]:
    variables = {} if visible is None else {"CUDA_VISIBLE_DEVICES": visible}
    return rank_devices(settings(device="auto", **more), variables)


def test_ranks_use_the_first_visible_devices() -> None:
    assert shown("6,7,2", ranks=2) == ["6", "7"]
    assert shown(" 6 , 7 ", ranks=2) == ["6", "7"]
    assert shown("GPU-8a3f,GPU-11c0", ranks=2) == ["GPU-8a3f", "GPU-11c0"]
    assert shown("MIG-1c2d,MIG-9e", ranks=1) == ["MIG-1c2d"]
    assert shown(None, ranks=3) == ["0", "1", "2"]


@pytest.mark.parametrize("hidden", ["", "-1", "none", "0,0"])
def test_where_no_gpu_is_visible_the_ranks_see_none(hidden: str) -> None:
    assert shown(hidden, ranks=2) == ["-1", "-1"]


def test_ranks_on_the_cpu_see_no_gpu() -> None:
    assert rank_devices(settings(ranks=2, device="cpu"), {"CUDA_VISIBLE_DEVICES": "6"}) == ["-1", "-1"]


@pytest.mark.parametrize(
    ("visible", "message"),
    [
        ("6", "ranks is 2, but CUDA_VISIBLE_DEVICES is '6': set ranks to at most 1"),
        ("6,-1,7", "set ranks to at most 1"),
        ("0,GPU-8a3f", "set ranks to at most 1"),
        ("MIG-1c2d,MIG-9e", "only one MIG device"),
    ],
)
def test_more_ranks_than_visible_devices_are_refused(visible: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        shown(visible, ranks=2)


def test_a_fit_that_must_use_a_gpu_needs_a_visible_one() -> None:
    with pytest.raises(ConfigError, match="CUDA_VISIBLE_DEVICES is ''"):
        rank_devices(settings(ranks=1, device="cuda"), {"CUDA_VISIBLE_DEVICES": ""})


def test_the_launcher_starts_the_ranks_on_the_visible_devices(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "GPU-6,GPU-7")
    command = launcher.command(settings(ranks=2, device="auto"), tmp_path)
    encoded = next(part for part in command if part.startswith("--world_info=")).partition("=")[2]
    assert json.loads(base64.urlsafe_b64decode(encoded)) == {"localhost": ["GPU-6", "GPU-7"]}


def test_a_fit_with_too_few_devices_is_refused_before_it_writes_anything(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3")
    config = small_models.fit_config(tmp_path, ranks=2, device="auto")
    with pytest.raises(ConfigError, match="ranks is 2"):
        fit(config)
    assert not partial_folder(config.output).exists()

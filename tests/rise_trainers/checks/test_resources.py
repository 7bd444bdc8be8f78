from pathlib import Path
from typing import Any

import pytest

from rise_env.errors import ConfigError
from rise_trainers.checks.resources import (
    check_disk,
    check_memory,
    checkpoint_bytes,
    fit_disk_bytes,
    free_bytes,
    machine_memory,
)
from rise_trainers.fitting.config import FitConfig, LoraSettings
from rise_trainers.loop.memory import MemoryEstimate

GIB = 1 << 30
NEEDED = MemoryEstimate(states=10.0, activations=3.0, logits=1.0, host=30.0)


def fit(**settings: Any) -> FitConfig:
    return FitConfig(data=("store",), model="tiny", output="out", **settings)


@pytest.mark.parametrize(
    ("settings", "bytes_per_parameter"),
    [
        ({}, 20),
        ({"zero_stage": 0}, 16),
        ({"zero_stage": 2, "dtype": "bfloat16"}, 16),
        ({"zero_stage": 3}, 16),
        ({"zero_stage": 3, "dtype": "bfloat16"}, 14),
    ],
)
def test_a_checkpoint_has_the_size_that_was_measured(
    settings: dict[str, Any], bytes_per_parameter: int
) -> None:
    assert checkpoint_bytes(fit(**settings), 1000, 1000) == 1000 * bytes_per_parameter


def test_a_checkpoint_of_adapters_holds_the_adapters_alone() -> None:
    assert checkpoint_bytes(fit(lora=LoraSettings()), 1000, 10) == 200


def test_as_many_checkpoints_count_as_are_on_disk_at_a_time() -> None:
    config = fit(save_every=10, keep_checkpoints=2)
    sizes = [fit_disk_bytes(config, 1, 1, steps) for steps in (1, 10, 11, 25, 1000, None)]
    assert [(size - 4) // 20 for size in sizes] == [1, 1, 2, 3, 3, 3]


def test_a_fit_whose_states_exceed_the_memory_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"need 10.0 GiB, and the GPU has 8.0 GiB: use more ranks"):
        check_memory(fit(), NEEDED, [8 * GIB], 100 * GIB)
    with pytest.raises(ConfigError, match=r"need 20.0 GiB, and this machine has 16.0 GiB"):
        check_memory(fit(ranks=2), NEEDED, [], 16 * GIB)
    with pytest.raises(ConfigError, match=r"30.0 GiB of memory of the host, which has 16.0 GiB"):
        check_memory(fit(), NEEDED, [80 * GIB], 16 * GIB)


def test_a_fit_that_is_near_the_limit_is_noted() -> None:
    [note] = check_memory(fit(), NEEDED, [15 * GIB], 100 * GIB)
    assert "needs up to 14.0 GiB, and the GPU has 15.0 GiB" in note
    assert check_memory(fit(), NEEDED, [80 * GIB], 100 * GIB) == []
    assert machine_memory() > 0


def test_too_little_disk_is_refused_and_what_is_written_already_counts(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    check_disk(1000, folder)
    with pytest.raises(ConfigError, match=r"the run needs .* GiB of disk in .*run for its models"):
        check_disk(free_bytes(tmp_path) + (1 << 40), folder, "the run")
    folder.mkdir()
    with open(folder / "sparse", "wb") as file:  # has this size, and takes no space
        file.truncate(1 << 41)
    check_disk(free_bytes(tmp_path) + (1 << 40), folder)

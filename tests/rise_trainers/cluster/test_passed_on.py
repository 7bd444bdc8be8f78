import os
import stat
from pathlib import Path

import pytest

from rise_trainers.cluster.passed_on import (
    ENVIRONMENT,
    delete_environment,
    read_environment,
    write_environment,
)

GIVEN = {
    "HF_HOME": "/shared/hub",
    "HF_TOKEN": "hf_secret",
    "WANDB_MODE": "offline",
    "PYTORCH_CUDA_ALLOC_CONF": "expandable_segments:True",
}


def test_ranks_get_the_variables_of_the_hub_of_wandb_and_of_pytorch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in (*GIVEN, "RANK"):
        monkeypatch.setenv(name, "of the other machine")
    write_environment(tmp_path, {**GIVEN, "RANK": "0", "CUDA_VISIBLE_DEVICES": "1", "HOME": "/root"})
    read_environment(tmp_path)
    assert {name: os.environ[name] for name in GIVEN} == GIVEN
    assert os.environ["RANK"] == "of the other machine"


def test_only_the_owner_can_read_the_file_and_it_can_be_deleted(tmp_path: Path) -> None:
    (tmp_path / ENVIRONMENT).write_text("left over")
    (tmp_path / ENVIRONMENT).chmod(0o644)
    write_environment(tmp_path, GIVEN)
    assert stat.S_IMODE((tmp_path / ENVIRONMENT).stat().st_mode) == 0o600
    delete_environment(tmp_path)
    assert not (tmp_path / ENVIRONMENT).exists()
    read_environment(tmp_path)

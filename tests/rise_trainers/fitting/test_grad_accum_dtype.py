import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from rise_trainers.fitting.build_trainer import deepspeed_settings
from rise_trainers.fitting.config import FitConfig

ROOT = Path(__file__).parents[3]


def settings(**values: Any) -> dict[str, Any]:
    return deepspeed_settings(FitConfig(data=("s",), model="m", output="o", **values))


@pytest.mark.parametrize("stage", [1, 2, 3])
def test_gradients_of_a_bfloat16_fit_are_added_up_in_float32(stage: int) -> None:
    found = settings(dtype="bfloat16", zero_stage=stage)
    assert found["data_types"] == {"grad_accum_dtype": "fp32"}
    assert "data_types" not in settings(zero_stage=stage)


def test_a_file_of_the_user_decides_itself(tmp_path: Path) -> None:
    own = {"zero_optimization": {"stage": 1}, "data_types": {"grad_accum_dtype": "bf16"}}
    (tmp_path / "own.json").write_text(json.dumps(own))
    found = settings(dtype="bfloat16", deepspeed=str(tmp_path / "own.json"))
    assert found["data_types"] == own["data_types"]


@pytest.mark.slow
def test_the_sum_is_exact_in_float32_and_rounded_in_bfloat16(tmp_path: Path) -> None:
    output = tmp_path / "errors.json"
    command = [sys.executable, "-m", "tests.rise_trainers.accumulation", str(output)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    errors = json.loads(output.read_text())
    assert set(errors) == {"1", "2", "3"}
    for precise, rounded in errors.values():
        assert precise < 1e-6
        assert rounded > 1e-3

"""Optimizer states and parameters in the memory of the host, with DeepSpeed's own Adam."""

import shutil
from pathlib import Path

import pytest

from rise_trainers.fitting.fit import fit
from tests.rise_trainers import small_models
from tests.rise_trainers.fitting.test_resume import steps

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("g++") is None, reason="DeepSpeedCPUAdam is compiled: needs g++"),
]


@pytest.mark.parametrize("stage", [2, 3])
def test_an_offloaded_fit_takes_the_steps_of_one_that_is_not(tmp_path: Path, stage: int) -> None:
    plain = small_models.fit_config(tmp_path, zero_stage=1, output=str(tmp_path / "plain"))
    offloaded = small_models.fit_config(tmp_path, zero_stage=stage, offload=True)
    for config in (plain, offloaded):
        fit(config)
    expected = [line["loss"] for line in steps(plain)]
    assert expected[-1] < expected[0]
    assert [line["loss"] for line in steps(offloaded)] == pytest.approx(expected, rel=1e-3)

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch import Tensor

from rise_trainers.launch import free_port
from tests.rise_trainers import gradients
from tests.rise_trainers.reference import reference_gradient, relative_error


@pytest.fixture(scope="module", params=["token", "reply"])
def normalize(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def expected(normalize: str) -> dict[str, Tensor]:
    chat, targets, weights = gradients.problem()
    _, gradient = reference_gradient(gradients.model(chat), chat, targets, weights, normalize)
    return gradient


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("micro_batch", [1, 2, 8])
def test_micro_batches_accumulation_and_packing_never_change_the_gradient(
    micro_batch: int, packed: bool, normalize: str, expected: dict[str, Tensor]
) -> None:
    found = gradients.one_step(micro_batch=micro_batch, packed=packed, normalize=normalize)
    assert relative_error(found, expected) < 1e-4


@pytest.mark.slow
@pytest.mark.parametrize("ranks", [1, 2])
@pytest.mark.parametrize("stage", [0, 1, 2, 3])
def test_ranks_and_zero_stages_never_change_the_gradient(ranks: int, stage: int, tmp_path: Path) -> None:
    chat, targets, weights = gradients.problem()
    _, expected = reference_gradient(gradients.model(chat), chat, targets, weights)
    found = run_ranks(tmp_path / "gradients.pt", ranks, str(stage))
    errors = {row: relative_error(gradient, expected) for row, gradient in found.items()}
    for (micro, packed), error in errors.items():
        print(f"\n| {ranks} | {stage} | {micro} | {'packed' if packed else 'padded'} | {error:.1e} |", end="")
    assert set(errors) == set(gradients.rows(ranks))
    assert max(errors.values()) < 1e-4


def run_ranks(output: Path, ranks: int, *arguments: str) -> dict[tuple[int, bool], dict[str, Tensor]]:
    shared = {
        **os.environ,
        "WORLD_SIZE": str(ranks),
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": str(free_port()),
        "OMP_NUM_THREADS": "1",
    }
    logs = [output.with_name(f"rank{rank}.log") for rank in range(ranks)]
    processes = []
    for rank, log in enumerate(logs):
        with open(log, "wb") as file:
            processes.append(
                subprocess.Popen(
                    [sys.executable, "-m", "tests.rise_trainers.gradients", str(output), *arguments],
                    env={**shared, "RANK": str(rank), "LOCAL_RANK": str(rank)},
                    stdout=file,
                    stderr=subprocess.STDOUT,
                    cwd=Path(__file__).parents[2],
                )
            )
    codes = [process.wait(timeout=280) for process in processes]
    assert codes == [0] * ranks, logs[0].read_text()[-3000:]
    found: dict[tuple[int, bool], dict[str, Tensor]] = torch.load(output)
    return found

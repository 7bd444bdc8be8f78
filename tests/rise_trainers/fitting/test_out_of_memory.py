"""A fit that really runs out of memory continues with a smaller micro batch."""

import itertools
import json
import os
import resource
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
from safetensors.torch import load_file

from rise_trainers.fitting import build_trainer, prepare_data
from rise_trainers.fitting.config import FitConfig, to_json
from rise_trainers.fitting.paths import metrics_path, partial_folder
from tests.rise_trainers import small_models
from tests.waiting import PATIENCE_S

LAUNCH = """
import json, sys
from rise_trainers import fit
from rise_trainers.fitting.config import from_json
fit(from_json(json.loads(sys.argv[1])))
"""
LEAST_GAP = 400 << 20
"""Bytes by which the need with four sequences per forward pass exceeds that with one, at least."""
ENVIRONMENT = {
    **os.environ,
    "MALLOC_ARENA_MAX": "1",  # arenas of threads take address space by chance
    # a freed tensor returns its address space at once, so that the peak does not depend on the order of sizes
    "MALLOC_MMAP_THRESHOLD_": str(128 << 10),
}


def start(config: FitConfig, limit: int | None = None) -> "subprocess.Popen[bytes]":
    """Start a fit; no process of it may have more than `limit` bytes of address space."""
    command = [sys.executable, "-c", LAUNCH, json.dumps(to_json(config))]
    process = subprocess.Popen(command, env=ENVIRONMENT)
    if limit is not None:
        resource.prlimit(process.pid, resource.RLIMIT_AS, (limit, limit))
    return process


def address_space_of_rank(process: "subprocess.Popen[bytes]") -> int:
    """Wait for a fit, and return the largest address space that its rank had, in bytes."""
    found = 0
    deadline = time.monotonic() + PATIENCE_S
    while process.poll() is None:
        assert time.monotonic() < deadline
        try:
            for child in psutil.Process(process.pid).children(recursive=True):
                status = Path(f"/proc/{child.pid}/status").read_text()
                peak = next(line for line in status.splitlines() if line.startswith("VmPeak"))
                found = max(found, int(peak.split()[1]) << 10)
        except (OSError, StopIteration, psutil.NoSuchProcess):  # it ends
            pass
        time.sleep(0.01)
    assert process.returncode == 0
    return found


def long_in_third_step(folder: Path) -> FitConfig:
    """Return a fit of four steps, in the third of which one sequence needs most of the memory."""
    long = small_models.trajectory([1.0], ["12 + 7 = 19. " * 155], name="long")
    short = [small_models.trajectory([1.0], name=f"p{index}") for index in range(15)]
    small_models.save_store(folder / "store.jsonl", [long, *short])
    small_models.save_model(folder / "model", layers=32)
    config = small_models.fit_config(
        folder, batch_size=4, epochs=1.0, save_every=1, attention="eager", learning_rate=1e-3
    )
    data = prepare_data.prepare(config)
    longest = max(range(len(data.examples)), key=lambda index: len(data.examples[index]))
    for seed in itertools.count():
        config = replace(config, seed=seed)
        if longest in build_trainer.step_plan(config, data).epochs[0][2]:
            return config
    raise AssertionError


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.skipif(not hasattr(resource, "prlimit"), reason="only Linux limits other processes")
def test_after_an_out_of_memory_error_a_smaller_micro_batch_continues_the_fit(tmp_path: Path) -> None:
    config = long_in_third_step(tmp_path)
    whole = replace(config, output=str(tmp_path / "whole"), micro_batch_size=1)
    needed = address_space_of_rank(start(whole))
    four = replace(config, output=str(tmp_path / "four"), micro_batch_size=4)
    needed_by_four = address_space_of_rank(start(four))
    assert needed_by_four - needed > LEAST_GAP
    limit = (needed + needed_by_four) // 2

    failed = start(replace(config, micro_batch_size=4), limit)
    assert failed.wait(PATIENCE_S) != 0
    assert not Path(config.output).exists()
    log = (partial_folder(config.output) / "fit.log").read_text()
    assert "allocate memory" in log or "MemoryError" in log
    assert (partial_folder(config.output) / "checkpoint-2").exists()

    address_space_of_rank(start(replace(config, micro_batch_size=1), limit))
    lines = [json.loads(line) for line in metrics_path(config.output).read_text().splitlines()]
    assert [line["step"] for line in lines if line["kind"] == "step"] == [1, 2, 3, 4]
    expected = load_file(tmp_path / "whole" / "model.safetensors")
    for name, weights in load_file(Path(config.output) / "model.safetensors").items():
        assert (weights - expected[name]).abs().max() < 1e-6, name

"""The gradient of one step, however it is computed, beside the float64 reference: all combinations.

    python -m tests.rise_trainers.equivalence --output benchmarks/results/equivalence.md

Prints a Markdown table of relative errors, and fails where one is not below `LIMIT`.
"""

import argparse
import importlib.metadata
import itertools
import os
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from rise_trainers.fitting.launcher import free_port
from tests.rise_trainers import gradients
from tests.rise_trainers.loss.reference import reference_gradient, relative_error

LIMIT = 1e-4
TIMEOUT = 1500
"""Seconds that a group may take on a busy machine; about 15 on an idle one."""
GROUPS: list[tuple[int, int | None]] = [(1, None), *itertools.product((1, 2), (0, 1, 2, 3))]
"""Ranks and ZeRO stage; None is `transformers.Trainer` without DeepSpeed."""
_HEAD = """\
# One gradient, however it is computed

Relative error (2-norm of the difference over the norm, all parameters) of the float32 gradient of one
optimizer step of `RWRTrainer`, against the loss written down in 20 lines in float64, one turn at a time
(`tests/rise_trainers/loss/reference.py`). Random weights per reply, sequences of unequal lengths, one
sequence less than the batch has room for.

Columns: sequences per forward pass x forward passes of each rank per step; x 1 is without accumulation.
`make equivalence` writes this table and fails where an error reaches {limit:.0e}.

"""


@cache
def expected(batch: int, normalize: str = "token") -> dict[str, Tensor]:
    """Return the reference of a step over a batch of this size."""
    chat, targets, weights = gradients.problem(batch)
    return reference_gradient(gradients.model(chat), chat, targets, weights, normalize)[1]


def errors(ranks: int, stage: int | None) -> dict[gradients.Row, float]:
    """Return the relative error of each row of a group."""
    found = _plain() if stage is None else _ranks(ranks, stage)
    return {
        row: relative_error(gradient, expected(row[0] * row[1] * ranks)) for row, gradient in found.items()
    }


def _plain() -> dict[gradients.Row, dict[str, Tensor]]:
    return {
        row: gradients.one_step(micro_batch=row[0], passes=row[1], packed=row[2]) for row in gradients.rows()
    }


def _ranks(ranks: int, stage: int) -> dict[gradients.Row, dict[str, Tensor]]:
    """Compute the gradients of a group in processes that train together."""
    shared = {
        **os.environ,
        "WORLD_SIZE": str(ranks),
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": str(free_port()),
        "OMP_NUM_THREADS": "1",
    }
    with tempfile.TemporaryDirectory() as folder:
        output, log = Path(folder) / "gradients.pt", Path(folder) / "log"
        processes: list[subprocess.Popen[bytes]] = []
        try:
            with open(log, "ab") as file:
                for rank in range(ranks):
                    processes.append(
                        subprocess.Popen(
                            [sys.executable, "-m", "tests.rise_trainers.gradients", str(output), str(stage)],
                            env={**shared, "RANK": str(rank), "LOCAL_RANK": str(rank)},
                            stdout=file,
                            stderr=subprocess.STDOUT,
                            cwd=Path(__file__).parents[2],
                        )
                    )
            codes = [process.wait(timeout=TIMEOUT) for process in processes]
        finally:
            for process in processes:
                process.kill()
                process.wait()
        if any(codes):
            raise RuntimeError(f"ranks ended with {codes}: {log.read_text()[-3000:]}")
        found: dict[gradients.Row, dict[str, Tensor]] = torch.load(output)
        return found


def line(ranks: int, stage: int | None, packed: bool, found: dict[gradients.Row, float]) -> str:
    """Return a row of the table."""
    zero, layout = "no DeepSpeed" if stage is None else stage, "packed" if packed else "padded"
    cells = [f"{found[row]:.1e}" for row in gradients.rows() if row[2] == packed]
    return f"| {ranks} | {zero} | {layout} | {' | '.join(cells)} |"


def head() -> str:
    """Return the head of the table."""
    columns = ["ranks", "ZeRO", "layout"]
    columns += [f"{micro} x {passes}" for micro, passes, packed in gradients.rows() if not packed]
    return f"| {' | '.join(columns)} |\n|{' --- |' * len(columns)}"


def main(argv: list[str] | None = None) -> int:
    """Compute, print and write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--output", type=Path)
    options = parser.parse_args(argv)
    worst, lines = 0.0, [head()]
    print(lines[0], flush=True)
    for ranks, stage in GROUPS:
        found = errors(ranks, stage)
        worst = max(worst, *found.values())
        for packed in (False, True):
            lines.append(line(ranks, stage, packed, found))
            print(lines[-1], flush=True)
    names: Any = ("torch", "transformers", "deepspeed")
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in names)
    tail = f"\nLargest error: {worst:.1e}. CPU ranks (gloo), {versions}.\n"
    print(tail)
    if options.output:
        options.output.write_text(_HEAD.format(limit=LIMIT) + "\n".join(lines) + "\n" + tail)
    return 0 if worst < LIMIT else 1


if __name__ == "__main__":
    sys.exit(main())

"""Peak memory of the loss alone: a vocabulary of 128,256, 4,096 trained tokens, forward and backward.

    python -m rise_benchmarks.speed.fit_memory

Prints JSON lines: what the process grew by at its peak, with logits in chunks and all at once, beside the
size of all logits in float32.
"""

import json
import resource
import subprocess
import sys
from typing import Any

TOKENS, VOCABULARY, WIDTH = 4096, 128_256, 64
FULL = 4 * TOKENS * VOCABULARY
"""Bytes of all logits in float32."""


def growth(way: str) -> int:
    """Return by how many bytes the peak of this process grows in one forward and backward pass."""
    import torch

    from rise_trainers.linear_loss import linear_weighted_nll
    from rise_trainers.loss import LOGITS_PER_CHUNK

    head = torch.nn.Linear(WIDTH, VOCABULARY, bias=False)
    hidden = torch.randn(TOKENS, WIDTH, requires_grad=True)
    targets = torch.randint(0, VOCABULARY, (TOKENS,))
    before = _peak()
    loss = linear_weighted_nll(
        hidden,
        head.weight,
        None,
        targets,
        torch.ones(TOKENS),
        normalizer=1.0,
        logits_per_chunk=LOGITS_PER_CHUNK if way == "chunks" else TOKENS * VOCABULARY,
    )
    loss.backward()  # type: ignore[no-untyped-call]
    return _peak() - before


def measure(way: str) -> dict[str, Any]:
    """Measure in a process of its own: "chunks", or "whole"."""
    command = [sys.executable, "-m", "rise_benchmarks.speed.fit_memory", way]
    found: dict[str, Any] = json.loads(
        subprocess.run(command, capture_output=True, check=True, text=True).stdout
    )
    return found


def _peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def main() -> None:
    """Measure both ways, or the one that is named."""
    if len(sys.argv) > 1:
        peak = growth(sys.argv[1])
        print(json.dumps({"way": sys.argv[1], "bytes": peak, "of_full_logits": round(peak / FULL, 3)}))
        return
    for way in ("chunks", "whole"):
        print(json.dumps(measure(way)), flush=True)


if __name__ == "__main__":
    main()

"""Peak memory of the loss alone: a vocabulary of 128,256, 4,096 trained tokens, forward and backward.

    python -m rise_benchmarks.speed.fit_memory --output benchmarks/results/fit_memory.json

Writes the growth of the peak memory of the process as JSON, with logits in chunks and with all logits at
once, and the size of all logits in float32.
"""

import argparse
import json
import resource
import subprocess
import sys
from pathlib import Path
from typing import Any

from rise_benchmarks.performance.provenance import write_result
from rise_benchmarks.speed.machine import machine

WIDTH = 64
WAYS = ("chunks", "whole")


def growth(way: str, tokens: int, vocabulary: int) -> int:
    """Return the growth of this process's peak memory in one forward and backward pass, in bytes."""
    import torch

    from rise_trainers.loss.fused_linear import linear_weighted_nll
    from rise_trainers.loss.weighted_nll import LOGITS_PER_CHUNK

    head = torch.nn.Linear(WIDTH, vocabulary, bias=False)
    hidden = torch.randn(tokens, WIDTH, requires_grad=True)
    targets = torch.randint(0, vocabulary, (tokens,))
    before = _peak()
    loss = linear_weighted_nll(
        hidden,
        head.weight,
        None,
        targets,
        torch.ones(tokens),
        normalizer=1.0,
        logits_per_chunk=LOGITS_PER_CHUNK if way == "chunks" else tokens * vocabulary,
    )
    loss.backward()  # type: ignore[no-untyped-call]
    return _peak() - before


def measure(way: str, tokens: int, vocabulary: int) -> dict[str, Any]:
    """Measure one of `WAYS` in a process of its own."""
    command = [sys.executable, "-m", "rise_benchmarks.speed.fit_memory", way]
    command += ["--tokens", str(tokens), "--vocabulary", str(vocabulary)]
    found: dict[str, Any] = json.loads(
        subprocess.run(command, capture_output=True, check=True, text=True).stdout
    )
    return found


def _peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def main() -> None:
    """Measure both ways and write the results, or measure one way in this process and print it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("way", nargs="?", choices=WAYS, help="measure only this way, in this process")
    parser.add_argument("--output", type=Path, help="JSON file to write the result to")
    parser.add_argument(
        "--tokens", type=int, default=4096, help="number of trained tokens (default: %(default)s)"
    )
    parser.add_argument(
        "--vocabulary", type=int, default=128_256, help="size of the vocabulary (default: %(default)s)"
    )
    options = parser.parse_args()
    full = 4 * options.tokens * options.vocabulary
    if options.way:
        peak = growth(options.way, options.tokens, options.vocabulary)
        print(json.dumps({"way": options.way, "bytes": peak, "of_full_logits": round(peak / full, 3)}))
        return
    results = [measure(way, options.tokens, options.vocabulary) for way in WAYS]
    for found in results:
        print(json.dumps(found), flush=True)
    if options.output:
        report = {
            "command": "python -m rise_benchmarks.speed.fit_memory " + " ".join(sys.argv[1:]),
            "tokens": options.tokens,
            "vocabulary": options.vocabulary,
            "full_logits_bytes": full,
            "machine": machine("torch"),
            "results": results,
        }
        write_result(options.output, report)


if __name__ == "__main__":
    main()

"""Tokens per second of CPU time of generation with transformers, with float32 and with bfloat16 weights.

    python -m rise_benchmarks.speed.cpu_dtype tiny PATH_OR_HUB_ID ...

Both formats play in turn in one process (float32, bfloat16, float32, bfloat16, ...) with one thread, and the
best round of each counts. CPU time hardly depends on other programs. Prompts and replies have fixed lengths.
"""

import argparse
import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
import transformers

from rise_agents.generation.generate import Decoder, GenerationRequest
from rise_agents.types import SamplingConfig
from rise_benchmarks.speed.machine import machine
from rise_trainers.fitting.paths import model_path

DTYPES = ("float32", "bfloat16")


def seconds(decoder: Decoder, *, rows: int, prompt: int, reply: int, seed: int) -> float:
    """Return the CPU time of one batch of random prompts whose replies have `reply` tokens."""
    rng = np.random.default_rng(seed)
    requests = [
        GenerationRequest(tuple(rng.integers(100, 500, prompt).tolist()), row, reply) for row in range(rows)
    ]
    start = time.process_time()
    decoder.run(requests, SamplingConfig(temperature=1.0, max_new_tokens=reply))
    return time.process_time() - start


def measure(model: str, options: argparse.Namespace) -> dict[str, Any]:
    """Return tokens per second of CPU time with each format, and their ratio."""
    models = {
        dtype: transformers.AutoModelForCausalLM.from_pretrained(
            model_path(model), dtype=getattr(torch, dtype)
        ).eval()
        for dtype in DTYPES
    }
    # without stop tokens every reply has its full length
    decoders = {
        dtype: Decoder(loaded, (), logprobs=False, prefix_bytes=0) for dtype, loaded in models.items()
    }
    best = dict.fromkeys(DTYPES, float("inf"))
    shape = {"rows": options.rows, "prompt": options.prompt, "reply": options.reply}
    for turn in range(options.rounds + 1):  # the first round warms up
        for dtype, decoder in decoders.items():
            found = seconds(decoder, **shape, seed=turn)
            if turn:
                best[dtype] = min(best[dtype], found)
    tokens = options.rows * (options.prompt + options.reply)
    parameters = sum(p.numel() for p in models["float32"].parameters())
    return {
        "model": Path(model).name,
        "million_parameters": round(parameters / 1e6, 1),
        **{f"{dtype}_tokens_per_s": round(tokens / best[dtype], 1) for dtype in DTYPES},
        "bfloat16_over_float32": round(best["float32"] / best["bfloat16"], 2),
    }


def main() -> None:
    """Measure every model, and print a JSON line for each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("models", nargs="+", help='model folders or hub ids, or "tiny"')
    parser.add_argument("--rows", type=int, default=8, help="conversations in a batch (default: %(default)s)")
    parser.add_argument("--prompt", type=int, default=96, help="tokens of a prompt (default: %(default)s)")
    parser.add_argument("--reply", type=int, default=24, help="tokens of a reply (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=3, help="rounds per format (default: %(default)s)")
    options = parser.parse_args()
    torch.set_num_threads(1)
    print(json.dumps(machine("torch", "transformers")))
    for model in options.models:
        print(json.dumps(measure(model, options)), flush=True)


if __name__ == "__main__":
    main()

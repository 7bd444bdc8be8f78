"""Trained tokens per second of CPU time: RISE, an upper limit, and other trainers on the same trajectories.

    python -m rise_benchmarks.speed.fit --output benchmarks/results/fit_speed.json

The data are episodes of five turns on generated problems, and the model is the embedded one. The trainers run
alternately, each in a process of its own, and the best of several rounds counts. This reduces the influence
of other programs on the machine. Every token of the trajectories is counted once, also if a trainer repeats
it in several sequences.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from rise_benchmarks.performance.provenance import write_result
from rise_benchmarks.speed.fit_contestants import WARM_UP
from rise_benchmarks.speed.machine import machine
from rise_env.envs import prompts
from rise_env.problems.arithmetic.generator import ArithmeticProblems
from rise_env.trajectories.store import TrajectoryStore
from rise_env.types import Attempt, CheckResult, Conversation, Trajectory, Turn, Verdict
from rise_trainers.cluster.environment import free_port
from rise_trainers.fitting.config import FitConfig, to_json


def episodes(count: int, turns: int) -> list[Trajectory]:
    """Return `count` episodes of `turns` turns; the last reply of each is right and the others are wrong."""
    problems = ArithmeticProblems(split="train")
    result = []
    for index in range(count):
        problem = problems[index]
        seen: Conversation = ({"role": "user", "content": prompts.FIRST.format(question=problem.question)},)
        played = []
        for turn in range(turns):
            right = turn == turns - 1
            reply = (problem if right else problems[count + index * turns + turn]).solution or ""
            check = CheckResult(Verdict.CORRECT if right else Verdict.WRONG, "1")
            attempt = Attempt(agent="generated", reply=reply, check=check, reward=float(right))
            played.append(Turn(observation=seen, attempts=(attempt,)))
            again = prompts.BLIND.format(question=problem.question)
            seen = (*seen, {"role": "assistant", "content": reply}, {"role": "user", "content": again})
        result.append(Trajectory(id=str(index), problem=problem, turns=tuple(played), seed=0))
    return result


def contest(name: str, config: FitConfig, threads: int) -> dict[str, Any] | None:
    """Return the result of one trainer, or None if it cannot run here."""
    settings = json.dumps(to_json(config))
    done = subprocess.run(
        [sys.executable, "-m", "rise_benchmarks.speed.fit_contestants", name, settings],
        env={**os.environ, "OMP_NUM_THREADS": str(threads), "MASTER_PORT": str(free_port())},
        capture_output=True,
        text=True,
        check=False,
    )
    lines = [line for line in done.stdout.splitlines() if line.startswith("RESULT ")]
    if not lines:
        print(f"{name}: not run: {(done.stderr.strip().splitlines() or ['no reason given'])[-1]}")
        return None
    found: dict[str, Any] = json.loads(lines[-1].removeprefix("RESULT "))
    return found


def main() -> None:
    """Measure every trainer, and write the JSON file of `--output`."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--output", type=Path, help="JSON file to write the result to")
    parser.add_argument("--model", default="tiny", help="model folder or hub id (default: %(default)s)")
    parser.add_argument(
        "--trajectories", type=int, default=640, help="number of generated episodes (default: %(default)s)"
    )
    parser.add_argument("--turns", type=int, default=5, help="turns per episode (default: %(default)s)")
    parser.add_argument(
        "--batch-size", type=int, default=64, help="trajectories per optimizer step (default: %(default)s)"
    )
    parser.add_argument(
        "--micro-batch-size", type=int, default=8, help="trajectories per forward pass (default: %(default)s)"
    )
    parser.add_argument(
        "--zero-stage", type=int, default=1, help="ZeRO stage of DeepSpeed (default: %(default)s)"
    )
    parser.add_argument("--dtype", default="float32", help="type of the weights (default: %(default)s)")
    parser.add_argument(
        "--rounds",
        type=int,
        default=3,
        help="measurements per trainer; the best counts (default: %(default)s)",
    )
    parser.add_argument(
        "--threads", type=int, default=1, help="CPU threads per trainer (default: %(default)s)"
    )
    parser.add_argument("--only", nargs="*", default=["limit", "rise", "released", "trl"])
    options = parser.parse_args()
    if options.trajectories <= WARM_UP * options.batch_size:
        parser.error(
            f"--trajectories {options.trajectories}: with --batch-size {options.batch_size}, more than "
            f"{WARM_UP * options.batch_size} are needed, because the first {WARM_UP} steps are not timed"
        )
    best: dict[str, dict[str, Any]] = {}
    with tempfile.TemporaryDirectory() as folder:
        store = Path(folder) / "store.jsonl"
        with TrajectoryStore(store, {"made": "for the benchmark"}) as file:
            file.append(episodes(options.trajectories, options.turns))
        config = FitConfig(
            data=(str(store),),
            model=options.model,
            output=str(Path(folder) / "out"),
            epochs=1.0,
            batch_size=options.batch_size * options.turns,  # replies
            micro_batch_size=options.micro_batch_size,
            zero_stage=options.zero_stage,
            dtype=options.dtype,
        )
        for _ in range(options.rounds):
            for name in options.only:
                found = contest(name, config, options.threads)
                if found and (name not in best or found["tokens_per_s"] > best[name]["tokens_per_s"]):
                    best[name] = found
                    print(json.dumps(found), flush=True)
    base = best["rise"]["tokens_per_s"]
    ratios = {name: round(base / row["tokens_per_s"], 3) for name, row in best.items() if name != "rise"}
    report = {
        "command": "python -m rise_benchmarks.speed.fit " + " ".join(sys.argv[1:]),
        "settings": {k: str(v) for k, v in vars(options).items() if k != "output"},
        "machine": machine("torch", "transformers", "deepspeed", "trl"),
        "results": best,
        "rise_over": ratios,
    }
    print(json.dumps(ratios))
    if options.output:
        write_result(options.output, report)


if __name__ == "__main__":
    main()

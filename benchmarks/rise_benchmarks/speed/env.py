r"""Steps per second of the environments, beside others in the same run.

    make bench-env PEERS="PYTHON ..." RISE_REPO=CLONE

Uses GSM8K's test problems where RISE_DATA_DIR has them, generated ones otherwise. `--peers` names an
interpreter with gem-llm, skyrl-gym or verifiers 0.3 installed; without it ours are measured alone.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np

from rise_benchmarks.speed.timing import Rate, measure
from rise_env.checkers import NumericChecker
from rise_env.errors import DataNotFoundError
from rise_env.math_env import MathEnv
from rise_env.problems.loading import load_problems
from rise_env.types import Conversation, Problem
from rise_env.vector_env import MathVectorEnv

WRONG = "That makes 31415926.\nThe final answer is \\boxed{31415926}."
EPISODES = 200


def right(problem: Problem) -> str:
    """Return a reply with the right answer, as long as the peers' one."""
    return (
        f"She has 3 + 4 = 7.\nThe final answer is \\boxed{{{problem.reference}}}.\n#### {problem.reference}"
    )


def problems_at_hand() -> tuple[str, list[Problem]]:
    """Return the name and the problems of GSM8K's test set, or of generated ones."""
    if os.environ.get("RISE_DATA_DIR"):
        try:
            return "GSM8K test", list(load_problems("GSM8K", split="test"))
        except DataNotFoundError:
            pass
    return "Arithmetic test", list(load_problems("Arithmetic", split="test"))


def episodes(env: gymnasium.Env[Any, str], problems: Sequence[Problem], turns: int) -> Callable[[], int]:
    """Return a function that plays `EPISODES` episodes, right in turn `turns`, and returns the steps."""
    replies = [right(problem) for problem in problems[:EPISODES]]

    def play() -> int:
        for index, reply in enumerate(replies):
            env.reset(options={"index": index})
            for _ in range(turns - 1):
                env.step(WRONG)
            env.step(reply)
        return turns * len(replies)

    return play


def batches(env: MathVectorEnv) -> Callable[[], int]:
    """Return a function that steps the batch with wrong answers and returns the steps."""
    env.reset(seed=0)
    actions = [WRONG] * env.num_envs

    def play() -> int:
        for _ in range(100):
            env.step(actions)
        return 100 * env.num_envs

    return play


class EmptyEnv(gymnasium.Env[Conversation, str]):
    """Shows given observations and does nothing else: what Gymnasium's wrappers cost by themselves."""

    metadata: dict[str, Any] = {"render_modes": []}  # noqa: RUF012

    def __init__(self, observations: Sequence[Conversation], like: gymnasium.Env[Conversation, str]) -> None:
        self.observation_space, self.action_space = like.observation_space, like.action_space
        self._observations, self._turn = observations, 0

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Conversation, dict[str, Any]]:
        """Show the first observation."""
        self._turn = 0
        return self._show(), {}

    def step(self, action: str) -> tuple[Conversation, float, bool, bool, dict[str, Any]]:
        """Show the next one."""
        self._turn += 1
        return self._show(), 0.0, False, self._turn + 1 == len(self._observations), {}

    def _show(self) -> Conversation:
        return tuple(message.copy() for message in self._observations[self._turn])


def wrapped(env: gymnasium.Env[Any, str]) -> gymnasium.Env[Any, str]:
    """Return `env` in the wrappers of `gymnasium.make`."""
    return gymnasium.wrappers.OrderEnforcing(gymnasium.wrappers.PassiveEnvChecker(env))


def ours(problems: Sequence[Problem]) -> list[Rate]:
    """Measure ours."""
    checker = NumericChecker()
    env = MathEnv(problems, checker)
    observations = [env.reset(options={"index": 0})[0], *(env.step(WRONG)[0] for _ in range(5))]
    empty = EmptyEnv(observations, env)
    rates = [
        measure(f"MathEnv, right in turn {turns}", episodes(MathEnv(problems, checker), problems, turns))
        for turns in (1, 3, 5)
    ]
    vectors = [MathVectorEnv(problems, checker, count, autoreset_mode="SameStep") for count in (8, 64)]
    rates += [measure(f"MathVectorEnv, {env.num_envs} at a time, wrong", batches(env)) for env in vectors]
    rates += [
        measure("MathEnv in gymnasium.make's wrappers, turn 5", episodes(wrapped(env), problems, 5)),
        measure("empty environment in the same wrappers", episodes(wrapped(empty), problems, 5)),
        measure("empty environment bare", episodes(empty, problems, 5)),
    ]
    return rates


def peers(python: str, rise_repo: str | None, problems: Sequence[Problem]) -> list[dict[str, Any]]:
    """Measure the others in their interpreter, on the same problems."""
    script = Path(__file__).with_name("env_peers.py")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "problems.jsonl"
        rows = [{"question": p.question, "answer": p.reference, "solution": p.solution} for p in problems]
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
        command = [python, str(script), str(path), *(["--rise-repo", rise_repo] if rise_repo else [])]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    found = [json.loads(line[5:]) for line in done.stdout.splitlines() if line.startswith("RATE ")]
    return found or [{"system": python, "error": done.stderr.strip().splitlines()[-1:]}]


def main(argv: Sequence[str] | None = None) -> int:
    """Measure, print a table, write the file."""
    parser = argparse.ArgumentParser("rise_benchmarks.speed.env", description=__doc__)
    parser.add_argument("--peers", action="append", default=[], metavar="PYTHON")
    parser.add_argument("--rise-repo", metavar="CLONE")
    parser.add_argument("--output", type=Path)
    arguments = parser.parse_args(argv)
    name, problems = problems_at_hand()
    rows: list[dict[str, Any]] = [
        {"system": "RISE", "loop": rate.name, **{k: v for k, v in asdict(rate).items() if k != "name"}}
        for rate in ours(problems)
    ]
    others = [row for python in arguments.peers for row in peers(python, arguments.rise_repo, problems)]
    measured = {row["system"] for row in others if "error" not in row}
    rows += [row for row in others if "error" not in row or row["system"] not in measured]
    print(f"| system | loop on {name} | steps/s | steps per CPU second |\n| --- | --- | ---: | ---: |")
    for row in rows:
        if "error" in row:
            print(f"| {row['system']} | not measured: {row['error']} | | |")
        else:
            rates = f"{row['per_second']:,.0f} | {row['per_cpu_second']:,.0f}"
            print(f"| {row['system']} | {row['loop']} | {rates} |")
    if arguments.output:
        record = {
            "command": "make bench-env"
            + (" PEERS='PYTHON ...'" if arguments.peers else "")
            + (" RISE_REPO=CLONE" if arguments.rise_repo else ""),
            "problems": name,
            "machine": {
                "processor": platform.machine(),
                "cores": os.cpu_count(),
                "load_average": [round(load, 2) for load in os.getloadavg()],
                "python": platform.python_version(),
                "gymnasium": gymnasium.__version__,
                "numpy": np.__version__,
            },
            "rates": rows,
        }
        arguments.output.write_text(json.dumps(record, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())

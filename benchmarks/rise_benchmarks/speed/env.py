r"""Steps per second of the environments, compared with other libraries in the same run.

    make bench-env PEERS="PYTHON ..." RISE_REPO=CLONE

Uses GSM8K's test problems if RISE_DATA_DIR has them, and generated problems otherwise. `--peers` names an
interpreter in which gem-llm, skyrl-gym or verifiers 0.3 is installed. Without it, only RISE is measured.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import gymnasium

import rise_env
from rise_benchmarks.performance.provenance import write_result
from rise_benchmarks.speed.machine import machine
from rise_benchmarks.speed.timing import Rate, measure
from rise_env.checkers import NumericChecker
from rise_env.envs.episode import Episode
from rise_env.envs.infos import step_info
from rise_env.envs.math_env import MathEnv, math_env_of
from rise_env.envs.rules import Rules
from rise_env.envs.vector_env import MathVectorEnv
from rise_env.errors import DataNotFoundError
from rise_env.problems.loading import load_problems
from rise_env.types import Problem

WRONG = "That makes 31415926.\nThe final answer is \\boxed{31415926}."
EPISODES = 200
GOALS = (
    ("MathEnv, right in turn 3", "gsm8k_multi_turn, right in turn 3", 0.95),
    ("MathVectorEnv, 64 at a time, wrong", "MathEnv, right in turn 5", 1.0),
    (
        "RISE-ReasoningGym, chain_sum, 1 turn, right",
        "reasoning-gym itself, chain_sum, entry and score",
        0.95,
    ),
)
"""Our loop, the loop beside it, and the ratio of their rates that we want."""
BEGIN, END = "<!-- written by `make bench-env` -->", "<!-- end of the tables -->"


def right(problem: Problem) -> str:
    """Return a right reply of the same length as the replies with which the other libraries are measured."""
    return (
        f"She has 3 + 4 = 7.\nThe final answer is \\boxed{{{problem.reference}}}.\n#### {problem.reference}"
    )


def problems_at_hand() -> tuple[str, list[Problem]]:
    """Return the name and the problems of GSM8K's test set, or of the generated test set."""
    if os.environ.get("RISE_DATA_DIR"):
        try:
            return "GSM8K test", list(load_problems("GSM8K", split="test"))
        except DataNotFoundError:
            pass
    return "Arithmetic test", list(load_problems("Arithmetic", split="test"))


def episodes(env: gymnasium.Env[Any, str], problems: Sequence[Problem], turns: int) -> Callable[[], int]:
    """Return a function that plays `EPISODES` episodes, solved in turn `turns`, and counts its steps."""
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
    """Return a function that steps the batch with wrong answers and returns its step count."""
    env.reset(seed=0)
    actions = [WRONG] * env.num_envs

    def play() -> int:
        for _ in range(100):
            env.step(actions)
        return 100 * env.num_envs

    return play


def ours(problems: Sequence[Problem]) -> list[Rate]:
    """Measure the environments of RISE."""
    checker = NumericChecker()
    rates = [
        measure(f"MathEnv, right in turn {turns}", episodes(MathEnv(problems, checker), problems, turns))
        for turns in (1, 3, 5)
    ]
    rates += reasoning_gym_rates()
    vectors = [MathVectorEnv(problems, checker, count, autoreset_mode="SameStep") for count in (8, 64)]
    rates += [measure(f"MathVectorEnv, {env.num_envs} at a time, wrong", batches(env)) for env in vectors]
    return rates


def reasoning_gym_rates(task: str = "chain_sum", count: int = 500) -> list[Rate]:
    """Measure RISE and the library itself on problems of reasoning-gym; empty if it is not installed."""
    try:
        env = rise_env.make("RISE-ReasoningGym-v0", task=task).unwrapped
        from reasoning_gym import create_dataset
    except ImportError:
        return []
    dataset = create_dataset(task, seed=1, size=count)

    def library() -> int:
        for index in range(count):
            entry = dataset[index]
            dataset.score_answer(entry["answer"], entry)
        return count

    def ours() -> int:
        for index in range(count):
            env.reset(options={"index": index})
            env.step(f"\\boxed{{{math_env_of(env).problem.reference}}}")
        return count

    return [
        measure(f"RISE-ReasoningGym, {task}, 1 turn, right", ours),
        measure(f"reasoning-gym itself, {task}, entry and score", library),
    ]


def profile(problems: Sequence[Problem], rates: Sequence[Mapping[str, Any]]) -> str:
    """Return two tables: the time of the parts of a step, each measured alone, and the ratios to the goals.

    Args:
        problems: The problems.
        rates: The rates of our environments and of other libraries, as `main` writes them.
    """
    rules, checker, problem = Rules(), NumericChecker(), problems[0]
    check = checker.check(WRONG, problem.reference)
    episode, env = Episode(rules, problem), MathEnv(problems, checker)
    one, five = Episode(rules, problem), Episode(rules, problem)
    five.messages = five.messages * 5

    def step() -> None:
        again = one.copy()
        again.apply(again.transition(WRONG, check))

    parts: dict[str, Callable[[], object]] = {
        "extraction and comparison of the answer": lambda: checker.check(WRONG, problem.reference),
        "reward and feedback text (`Episode.transition`)": lambda: episode.transition(WRONG, check),
        "a copy of the episode, a transition and its application": step,
        "observation of the first message": one.observation,
        "observation of five messages": five.observation,
        "info": lambda: step_info(episode, check),
        "`reset`, once per episode": lambda: env.reset(options={"index": 0}),
    }
    lines = ["| part of `MathEnv.step`, and `reset` | microseconds |", "| --- | ---: |"]
    for name, part in parts.items():
        lines.append(f"| {name} | {1e6 / measure(name, partial(_many, part)).per_cpu_second:.2f} |")
    lines += [
        "",
        "| rate per CPU second | reached | of | ratio | goal |",
        "| --- | ---: | ---: | ---: | ---: |",
    ]
    found = {row["loop"]: row["per_cpu_second"] for row in rates if "error" not in row}
    for loop, other, goal in GOALS:
        if loop in found and other in found:
            ratio = found[loop] / found[other]
            rates_of = f"{found[loop]:,.0f} | {found[other]:,.0f}"
            lines.append(f"| {loop}, beside {other} | {rates_of} | {ratio:.2f} | {goal} |")
    return "\n".join(lines)


def _many(function: Callable[[], object], times: int = 1000) -> int:
    for _ in range(times):
        function()
    return times


def wrappers(processes: int = 7) -> dict[str, Any]:
    """Return the time that the wrappers of `gymnasium.make` add to a step; see `wrappers.py`.

    The placement of objects in memory changes the results of a whole process by more than the difference
    between the wrappers. So several processes measure, and the median is returned.
    """
    command = [sys.executable, "-m", "rise_benchmarks.speed.wrappers"]
    found = [
        json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
        for _ in range(processes)
    ]
    result: dict[str, Any] = {key: statistics.median(row[key] for row in found) for key in found[0]}
    return result | {"ratios": sorted(row["ratio"] for row in found)}


def peers(python: str, rise_repo: str | None, problems: Sequence[Problem]) -> list[dict[str, Any]]:
    """Measure the other libraries in the interpreter `python`, on the same problems."""
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
    """Measure, print a table, and write the JSON file of `--output`."""
    parser = argparse.ArgumentParser("rise_benchmarks.speed.env", description=__doc__)
    parser.add_argument(
        "--peers",
        action="append",
        default=[],
        metavar="PYTHON",
        help="Python interpreter with other libraries to measure; may be repeated",
    )
    parser.add_argument(
        "--rise-repo", metavar="CLONE", help="clone of cmu-mind/RISE, to measure its environment"
    )
    parser.add_argument("--output", type=Path, help="JSON file to write the result to")
    parser.add_argument("--profile", type=Path, help="page whose tables of parts and goals are written anew")
    arguments = parser.parse_args(argv)
    name, problems = problems_at_hand()
    rows: list[dict[str, Any]] = [
        {"system": "RISE", "loop": rate.name, **{k: v for k, v in asdict(rate).items() if k != "name"}}
        for rate in ours(problems)
    ]
    others = [row for python in arguments.peers for row in peers(python, arguments.rise_repo, problems)]
    measured = {row["system"] for row in others if "error" not in row}
    rows += [row for row in others if "error" not in row or row["system"] not in measured]
    added = wrappers()
    print(f"| system | loop on {name} | steps/s | steps per CPU second |\n| --- | --- | ---: | ---: |")
    for row in rows:
        if "error" in row:
            print(f"| {row['system']} | not measured: {row['error']} | | |")
        else:
            rates = f"{row['per_second']:,.0f} | {row['per_cpu_second']:,.0f}"
            print(f"| {row['system']} | {row['loop']} | {rates} |")
    print(
        "\nWrappers of gymnasium.make, CPU microseconds added to a step: "
        "{added_to_ours:.3f} to ours, {added_to_empty:.3f} to an empty environment with the same "
        "observation: {ratio:.2f} times (at most 1.2)".format(**added)
    )
    if arguments.profile:
        before, _, rest = arguments.profile.read_text().partition(BEGIN)
        tables = profile(problems, rows)
        arguments.profile.write_text(f"{before}{BEGIN}\n{tables}\n{END}{rest.partition(END)[2]}")
    if arguments.output:
        record = {
            "command": "make bench-env"
            + (" PEERS='PYTHON ...'" if arguments.peers else "")
            + (" RISE_REPO=CLONE" if arguments.rise_repo else ""),
            "problems": name,
            "machine": machine("gymnasium", "numpy"),
            "rates": rows,
            "wrappers": added,
        }
        write_result(arguments.output, record)
    return 0


if __name__ == "__main__":
    sys.exit(main())

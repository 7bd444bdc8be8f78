r"""Checks per second: plain boxed integers, and hard LaTeX answers in one process and with worker processes.

    python -m rise_benchmarks.speed.checker --output benchmarks/results/checker_speed.json

The hard answers are the reference answers of MATH's test set that are not plain numbers. They are read from
RISE_DATA_DIR; without it, a few built-in ones are used. Half of the replies spell the reference differently,
and half state another value. No pair occurs twice, so no cache makes a check faster. If Math-Verify is
installed, it is measured on some of the same pairs.
"""

import argparse
import json
import os
import re
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from random import Random
from time import perf_counter, process_time
from typing import Any

from rise_benchmarks.checkers.peers import installed, load
from rise_benchmarks.performance.provenance import write_result
from rise_benchmarks.speed.machine import machine
from rise_benchmarks.speed.timing import Rate
from rise_env.checkers import CheckerService, CheckItem, NumericChecker, SymbolicChecker, final_answer
from rise_env.checkers.reading.read_answer import read

BUILT_IN = (
    r"\frac{\sqrt{3}}{2}", r"2\sqrt{5}-1", r"\left(3, \frac{\pi}{2}\right)", "x^2+3x+2", r"[-2,7)",
    r"\begin{pmatrix} 1 & 2 \\ 3 & 4 \end{pmatrix}", r"(-\infty,2)\cup(3,\infty)", r"1\pm\sqrt{19}",
    r"\frac{x+1}{x-1}", "y=2x+3", r"\frac{1+\sqrt{5}}{4}", r"3+4i",
)  # fmt: skip


def references() -> list[str]:
    """Return reference answers that are not plain numbers."""
    folder = os.environ.get("RISE_DATA_DIR")
    path = Path(folder or ".") / "math" / "test_5000.jsonl"
    if not folder or not path.is_file():
        return list(BUILT_IN)
    answers = [final_answer(json.loads(line)["solution"]) for line in path.read_text().splitlines()]
    # `pairs` adds a number after a comma, which has to be readable as well
    hard = [
        answer
        for answer in answers
        if answer and read(answer).literal is None and read(answer).node and read(f"{answer},526").node
    ]
    return list(dict.fromkeys(hard))


def pairs(count: int, seed: int = 0) -> list[CheckItem]:
    """Return `count` different pairs of a reply and a reference; in half of them the answer is right."""
    random = Random(seed)
    known = references()
    found: dict[CheckItem, None] = {}
    while len(found) < count:
        reference = random.choice(known)
        number = random.randint(2, 10**6)
        # a random number makes every reply and every reference new to the caches
        gold, answer = f"{reference},{number}", f"{number}, {reference.replace('frac', 'dfrac')} "
        if len(found) % 2:
            answer = re.sub(r"\d+(?=\D*$)", lambda digits: str(int(digits.group()) + 1), answer, count=1)
        found[CheckItem(f"The answer is \\boxed{{{answer}}}.", gold)] = None
    return list(found)


def rate(name: str, work: Callable[[], int], repeats: int = 3) -> Rate:
    """Return the best of `repeats` rates of `work`, which returns how many checks it did."""
    wall = cpu = 0.0
    for _ in range(repeats):
        start, start_cpu = perf_counter(), process_time()
        done = work()
        wall = max(wall, done / (perf_counter() - start))
        cpu = max(cpu, done / (process_time() - start_cpu))
    return Rate(name, wall, cpu)


def numeric() -> Rate:
    """Return the rate for plain boxed integers."""
    checker = NumericChecker()
    cases = [(f"So 6 * {i} is what we want. \\boxed{{{i}}}", str(i + i % 2)) for i in range(1000)]

    def work() -> int:
        for reply, reference in cases * 50:
            checker.check(reply, reference)
        return 50 * len(cases)

    return rate("numeric, one process", work)


def hard_in_process(count: int) -> Rate:
    """Return the rate of one thread for hard checks; every repeat uses new pairs."""
    batches = iter([pairs(count, seed) for seed in range(3)])

    def work() -> int:
        return len(SymbolicChecker().check_many(next(batches)))

    return rate("hard LaTeX, one process", work)


def hard_in_service(count: int, workers: int) -> Rate:
    """Return the rate for hard checks with worker processes, which do only the checks that need sympy."""
    batches = iter([pairs(count, seed) for seed in range(3, 6)])
    with CheckerService(workers) as service:
        service.warm_up()
        return rate(
            f"hard LaTeX, service of {workers} workers",
            lambda: len(SymbolicChecker(service=service).check_many(next(batches))),
        )


def peer(items: Sequence[CheckItem]) -> Rate:
    """Return the rate of Math-Verify for hard checks."""
    check = load("math-verify")

    def work() -> int:
        for item in items:
            check(item.reply, item.reference)
        return len(items)

    return rate("hard LaTeX, math-verify", work, repeats=1)


def measure(count: int) -> dict[str, Any]:
    """Return all rates, in checks per second."""
    rates = [numeric(), hard_in_process(count), hard_in_service(count, 2)]
    if "math-verify" in installed():
        rates.append(peer(pairs(min(count, 200), 6)))
    return {
        "machine": machine("math-verify", "sympy"),
        "pairs": count,
        "references": len(references()),
        "rates": [
            {key: value if key == "name" else round(value) for key, value in asdict(found).items()}
            for found in rates
        ],
    }


def main() -> None:
    """Measure and write the rates."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--output", type=Path, help="JSON file to write the result to")
    parser.add_argument(
        "--pairs",
        type=int,
        default=4000,
        help="number of pairs of a hard answer and a reference (default: %(default)s)",
    )
    arguments = parser.parse_args()
    result = {"command": "make bench-checker", **measure(arguments.pairs)}
    print(json.dumps(result, indent=1))
    if arguments.output:
        write_result(arguments.output, result, indent=1)


if __name__ == "__main__":
    main()

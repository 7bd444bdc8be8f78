"""`rise checkers bench FILE...`: scores our checker and those of other libraries on labelled cases."""

import argparse
import importlib.metadata
import platform
import random
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rise_agents.deliberation.judge import JudgeChecker
from rise_agents.registry import load_agent
from rise_benchmarks.checkers.cases import Case, Outcome, read_cases
from rise_benchmarks.checkers.isolated_runner import IsolatedRunner
from rise_benchmarks.checkers.mutants import mutants
from rise_benchmarks.checkers.peers import NAMES, NOT_COMPARED, installed
from rise_benchmarks.checkers.score import markdown, report, without_texts
from rise_benchmarks.performance.provenance import write_result
from rise_env.checkers.base import CheckItem
from rise_env.types import Verdict

_PACKAGES = ("rise-env", "sympy", "mpmath", "math-verify", "latex2sympy2_extended", "antlr4-python3-runtime",
             "mathruler", "verl")  # fmt: skip
"""Packages whose versions are written with the scores."""
_DECIDED = (Verdict.CORRECT, Verdict.WRONG)
_THREADS = 8
_THREADED_CASES = 240
"""The number of cases that are checked again in threads, to find out whether verdicts change."""


def run(name: str, cases: Sequence[Case], *, limit: float = 10.0) -> dict[str, Any]:
    """Return the report on one checker, with the outcome of a test in threads."""
    runner = IsolatedRunner(name, limit=limit)
    try:
        rows = [(case, runner.run(case)) for case in cases]
        found = report(rows)
        found["threads"] = _thread_test(runner, rows)
    finally:
        runner.close()
    return found


def judged(spec: str, cases: Sequence[Case]) -> str:
    """Return one sentence on how far an agent, as a judge, agrees with the labels of the cases."""
    agent = load_agent(spec)
    try:
        items = [CheckItem(case.reply, case.reference, case.question) for case in cases]
        results = JudgeChecker(agent).check_many(items)
    finally:
        agent.close()
    decided = [(r.correct, c.expected) for r, c in zip(results, cases, strict=True) if r.verdict in _DECIDED]
    agree = sum(found == expected for found, expected in decided)
    wrong = sum(found and not expected for found, expected in decided)
    swayed = sum("order" in result.method for result in results)
    return (
        f"judge {agent.name}: agrees with the label in {agree} of {len(cases)} cases and accepts {wrong} "
        f"wrong replies; {swayed} verdicts depend on the order, "
        f"{len(cases) - len(decided) - swayed} cannot be read"
    )


def _thread_test(runner: IsolatedRunner, rows: Sequence[tuple[Case, Outcome]]) -> str:
    quick = [row for row in rows if not row[1].error and row[1].seconds < 0.5 and not row[0].disputed]
    chosen = random.Random(3).sample(quick, min(_THREADED_CASES, len(quick)))
    accepted = runner.run_in_threads([case for case, _ in chosen], _THREADS)
    if accepted is None:
        return "hangs"
    changed = sum(now != row[1].accepted for now, row in zip(accepted, chosen, strict=True))
    return f"{changed} of {len(chosen)} verdicts differ"


def _versions() -> dict[str, str]:
    versions = {"python": platform.python_version(), "machine": platform.machine()}
    for package in _PACKAGES:
        try:
            versions[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return versions


def main(argv: Sequence[str]) -> int:
    """Run `rise checkers bench`; return the exit code, 0 if our checker accepts no wrong reply, else 1."""
    parser = argparse.ArgumentParser(prog="rise checkers", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    bench = commands.add_parser("bench", help="score checkers on labelled cases")
    bench.add_argument("files", nargs="+", type=Path, metavar="FILE", help="JSON lines of labelled cases")
    bench.add_argument(
        "--checker",
        action="append",
        choices=NAMES,
        help="checker to score; may be repeated (default: all installed)",
    )
    bench.add_argument(
        "--limit", type=float, default=10.0, help="seconds for one case (default: %(default)s)"
    )
    bench.add_argument("--max", type=int, help="the size of a random sample of the cases (default: all)")
    bench.add_argument("--output", type=Path, help="a path without suffix; writes a .json and a .md file")
    bench.add_argument("--mutants", type=int, default=0, metavar="N",
                       help="also score this many mutants of the references of the files")  # fmt: skip
    bench.add_argument("--judge", metavar="AGENT", help="also print how far a model agrees with the labels")
    arguments = parser.parse_args(argv)
    cases = read_cases(arguments.files)
    cases += mutants([case.reference for case in cases if not case.disputed], arguments.mutants)
    if arguments.max and arguments.max < len(cases):
        cases = random.Random(0).sample(cases, arguments.max)
    reports = {}
    for name in arguments.checker or installed():
        print(f"{name}: {len(cases)} cases ...", file=sys.stderr)
        reports[name] = run(name, cases, limit=arguments.limit)
    tables = markdown(reports)
    print(tables)
    if arguments.judge:
        print(judged(arguments.judge, cases))
    if arguments.output:
        written = without_texts(reports)
        _write(arguments.output, markdown(written), written)
    ours = reports.get("rise")
    return 1 if ours is not None and ours["all"]["false_accepts"] else 0


def _write(output: Path, tables: str, reports: dict[str, dict[str, Any]]) -> None:
    versions = _versions()
    output.parent.mkdir(parents=True, exist_ok=True)
    result = {"command": "rise checkers " + " ".join(sys.argv[2:]), "versions": versions, "checkers": reports}
    write_result(output.with_suffix(".json"), result, indent=1)
    made = ", ".join(f"{name} {version}" for name, version in versions.items())
    missing = "; ".join(f"{name} ({reason})" for name, reason in NOT_COMPARED.items())
    text = (
        f"# Scores of the answer checkers\n\n{tables}\n\nNot compared: {missing}.\n\n"
        f"Made by `rise checkers bench` with {made}.\n"
    )
    output.with_suffix(".md").write_text(text, encoding="utf-8")

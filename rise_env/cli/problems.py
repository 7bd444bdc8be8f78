"""`rise problems list | show SET INDEX | audit SET`: lists sets, shows a problem, audits a set for faults."""

import argparse
import json
from collections.abc import Sequence
from dataclasses import asdict
from itertools import combinations
from typing import Any

from rise_env.errors import ConfigError, DataNotFoundError
from rise_env.problems.audit import Overlap, audit_overlap, audit_split
from rise_env.problems.loading import SETS, Loader, find_set, load_problems
from rise_env.types import Problem

_MAX_GENERATED = 2_000
"""The number of problems of a generated split that are audited."""
_SHOWN = 5
"""The largest number of problem ids in a line of an audit."""


def main(argv: Sequence[str]) -> int:
    """Run `rise problems`; return the exit code, 1 where an audit found something wrong."""
    arguments = _parser().parse_args(argv)
    command: int = arguments.run(arguments)
    return command


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("rise problems", description="List, show and audit the problem sets.")
    commands = parser.add_subparsers(required=True, metavar="list | show | audit")
    listing = commands.add_parser("list", help="list every set with its splits and where they are read from")
    show = commands.add_parser("show", help="print one problem")
    show.add_argument("set", help="a set or an environment id, for example GSM8K")
    show.add_argument("index", type=int, help="index of the problem in its split, from 0")
    audit = commands.add_parser(
        "audit", help="look for rejected reference answers, duplicates, overlaps of splits, and changed files"
    )
    audit.add_argument("set", help="a set or an environment id, for example GSM8K")
    for command, run in ((listing, _list), (show, _show), (audit, _audit)):
        command.add_argument(
            "--data_dir", "--data-dir", help="folder of the problem sets; by default $RISE_DATA_DIR"
        )
        command.add_argument("--json", action="store_true", help="print JSON")
        command.set_defaults(run=run)
    for command in (show, audit):
        command.add_argument(
            "--split", help="by default the first split (show), or all that are found (audit)"
        )
        command.add_argument(
            "--dataset", help="a file or hub id of your own that is read in place of the set's"
        )
    return parser


def _settings(arguments: argparse.Namespace, loader: Loader, split: str | None) -> dict[str, Any]:
    given = {"split": split, "data_dir": arguments.data_dir, "dataset": arguments.dataset}
    if not arguments.dataset and "dataset" in loader.settings and not loader.sizes:
        raise ConfigError(f"{loader.name} needs --dataset FILE")
    return {name: value for name, value in given.items() if value is not None and name in loader.settings}


def _list(arguments: argparse.Namespace) -> int:
    rows = [
        {
            "set": name,
            "split": split,
            "problems": size,
            "checker": loader.checker,
            "licence": loader.spec.licence if loader.spec else "",
            "where": loader.location(split, arguments.data_dir),
        }
        for name, loader in SETS.items()
        for split, size in (loader.sizes or {"-": 0}).items()
    ]
    if arguments.json:
        print(json.dumps(rows, indent=2))
        return 0
    width = max(14, *(len(name) + 1 for name in SETS))
    for row in rows:
        size = f"{row['problems']:,}" if row["problems"] else "-"
        print(f"{row['set']:<{width}}{row['split']:<12}{size:>10}  {row['checker']:<10}{row['where']}")
    return 0


def _show(arguments: argparse.Namespace) -> int:
    loader = find_set(arguments.set)
    problems = load_problems(loader.name, **_settings(arguments, loader, arguments.split))
    if not 0 <= arguments.index < len(problems):
        raise ConfigError(
            f"{loader.name} has the problems 0 to {len(problems) - 1}, but INDEX is {arguments.index}"
        )
    problem = asdict(problems[arguments.index])
    del problem["extra"]  # only stores fill it
    if arguments.json:
        print(json.dumps(problem, indent=2, ensure_ascii=False))
        return 0
    for name, value in problem.items():
        if value:
            print(f"{name}: {value}")
    return 0


def _audit(arguments: argparse.Namespace) -> int:
    loader = find_set(arguments.set)
    found, missing = _load_splits(arguments, loader)
    report = audit_set(loader, found, own=bool(arguments.dataset)) | {"missing": missing}
    if arguments.json:
        print(json.dumps(report, indent=2, ensure_ascii=False))
    else:
        print("\n".join(report_lines(report)))
    return 1 if report["wrong"] else 0


def _load_splits(
    arguments: argparse.Namespace, loader: Loader
) -> tuple[dict[str, Sequence[Problem]], dict[str, str]]:
    """Return the problems of each split that can be read, and for each other split why it cannot."""
    if arguments.split or not loader.sizes or arguments.dataset:
        problems = load_problems(loader.name, **_settings(arguments, loader, arguments.split))
        return {arguments.split or problems[0].split: problems}, {}
    found, missing = {}, {}
    for split in loader.sizes:
        if loader.location(split, arguments.data_dir) == "not here":
            missing[split] = "not here"
            continue
        try:
            problems = load_problems(loader.name, **_settings(arguments, loader, split))
        except DataNotFoundError as error:
            missing[split] = str(error)
            continue
        found[split] = problems if loader.spec else problems[:_MAX_GENERATED]
    if not found:
        raise DataNotFoundError(next(iter(missing.values())))
    return found, missing


def audit_set(loader: Loader, found: dict[str, Sequence[Problem]], *, own: bool = False) -> dict[str, Any]:
    """Return the audit of a set as a plain dict; the list `wrong` says in words what is wrong.

    Duplicates with the same answer, shared 13-grams and worked solutions that the checker rejects are
    reported but do not count as wrong: published sets have them.

    Args:
        loader: The set.
        found: Split -> problems.
        own: Whether the data are the user's own, so that there is no published file to compare with.
    """
    from rise_env.registration import get_checker

    spec = None if own else loader.spec
    splits, wrong = {}, []
    for split, problems in found.items():
        checker = get_checker(getattr(problems, "checker", loader.checker))
        audit = audit_split(problems, checker)
        sha256, published = getattr(problems, "sha256", ""), spec.sha256.get(split) if spec else None
        splits[split] = asdict(audit) | {
            "source": problems[0].source,
            "sha256": sha256,
            "revision": getattr(problems, "revision", ""),
            "left_out": getattr(problems, "left_out", 0),
            "as_published": None if published is None else sha256 == published,
        }
        for count, what in (
            (len(audit.golds_rejected), "reference answers that the checker rejects"),
            (len(audit.empty), "empty questions or answers"),
            (len(audit.contradictions), "repeated questions with another answer"),
        ):
            if count:
                wrong.append(f"{split}: {count} {what}")
        if published is not None and sha256 != published and not getattr(problems, "revision", ""):
            wrong.append(
                f"{split}: not the published file (SHA-256 {sha256[:12]}..., not {published[:12]}...)"
            )
    overlaps = []
    for first, second in combinations(found, 2):
        exact, near = audit_overlap(found[first], found[second])
        overlaps.append(asdict(Overlap(first=first, second=second, exact=exact, ngrams=near)))
        if exact and first == "train":
            wrong.append(f"{first}, {second}: {len(exact)} questions are in both")
    return {"set": loader.name, "splits": splits, "overlaps": overlaps, "wrong": wrong}


def report_lines(report: dict[str, Any]) -> list[str]:
    """Return an audit as lines of text."""
    lines = []
    for split, audit in report["splits"].items():
        accepted, solutions = audit["problems"] - len(audit["golds_rejected"]), audit["solutions_rejected"]
        published = {True: "as published", False: "NOT as published", None: "nothing published to compare"}
        lines += [
            f"{report['set']} {split}: {audit['problems']:,} problems from {audit['source']}",
            f"  golds accepted   {accepted:,} of {audit['problems']:,}{_examples(audit['golds_rejected'])}",
            f"  solutions not accepted {len(solutions)}{_examples(solutions)}",
            f"  thousands commas {audit['comma_golds']}",
            f"  empty fields     {len(audit['empty'])}{_examples(audit['empty'])}",
            f"  rows left out    {audit['left_out']}",
            f"  duplicates       {len(audit['duplicates'])}{_examples(audit['duplicates'])}",
            f"  contradictions   {len(audit['contradictions'])}{_examples(audit['contradictions'])}",
            f"  file             {published[audit['as_published']]}",
        ]
    for overlap in report["overlaps"]:
        lines += [
            f"{report['set']} {overlap['first']} and {overlap['second']}",
            f"  same question    {len(overlap['exact'])}{_examples(overlap['exact'])}",
            f"  13 words shared  {len(overlap['ngrams'])}{_examples(overlap['ngrams'])}",
        ]
    lines += [f"{split} was not audited: {why}" for split, why in report.get("missing", {}).items()]
    lines.append("wrong: " + "; ".join(report["wrong"]) if report["wrong"] else "nothing is wrong")
    return lines


def _examples(ids: Sequence[Any]) -> str:
    if not ids:
        return ""
    shown = ", ".join(" = ".join(item) if isinstance(item, tuple | list) else item for item in ids[:_SHOWN])
    return f": {shown}{', ...' if len(ids) > _SHOWN else ''}"

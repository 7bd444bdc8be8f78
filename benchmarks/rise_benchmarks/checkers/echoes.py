r"""Boxes every expression of a question as its answer, and counts how many of these copies are accepted.

    python -m rise_benchmarks.checkers.echoes DATA_DIR [--sets MATH OlympiadBench] [--show 20]

Every formula of a question (`$...$`, `\[...\]`, `\(...\)`) is an answer as it stands and in six other
spellings: in brackets, after `x=`, with `+0`, with `1\cdot`, with `\times` for `\cdot`, with `\left( \right)`
and with spaces. None of them may be correct, unless the reference is that very expression. Every reference,
boxed, must be correct. The command exits with 1 if a copy is paid or a reference is rejected.
"""

import argparse
import json
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from rise_env.checkers import SymbolicChecker
from rise_env.checkers.echo.guard import is_same_expression
from rise_env.checkers.echo.question import read_formula
from rise_env.problems.loading import load_problems
from rise_env.types import Problem

SETS = ("MATH", "OlympiadBench", "MinervaMath", "AMC23", "AIME24")
"""Sets whose questions hold formulas; of each, the split `test` is measured."""
SPELLINGS: dict[str, Callable[[str], str]] = {
    "as it is": lambda text: text,
    "brackets": lambda text: f"({text})",
    "name": lambda text: f"x={text}",
    "plus zero": lambda text: f"{text} +0",  # with a space: 2e+0 would be the number 2
    "times one": lambda text: f"1\\cdot {text}",
    "times sign": lambda text: text.replace("\\cdot", "\\times "),
    "large brackets": lambda text: f"\\left({text}\\right)",
    "spaces": lambda text: re.sub(r"(?<![\\A-Za-z{}])([-+*/=])", r"\\, \1 ", f" {text} "),
}
_FORMULA = re.compile(r"\$\$(.+?)\$\$|\$((?:[^$\\]|\\.)+)\$|\\\((.+?)\\\)|\\\[(.+?)\\\]", re.DOTALL)


class Copy(NamedTuple):
    """A copy of an expression of the question that the checker accepts."""

    problem: str
    spelling: str
    answer: str
    reference: str


def formulas(question: str) -> list[str]:
    """Return the different formulas of a question, without their delimiters and final punctuation."""
    matches = (next(filter(None, match.groups())) for match in _FORMULA.finditer(question))
    found = (formula.strip().rstrip(".,;:?! ") for formula in matches)
    return list(dict.fromkeys(filter(None, found)))


def is_the_reference(formula: str, reference: str) -> bool:
    """Return whether an expression of the question is the reference itself, in some spelling."""
    trees = [read_formula(text) for text in (formula, reference)]
    if trees[0] is None or trees[1] is None:
        return "".join(formula.split()) == "".join(reference.split())
    return is_same_expression(trees[0], trees[1])


def paid_copies(problem: Problem, checker: SymbolicChecker) -> Iterator[Copy]:
    """Yield every copy of an expression of the question that counts as correct."""
    for formula in formulas(problem.question):
        for name, spell in SPELLINGS.items():
            answer = spell(formula)
            result = checker.check(f"\\boxed{{{answer}}}", problem.reference, question=problem.question)
            if result.correct:
                yield Copy(problem.id, name, answer, problem.reference)


def measure(problems: Sequence[Problem]) -> tuple[Counter[str], list[Copy], list[Copy]]:
    """Return counts, the paid copies, and the references that are rejected."""
    checker = SymbolicChecker()
    counts: Counter[str] = Counter(problems=len(problems))
    paid: list[Copy] = []
    rejected: list[Copy] = []
    for problem in problems:
        counts["copies"] += len(SPELLINGS) * len(formulas(problem.question))
        for copy in paid_copies(problem, checker):
            formula = next(
                text for text in formulas(problem.question) if SPELLINGS[copy.spelling](text) == copy.answer
            )
            if is_the_reference(formula, problem.reference):
                counts["copies that are the reference"] += 1
            else:
                paid.append(copy)
        boxed = f"\\boxed{{{problem.reference}}}"
        result = checker.check(boxed, problem.reference, question=problem.question)
        if not result.correct:
            rejected.append(Copy(problem.id, result.method, problem.reference, problem.reference))
    counts["copies paid"], counts["golds rejected"] = len(paid), len(rejected)
    return counts, paid, rejected


def main() -> int:
    """Measure the sets, print the counts, and return 1 if a copy is paid or a reference rejected."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data_dir", type=Path, help="folder with one folder per set")
    parser.add_argument("--sets", nargs="+", default=list(SETS), metavar="SET", help="default: all of them")
    parser.add_argument("--limit", type=int, help="problems of each set (default: all)")
    parser.add_argument("--show", type=int, default=20, help="paid copies to print (default: %(default)s)")
    arguments = parser.parse_args()
    failed = 0
    for name in arguments.sets:
        problems = load_problems(name, split="test", data_dir=arguments.data_dir)
        counts, paid, rejected = measure(problems[: arguments.limit])
        print(json.dumps({"set": name, **counts}))
        for copy in [*paid, *rejected][: arguments.show]:
            print(json.dumps(copy._asdict(), ensure_ascii=False))
        failed += len(paid) + len(rejected)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

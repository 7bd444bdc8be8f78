"""`rise check`: checks one reply and, with `--explain`, shows what every stage made of it."""

import argparse
import sys
from collections.abc import Iterator, Sequence

from rise_env.checkers.api import make_checker
from rise_env.checkers.extraction.final_answer import final_answer, spoken
from rise_env.checkers.parsing.normalize import clean
from rise_env.checkers.parsing.tree import show
from rise_env.checkers.pipeline import read_reference
from rise_env.checkers.policy import Policy
from rise_env.checkers.reading.read_answer import Reading, read
from rise_env.checkers.sandbox.worker_pool import default_service
from rise_env.types import CheckResult, Verdict


def explain(reply: str, reference: str, result: CheckResult, policy: Policy) -> Iterator[str]:
    """Yield one line for each stage of a check."""
    answer = final_answer(reply, extraction=policy.extraction)
    yield f"spoken     {len(spoken(reply))} of {len(reply)} characters"
    yield f"answer     {answer!r}"
    if answer is not None:
        yield f"cleaned    {clean(answer)!r}" if len(answer) <= 2000 else "cleaned    too long to read"
        yield f"read as    {_described(read(answer))}"
    yield f"reference  {reference!r}"
    yield f"read as    {_described(read_reference(reference))}"
    yield f"decided by {result.method} in {1000 * result.seconds:.3f} ms"


def _described(reading: Reading) -> str:
    if reading.node is not None:
        return show(reading.node)
    if reading.moment is not None:
        return " ".join(map(str, reading.moment))
    return "words" if reading.problem == "words" else f"nothing: {reading.problem}"


def main(argv: Sequence[str]) -> int:
    """Run `rise check`: exit code 0 for a correct reply, 1 for every other one."""
    parser = argparse.ArgumentParser(prog="rise check", description=__doc__)
    parser.add_argument("--reply", required=True, help="what the model said; - reads standard input")
    parser.add_argument("--reference", required=True, help="the right answer alone")
    parser.add_argument("--question", help="the problem: an answer that only repeats it is wrong")
    parser.add_argument("--kind", choices=["numeric", "symbolic", "choice", "text"], help="default: symbolic")
    parser.add_argument("--extraction", choices=["boxed", "stated", "last"], default="stated",
                        help="where an answer may stand (default: %(default)s)")  # fmt: skip
    parser.add_argument("--digits", type=int, help="round numbers to so many decimals (default: exact)")
    parser.add_argument("--timeout", type=float, default=1.0, help="seconds (default: %(default)s)")
    parser.add_argument("--explain", action="store_true", help="show every stage")
    arguments = parser.parse_args(argv)
    reply = sys.stdin.read() if arguments.reply == "-" else arguments.reply
    policy = Policy(extraction=arguments.extraction, digits=arguments.digits)
    checker = make_checker(arguments.kind, policy=policy, timeout=arguments.timeout)
    result = checker.check(reply, arguments.reference, question=arguments.question)
    if result.verdict is Verdict.TIMEOUT:  # perhaps it only took long to load sympy
        default_service().warm_up()
        result = checker.check(reply, arguments.reference, question=arguments.question)
    print(result.verdict.value)
    if arguments.explain:
        print("\n".join(explain(reply, arguments.reference, result, policy)))
    return 0 if result.correct else 1

"""`rise check`: checks one reply; `--explain` also shows the result of every stage of the check."""

import argparse
import sys
from collections.abc import Iterator, Sequence

from rise_env.checkers.api import make_checker
from rise_env.checkers.extraction.final_answer import final_answer, visible_text
from rise_env.checkers.limits import MAX_ANSWER_LENGTH
from rise_env.checkers.parsing.normalize import clean
from rise_env.checkers.parsing.tree import show
from rise_env.checkers.policy import Policy
from rise_env.checkers.reading.read_answer import ParsedAnswer, read
from rise_env.checkers.reading.references import read_reference
from rise_env.checkers.sandbox.worker_pool import default_service
from rise_env.types import CheckResult, Verdict


def explain(reply: str, reference: str, result: CheckResult, policy: Policy) -> Iterator[str]:
    """Yield one line for every stage of a check."""
    answer = final_answer(reply, extraction=policy.extraction)
    yield f"visible    {len(visible_text(reply))} of {len(reply)} characters"
    yield f"answer     {answer!r}"
    if answer is not None:
        yield (
            f"cleaned    {clean(answer)!r}"
            if len(answer) <= MAX_ANSWER_LENGTH
            else "cleaned    too long to read"
        )
        yield f"read as    {_described(read(answer))}"
    yield f"reference  {reference!r}"
    yield f"read as    {_described(read_reference(reference))}"
    yield f"decided by {result.method} in {1000 * result.seconds:.3f} ms"


def _described(parsed: ParsedAnswer) -> str:
    if parsed.node is not None:
        return show(parsed.node)
    if parsed.date_time is not None:
        return " ".join(map(str, parsed.date_time))
    return "words" if parsed.problem == "words" else f"nothing: {parsed.problem}"


def main(argv: Sequence[str]) -> int:
    """Run `rise check`; return the exit code, 0 for a correct reply and 1 for every other one."""
    parser = argparse.ArgumentParser(prog="rise check", description=__doc__)
    parser.add_argument(
        "--reply", required=True, help="the text that the model wrote; - reads standard input"
    )
    parser.add_argument("--reference", required=True, help="the right answer alone, without its derivation")
    parser.add_argument(
        "--question", help="the text of the problem; an answer that only repeats an expression of it is wrong"
    )
    parser.add_argument("--kind", choices=["numeric", "symbolic", "choice", "text"],
                        help="the kind of answer, which selects the checker (default: symbolic)")  # fmt: skip
    parser.add_argument("--extraction", choices=["boxed", "stated", "last"], default="stated",
                        help="where in the reply to look for the answer (default: %(default)s)")  # fmt: skip
    parser.add_argument(
        "--digits", type=int, help="decimal places to which numbers are rounded (default: compare exactly)"
    )
    parser.add_argument(
        "--timeout", type=float, default=1.0, help="time limit of the check in seconds (default: %(default)s)"
    )
    parser.add_argument("--explain", action="store_true", help="show the result of every stage")
    arguments = parser.parse_args(argv)
    reply = sys.stdin.read() if arguments.reply == "-" else arguments.reply
    policy = Policy(extraction=arguments.extraction, digits=arguments.digits)
    checker = make_checker(arguments.kind, policy=policy, timeout=arguments.timeout)
    result = checker.check(reply, arguments.reference, question=arguments.question)
    if result.verdict is Verdict.TIMEOUT:  # the first check may have waited for sympy to load
        default_service().warm_up()
        result = checker.check(reply, arguments.reference, question=arguments.question)
    print(result.verdict.value)
    if arguments.explain:
        print("\n".join(explain(reply, arguments.reference, result, policy)))
    return 0 if result.correct else 1

"""The functions most users need: check one reply, compare two answers, make a checker."""

from functools import lru_cache
from time import perf_counter

from rise_env.checkers.base import Checker
from rise_env.checkers.limits import Deadline
from rise_env.checkers.multiple_choice import ChoiceChecker
from rise_env.checkers.numeric import NumericChecker
from rise_env.checkers.pipeline import decide
from rise_env.checkers.policy import DEFAULT, Policy
from rise_env.checkers.sandbox.worker_pool import default_service
from rise_env.checkers.symbolic import Kind, SymbolicChecker
from rise_env.checkers.text import TextChecker
from rise_env.errors import ConfigError
from rise_env.types import CheckResult, Verdict

_KINDS: dict[str, type[NumericChecker | ChoiceChecker | TextChecker]] = {
    "numeric": NumericChecker,
    "choice": ChoiceChecker,
    "text": TextChecker,
}


@lru_cache(maxsize=64)
def make_checker(kind: Kind | None = None, *, policy: Policy = DEFAULT, timeout: float = 1.0) -> Checker:
    """Return the checker of a kind.

    The same arguments return the same object. The symbolic checker caches its verdicts.

    Args:
        kind: "numeric", "choice", "text" or "symbolic"; None is "symbolic", which treats every reference by
            its type.
        policy: Which answers count as the same. Only the symbolic checker uses it.
        timeout: Seconds for one check. Only the symbolic checker uses it.

    Raises:
        ConfigError: There is no such kind, or `timeout` is out of range.
    """
    if kind is None or kind == "symbolic":
        return SymbolicChecker(policy, timeout=timeout)
    if kind not in _KINDS:
        raise ConfigError(f"kind must be one of symbolic, {', '.join(_KINDS)}, got {kind!r}")
    checker: Checker = _KINDS[kind]()
    return checker


def check_answer(
    reply: str,
    reference: str,
    *,
    kind: Kind | None = None,
    timeout: float = 1.0,
    question: str | None = None,
    policy: Policy = DEFAULT,
) -> CheckResult:
    r"""Return whether the final answer of `reply` is `reference`.

    Args:
        reply: The whole text that the model wrote. No text makes this function raise.
        reference: The right final answer, without a solution.
        kind: "numeric", "choice", "text" or "symbolic"; None is "symbolic". See `make_checker`.
        timeout: Seconds. A check that needs more has the verdict TIMEOUT.
        question: The text of the problem. If it is given, an answer that only repeats an expression of it
            is WRONG.
        policy: Which answers count as the same.

    Raises:
        ProblemError: `reference` cannot be read; the message quotes it.
        ConfigError: There is no such kind, or `timeout` is out of range.

    >>> check_answer(r"It is \boxed{x = 0.5}.", r"\frac{1}{2}").verdict
    <Verdict.CORRECT: 'correct'>
    """
    return make_checker(kind, policy=policy, timeout=timeout).check(reply, reference, question=question)


def equivalent(answer: str, reference: str, *, timeout: float = 1.0, policy: Policy = DEFAULT) -> CheckResult:
    r"""Return whether `answer` is `reference`; like `check_answer`, but without extraction.

    >>> equivalent("2x+2", "2(x+1)").correct
    True
    """
    start = perf_counter()
    verdict, method = decide(
        answer,
        reference,
        policy=policy,
        deadline=Deadline(timeout),
        equal_symbolically=default_service().same,
    )
    found = None if verdict is Verdict.NO_ANSWER else answer
    return CheckResult(verdict, found, method, perf_counter() - start)

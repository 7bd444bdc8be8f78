r"""The accurate checker: the same mathematical object as the reference, however it is spelled.

Stages, cheapest first; each either decides or hands on:

    extraction   find the final answer (`extraction.py`)
    spelling     equal once spacing, delimiters and digit groups are unified (`cleaning.py`)
    number       both are plain numbers: exact fractions decide, yes or no
    choice, moment, words
    tree         own parser (`parser.py`), comparison by type (`comparison.py`): exact where rational,
                 by evaluation to many digits elsewhere (`scalars.py`)
    sympy        sums, integrals, limits: worked out in another process, which is killed when it overruns
"""

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from time import perf_counter
from typing import Any, Literal

from rise_env.checkers.base import CheckItem
from rise_env.checkers.extraction.final_answer import final_answer, spoken
from rise_env.checkers.limits import MAX_ANSWER_LENGTH, Deadline
from rise_env.checkers.parsing.tree import Node
from rise_env.checkers.pipeline import decide, read_reference
from rise_env.checkers.policy import DEFAULT, Policy
from rise_env.checkers.sandbox.worker_pool import CheckerService, default_service
from rise_env.errors import ConfigError
from rise_env.types import CheckResult, Verdict

Kind = Literal["numeric", "symbolic", "choice", "text"]
_MAX_VERDICTS = 50_000


class _Deferred(Exception):
    """Symbolic work that waits until the rest of a batch is done."""


class SymbolicChecker:
    r"""Correct when the final answer is the mathematical object that the reference is.

    Args:
        policy: What counts as the same where reasonable people differ.
        timeout: Seconds for one check; a check that needs more is a TIMEOUT.
        service: Whose processes do symbolic work; None shares those of this process.

    >>> SymbolicChecker().check(r"so \boxed{\frac{1}{\sqrt{2}}}", r"\frac{\sqrt{2}}{2}").verdict
    <Verdict.CORRECT: 'correct'>
    """

    def __init__(
        self, policy: Policy = DEFAULT, *, timeout: float = 1.0, service: CheckerService | None = None
    ) -> None:
        if not 0 < timeout <= 3600:
            raise ConfigError(f"timeout must be between 0 and 3600 seconds, got {timeout}")
        self.policy = policy
        self.timeout = timeout
        self._service = service
        self._verdicts: dict[tuple[str, str, str | None], tuple[Verdict, str]] = {}

    def __reduce__(self) -> tuple[Any, ...]:
        # verdicts and processes stay here
        return partial(SymbolicChecker, self.policy, timeout=self.timeout), ()

    def check(self, reply: str, reference: str, *, question: str | None = None) -> CheckResult:
        """Compare the final answer of `reply` with `reference`; see `Checker.check`."""
        return self._check(CheckItem(reply, reference, question), defer=False)

    def check_many(self, items: Iterable[CheckItem]) -> list[CheckResult]:
        """Check a batch; those that need symbolic work are worked out side by side."""
        batch = list(items)
        results: list[CheckResult | None] = []
        for item in batch:
            try:
                results.append(self._check(item, defer=True))
            except _Deferred:
                results.append(None)
        waiting = [item for item, result in zip(batch, results, strict=True) if result is None]
        if waiting:
            with ThreadPoolExecutor(self.service.workers) as pool:
                late = pool.map(lambda item: self._check(item, defer=False), waiting)
                return [result or next(late) for result in results]
        return [result for result in results if result is not None]

    @property
    def service(self) -> CheckerService:
        """The service whose processes do symbolic work."""
        return self._service or default_service()

    def _check(self, item: CheckItem, *, defer: bool) -> CheckResult:
        start = perf_counter()
        reply, reference, question = item
        answer = final_answer(reply, extraction=self.policy.extraction)
        if answer is None:
            read_reference(reference)
            if self.policy.extraction != "boxed" and spoken(reply).strip() == reference.strip():
                return CheckResult(Verdict.CORRECT, reference, "spelling", perf_counter() - start)
            return CheckResult(Verdict.NO_ANSWER, None, "extraction", perf_counter() - start)
        key = answer, reference, question
        verdict, method = self._verdicts.get(key) or self._decide(*key, defer)
        if verdict is Verdict.NO_ANSWER:
            return CheckResult(verdict, None, method, perf_counter() - start)
        return CheckResult(verdict, answer, method, perf_counter() - start)

    def _decide(self, answer: str, reference: str, question: str | None, defer: bool) -> tuple[Verdict, str]:
        decided = decide(
            answer,
            reference,
            policy=self.policy,
            deadline=Deadline(self.timeout),
            question=question,
            work_out=_defer if defer else self._work_out,
        )
        # a timeout may be the machine's fault, and long answers are rare: neither is remembered
        if decided[0] is not Verdict.TIMEOUT and len(answer) <= MAX_ANSWER_LENGTH:
            if len(self._verdicts) >= _MAX_VERDICTS:
                self._verdicts.clear()
            self._verdicts[answer, reference, question] = decided
        return decided

    def _work_out(self, gold: Node, answer: Node, deadline: Deadline) -> bool:
        return self.service.same(gold, answer, deadline)


def _defer(gold: Node, answer: Node, deadline: Deadline) -> bool:
    raise _Deferred

r"""The general checker: accepts every spelling of the mathematical object that the reference is.

A check runs these stages, the cheapest first, until one decides. `CheckResult.method` names that stage.

    extraction   finds the final answer of the reply (`extraction/final_answer.py`)
    spelling     accepts texts that are equal once spaces, delimiters and digit groups are unified
                 (`parsing/normalize.py`)
    number       compares two plain numbers as exact fractions (`reading/read_answer.py`)
    choice, date, words
                 compare answers that are no formulas (`multiple_choice.py`, `reading/`)
    tree         parses both answers and compares them by type (`parsing/parser.py`,
                 `equivalence/compare.py`): exactly if they are rational, and if not, by evaluating them to
                 many digits (`equivalence/scalars.py`)

Sums, integrals and limits that the last stage cannot evaluate go to sympy in a worker process (`sandbox/`),
which is killed if it takes too long.
"""

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from time import perf_counter
from typing import Any, Literal

from rise_env.checkers.base import CheckItem
from rise_env.checkers.extraction.final_answer import final_answer, visible_text
from rise_env.checkers.limits import MAX_ANSWER_LENGTH, Deadline
from rise_env.checkers.parsing.tree import Node
from rise_env.checkers.pipeline import decide
from rise_env.checkers.policy import DEFAULT, Policy
from rise_env.checkers.reading.references import read_reference
from rise_env.checkers.sandbox.worker_pool import CheckerService, default_service
from rise_env.checkers.sized_cache import SizedCache
from rise_env.errors import ConfigError
from rise_env.types import CheckResult, Verdict

Kind = Literal["numeric", "symbolic", "choice", "text"]
_CACHE_BYTES = 32 << 20
"""Bytes of the verdicts that one checker keeps, with their texts."""


class _Deferred(Exception):
    """The check needs a worker process, so `check_many` runs it after the others of its batch."""


class SymbolicChecker:
    r"""Correct when the final answer is the mathematical object that the reference is.

    Args:
        policy: Which answers count as the same.
        timeout: Seconds of CPU time for one check, here and in the worker process. A check that needs more
            has the verdict TIMEOUT. Time in which sympy is loaded, or other processes run, does not count.
        service: The worker processes that run sympy; None is the service that this process shares.

    Raises:
        ConfigError: `timeout` is out of range.

    >>> SymbolicChecker().check(r"so \boxed{\frac{1}{\sqrt{2}}}", r"\frac{\sqrt{2}}{2}").verdict
    <Verdict.CORRECT: 'correct'>
    """

    def __init__(
        self, policy: Policy = DEFAULT, *, timeout: float = 1.0, service: CheckerService | None = None
    ) -> None:
        if not 0 < timeout <= 3600:
            raise ConfigError(f"timeout must be more than 0 and at most 3600 seconds, got {timeout}")
        self.policy = policy
        self.timeout = timeout
        self._service = service
        self._verdicts: SizedCache[tuple[str, str, str | None], tuple[Verdict, str]] = SizedCache(
            _CACHE_BYTES
        )

    def __reduce__(self) -> tuple[Any, ...]:
        # a copy in another process starts with an empty cache and the worker processes of that process
        return partial(SymbolicChecker, self.policy, timeout=self.timeout), ()

    def check(self, reply: str, reference: str, *, question: str | None = None) -> CheckResult:
        """Compare the final answer of `reply` with `reference`; see `Checker.check`."""
        return self._check(CheckItem(reply, reference, question), defer=False)

    def check_many(self, items: Iterable[CheckItem]) -> list[CheckResult]:
        """Return the result of every item, in order; checks that need sympy run concurrently."""
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
                deferred = pool.map(lambda item: self._check(item, defer=False), waiting)
                return [result or next(deferred) for result in results]
        return [result for result in results if result is not None]

    def prepare(self) -> None:
        """Start to load sympy in a worker process, and do not wait for it. Environments call this first."""
        self.service.start()

    @property
    def service(self) -> CheckerService:
        """The service whose worker processes run sympy."""
        return self._service or default_service()

    def _check(self, item: CheckItem, *, defer: bool) -> CheckResult:
        start = perf_counter()
        reply, reference, question = item
        answer = final_answer(reply, extraction=self.policy.extraction)
        if answer is None:
            read_reference(reference)
            if self.policy.extraction != "boxed" and visible_text(reply).strip() == reference.strip():
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
            equal_symbolically=_defer_to_batch if defer else self._equal_in_worker,
        )
        # Not cached: a timeout, because the machine may have been busy, and long answers, which fill memory.
        if decided[0] is not Verdict.TIMEOUT and len(answer) <= MAX_ANSWER_LENGTH:
            size = 400 + len(answer) + len(reference) + len(question or "")
            self._verdicts.put((answer, reference, question), decided, size)
        return decided

    def _equal_in_worker(self, reference: Node, answer: Node, deadline: Deadline) -> bool:
        return self.service.same(reference, answer, deadline)


def _defer_to_batch(reference: Node, answer: Node, deadline: Deadline) -> bool:
    raise _Deferred

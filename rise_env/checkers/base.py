"""What every checker offers: a reply and a reference in, a `CheckResult` out."""

from collections.abc import Iterable
from typing import NamedTuple, Protocol, runtime_checkable

from rise_env.types import CheckResult


class CheckItem(NamedTuple):
    """One reply to check, for batches."""

    reply: str
    reference: str
    question: str | None = None


@runtime_checkable
class Checker(Protocol):
    """Decides whether a reply gives the reference answer. Safe to share between threads."""

    def check(self, reply: str, reference: str, *, question: str | None = None) -> CheckResult:
        """Compare the final answer of `reply` with `reference`.

        Args:
            reply: Everything that the model said. Nothing it can say makes this raise.
            reference: The final answer alone.
            question: The problem as posed; lets a checker refuse answers that only repeat it.

        Raises:
            ProblemError: Nobody can read `reference`; the message quotes it.
        """
        ...


def check_many(checker: Checker, items: Iterable[CheckItem]) -> list[CheckResult]:
    """Check a batch, in order; uses the checker's own `check_many` where it has one."""
    own = getattr(checker, "check_many", None)
    if own is not None:
        results: list[CheckResult] = own(items)
        return results
    return [checker.check(item.reply, item.reference, question=item.question) for item in items]

"""The protocol of all checkers: they compare a reply with a reference and return a `CheckResult`."""

from collections.abc import Iterable
from typing import Any, NamedTuple, Protocol, runtime_checkable

from rise_env.errors import ConfigError
from rise_env.types import CheckResult


class CheckItem(NamedTuple):
    """One reply to check; the input of `check_many`."""

    reply: str
    reference: str
    question: str | None = None


@runtime_checkable
class Checker(Protocol):
    """Decides whether a reply gives the reference answer. Threads may share one checker."""

    def check(self, reply: str, reference: str, *, question: str | None = None) -> CheckResult:
        """Compare the final answer of `reply` with `reference`.

        Args:
            reply: The whole text that the model wrote. No text makes this method raise.
            reference: The right final answer, without a solution.
            question: The text of the problem. A checker may refuse answers that only repeat it.

        Raises:
            ProblemError: `reference` cannot be read; the message quotes it.
        """
        ...


def prepare(checker: Checker) -> None:
    """Let a checker that has a method `prepare` load in the background what its checks may need."""
    own = getattr(checker, "prepare", None)
    if own is not None:
        own()


def require_checker(value: Any) -> Checker:
    """Return `value`.

    Raises:
        ConfigError: It has no method `check`.
    """
    if isinstance(value, type) or not isinstance(value, Checker):
        raise ConfigError(f"a checker has a method check(reply, reference, *, question), got {value!r}")
    return value


def check_many(checker: Checker, items: Iterable[CheckItem]) -> list[CheckResult]:
    """Return the result of every item, in order; uses the checker's own `check_many` if it has one."""
    own = getattr(checker, "check_many", None)
    if own is not None:
        results: list[CheckResult] = own(items)
        return results
    return [checker.check(item.reply, item.reference, question=item.question) for item in items]

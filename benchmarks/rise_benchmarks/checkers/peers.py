"""The checkers that `rise checkers bench` compares: our own, and peers from other libraries."""

import importlib.util
from collections.abc import Callable

from rise_env.errors import ConfigError
from rise_env.utils.extras import missing_library

Peer = Callable[[str, str], tuple[bool, str]]
"""Takes a reply and a reference; returns whether the reply is accepted, and a verdict or an empty text."""
NAMES = ("rise", "rise-boxed", "math-verify")
"""Our checker; our checker with `extraction="boxed"`; Math-Verify, called as its README shows."""


def installed() -> list[str]:
    """Return the names of the checkers whose libraries are installed."""
    found = importlib.util.find_spec("math_verify") is not None
    return ["rise", "math-verify"] if found else ["rise"]


def load(name: str) -> Peer:
    """Return the checker of a name.

    Raises:
        ConfigError: There is no such checker.
        MissingDependencyError: Its library is not installed.
    """
    if name in {"rise", "rise-boxed"}:
        from rise_env.checkers import Policy, SymbolicChecker

        checker = SymbolicChecker(Policy(extraction="stated" if name == "rise" else "boxed"))

        def check_with_rise(reply: str, reference: str) -> tuple[bool, str]:
            result = checker.check(reply, reference)
            return result.correct, result.verdict.value

        return check_with_rise
    if name == "math-verify":
        try:
            from math_verify import parse, verify
        except ImportError:
            raise missing_library("math_verify", "the comparison") from None

        def check_with_math_verify(reply: str, reference: str) -> tuple[bool, str]:
            # its README shows references between dollar signs
            formula = reference if "$" in reference or "\\boxed" in reference else f"${reference}$"
            return bool(verify(parse(formula), parse(reply))), ""

        return check_with_math_verify
    raise ConfigError(f"no checker {name!r}; there are: {', '.join(NAMES)}")

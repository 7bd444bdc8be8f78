"""The checkers that `rise checkers bench` compares. Each takes a reply and a reference and says yes or no."""

import importlib.util
from collections.abc import Callable

from rise_env.errors import ConfigError, MissingDependencyError

Contestant = Callable[[str, str], tuple[bool, str]]
NAMES = ("rise", "rise-boxed", "math-verify")
"""Ours; ours where only a box counts; Math-Verify as its README shows it (`pip install rise-env[bench]`)."""


def installed() -> list[str]:
    """Return the names of the contestants that can run here."""
    found = importlib.util.find_spec("math_verify") is not None
    return ["rise", "math-verify"] if found else ["rise"]


def load(name: str) -> Contestant:
    """Return one contestant.

    Raises:
        ConfigError: There is none of this name.
        MissingDependencyError: Its library is not installed.
    """
    if name in {"rise", "rise-boxed"}:
        from rise_env.checkers import Policy, SymbolicChecker

        checker = SymbolicChecker(Policy(extraction="stated" if name == "rise" else "boxed"))

        def ours(reply: str, reference: str) -> tuple[bool, str]:
            result = checker.check(reply, reference)
            return result.correct, result.verdict.value

        return ours
    if name == "math-verify":
        try:
            from math_verify import parse, verify
        except ImportError:
            raise MissingDependencyError("math-verify is missing: pip install 'rise-env[bench]'") from None

        def theirs(reply: str, reference: str) -> tuple[bool, str]:
            # a reference in dollars is what its README shows
            gold = reference if "$" in reference or "\\boxed" in reference else f"${reference}$"
            return bool(verify(parse(gold), parse(reply))), ""

        return theirs
    raise ConfigError(f"no checker {name!r}; there are: {', '.join(NAMES)}")

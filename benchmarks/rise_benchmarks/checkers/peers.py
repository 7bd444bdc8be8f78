"""The checkers that `rise checkers bench` compares: our own and those of other libraries.

A checker that does not look for the answer in a reply gets the content of the last box of the reply.
"""

import importlib.util
from collections.abc import Callable
from typing import Protocol, cast

from rise_env.checkers import Policy, check_answer, last_boxed
from rise_env.checkers.symbolic import Kind
from rise_env.errors import ConfigError, MissingDependencyError
from rise_env.utils.extras import install_hint


class Peer(Protocol):
    """Takes a reply and a reference; returns whether the reply is accepted, and a verdict or an empty string.

    Only our checker uses `kind`, the name of the checker that the environment of the case has, and
    `question`, the text of the problem.
    """

    def __call__(  # noqa: D102
        self, reply: str, reference: str, kind: str | None = None, question: str | None = None
    ) -> tuple[bool, str]: ...


_PACKAGES = {
    "math-verify": "math_verify",
    "mathruler": "mathruler",
    "verl-math": "verl",
    "verl-dapo": "verl",
    "verl-prime": "verl",
}
"""Name of a checker -> the package that it needs."""
NAMES = ("rise", "rise-boxed", *_PACKAGES)
"""Our checker; our checker with `extraction="boxed"`; Math-Verify as its README shows; mathruler, which has
the grader of PRM800K; verl's `math_reward`, `math_dapo` and `prime_math`."""
NOT_COMPARED = {
    "NeMo-Skills": "no package on the Python package index",
    "Qwen2.5-Math": "no package on the Python package index",
    "OpenCompass": "its package imports all of its data sets, whose dependencies did not install beside ours",
}
"""Other graders, and why they are not among the peers."""


def installed() -> list[str]:
    """Return the names of the checkers whose libraries are installed."""
    found = [name for name, package in _PACKAGES.items() if importlib.util.find_spec(package) is not None]
    return ["rise", *found]


def load(name: str) -> Peer:
    """Return the checker with a name.

    Raises:
        ConfigError: There is no checker with this name.
        MissingDependencyError: The library of the checker is not installed.
    """
    if name not in NAMES:
        raise ConfigError(f"no checker {name!r}; there are: {', '.join(NAMES)}")
    if name in {"rise", "rise-boxed"}:
        return _rise(Policy(extraction="stated" if name == "rise" else "boxed"))
    try:
        return {
            "math-verify": _math_verify,
            "mathruler": _mathruler,
            "verl-math": _verl_math,
            "verl-dapo": _verl_dapo,
            "verl-prime": _verl_prime,
        }[name]()
    except ImportError as error:
        hint = install_hint("bench") if name == "math-verify" else f"pip install {_PACKAGES[name]}"
        raise MissingDependencyError(f"{name} is missing: {hint} ({error})") from None


def _rise(policy: Policy) -> Peer:
    def check(
        reply: str, reference: str, kind: str | None = None, question: str | None = None
    ) -> tuple[bool, str]:
        result = check_answer(reply, reference, kind=cast(Kind, kind), question=question, policy=policy)
        return result.correct, result.verdict.value

    return check


def _of_two(grade: Callable[[str, str], bool]) -> Peer:
    """Return a peer that needs only the reply and the reference."""

    def check(
        reply: str, reference: str, kind: str | None = None, question: str | None = None
    ) -> tuple[bool, str]:
        return grade(reply, reference), ""

    return check


def _math_verify() -> Peer:
    from math_verify import parse, verify

    def grade(reply: str, reference: str) -> bool:
        # its README shows references between dollar signs
        formula = reference if "$" in reference or "\\boxed" in reference else f"${reference}$"
        return bool(verify(parse(formula), parse(reply)))

    return _of_two(grade)


def _mathruler() -> Peer:
    from mathruler.grader import grade_answer

    return _of_two(lambda reply, reference: bool(grade_answer(last_boxed(reply) or "", reference)))


def _verl_math() -> Peer:
    from verl.utils.reward_score.math_reward import compute_score

    return _of_two(lambda reply, reference: compute_score(reply, reference) > 0)


def _verl_dapo() -> Peer:
    from verl.utils.reward_score.math_dapo import compute_score

    return _of_two(
        lambda reply, reference: bool(
            compute_score(reply, reference, strict_box_verify="box" in reply)["acc"]
        )
    )


def _verl_prime() -> Peer:
    from verl.utils.reward_score.prime_math import compute_score

    return _of_two(lambda reply, reference: bool(compute_score(reply, reference)[0]))

"""No nesting of an answer or a reference raises, whatever the stack of the caller."""

import contextlib
from collections.abc import Callable
from typing import TypeVar

import pytest

from rise_env.checkers import NumericChecker, SymbolicChecker, TextChecker, equivalent
from rise_env.checkers.parsing import vocabulary
from rise_env.checkers.parsing.parser import parse
from rise_env.checkers.parsing.tree import depth
from rise_env.errors import ProblemError
from rise_env.types import CheckResult, Verdict

Result = TypeVar("Result")
PUNCTUATION = (
    r"+ - * / ^ _ = < > ( ) [ ] { } \{ \} | ! % , ; : . & ' ~ ? $ ** // -> ... 1/ 2^ ^2 ^x **2 /2 2- x_"
).split()
COMMANDS = (
    r"\left( \right) \frac \frac1 \frac{1}{ \dfrac{1}2 \sqrt{ \sqrt[3] \sqrt[ \log_2 \log_{ \binom2 \sin^2 "
    r"\sin- ^{2} ^{ _{2} 2^{ ^\circ \% \text{ \mathrm{a} \boxed{ \fbox{ \overline \overline{ \prod \int "
    r"\sum_{k=1}^{2} \int_0^1 \lim_{x\to0} \begin{pmatrix} \begin{cases} \end{pmatrix} \lfloor \lvert "
    r"\langle |x| f( f(x) \mathbb{R} \color{red}{ x! 5\% 1,2 (1, \{1, -- \pm1 \cup\{1\} :2 x= <x 2\, \\ "
    r"1\cdot 1^ \( \[ #### <think> </think> <answer> half million percent cm/s and or not √ ² ½ − 元 ° π"
).split()
TOKENS = sorted(
    {
        *PUNCTUATION,
        *COMMANDS,
        *(f"\\{name} " for name in vocabulary.FUNCTIONS),
        *(f"{name}(" for name in vocabulary.FUNCTIONS),
        *(f"\\{name} " for name in vocabulary.OPERATORS),
        *(f"\\{name}{{" for name in vocabulary.STYLES | vocabulary.ACCENTS),
        *(f"\\{name} " for name in vocabulary.STYLES | vocabulary.ACCENTS | set(vocabulary.NAMES)),
        *(f"{name} " for name in vocabulary.WORDS),
    }
)
SHAPES = {"before": "{tokens}{last}", "after": "{last}{tokens}", "between": "{last}{tokens}{last}"}


def at_depth(frames: int, function: Callable[[], Result]) -> Result:
    """Call `function` with so many more frames on the stack."""
    return function() if frames == 0 else at_depth(frames - 1, function)


@pytest.mark.parametrize("frames", [0, 500, 800])
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("count", [50, 300])
def test_every_token_may_be_repeated(frames: int, shape: str, count: int) -> None:
    checkers = SymbolicChecker(timeout=0.2), NumericChecker(), TextChecker()

    def check(answer: str) -> None:
        for checker in checkers:
            assert isinstance(checker.check(f"\\boxed{{{answer}}}", "2"), CheckResult)
        assert isinstance(checkers[0].check(answer, r"\sqrt{2}"), CheckResult)

    for token in TOKENS:
        # the number differs between the tests, so that no test finds a text in a cache
        answer = SHAPES[shape].format(tokens=token * count, last=frames + count)
        at_depth(frames, lambda answer=answer: check(answer))  # type: ignore[misc]


@pytest.mark.parametrize("frames", [0, 500, 800])
def test_every_token_may_be_repeated_in_a_reference(frames: int) -> None:
    checker = SymbolicChecker(timeout=0.2)

    def check(reference: str) -> None:
        with contextlib.suppress(ProblemError):
            checker.check("\\boxed{2}", reference)

    for token in TOKENS:
        at_depth(frames, lambda token=token: check(f"{token * 299}{frames + 7}"))  # type: ignore[misc]


@pytest.mark.parametrize("frames", [0, 500, 800])
@pytest.mark.parametrize(
    ("answer", "verdict"),
    [
        (r"\sqrt{" * 45 + "{0}" + "}" * 45, Verdict.WRONG),
        (r"\sqrt" * 100 + "{0}", Verdict.WRONG),
        (r"\frac{1}{1+" * 40 + "{0}" + "}" * 40, Verdict.WRONG),
        ("(" * 60 + "{0}" + ")" * 60, Verdict.WRONG),
        (r"\sqrt" * 300 + "{0}", Verdict.UNREADABLE),
        ("2^" * 300 + "{0}", Verdict.UNREADABLE),
        ("{0}" + "^{2}" * 300, Verdict.UNREADABLE),
        ("{0}" + "/2" * 300, Verdict.UNREADABLE),
    ],
    ids=["roots", "bare roots", "fractions", "brackets", "300 roots", "powers", "exponents", "slashes"],
)  # fmt: skip
def test_a_verdict_does_not_depend_on_the_stack_of_the_caller(
    frames: int, answer: str, verdict: Verdict
) -> None:
    text = answer.replace("{0}", str(frames + 3))
    assert at_depth(frames, lambda: equivalent(text, r"\sqrt{2}")).verdict is verdict


def test_a_deep_reference_is_quoted() -> None:
    with pytest.raises(ProblemError, match=r"sqrt.*cannot be read: nested too deeply"):
        SymbolicChecker().check("2", r"\sqrt" * 300 + "2")


def test_the_levels_of_a_tree_are_counted() -> None:
    assert [depth(parse(text)) for text in ("2", "x+1", "x/2/2")] == [1, 2, 3]

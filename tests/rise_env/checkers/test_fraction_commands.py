r"""All commands that write a fraction mean the same, wherever they stand."""

import pytest

from rise_env.checkers import NumericChecker, check_answer, equivalent
from rise_env.checkers.parsing.normalize import clean
from rise_env.checkers.parsing.parser import parse
from rise_env.checkers.parsing.vocabulary import FRACTIONS
from rise_env.checkers.reading.math_normalizer import normalized
from rise_env.checkers.reading.read_answer import read
from rise_env.types import Verdict

PLACES = [
    pytest.param(r"\{}{{1}}{{2}}", id="alone"),
    pytest.param(r"\{}12", id="without braces"),
    pytest.param(r"\{} 1 2", id="with spaces for braces"),
    pytest.param(r"\{}1{{72}}", id="with one brace"),
    pytest.param(r"-3\{}{{1}}{{2}}", id="mixed number"),
    pytest.param(r"2\{}{{3}}{{2}}", id="factor"),
    pytest.param(r"\cos x\{}{{1}}{{2}}", id="behind a function"),
    pytest.param(r"\ln\{} x2", id="argument of a function"),
    pytest.param(r"x^\{}{{1}}{{2}}", id="exponent"),
    pytest.param(r"\{}{{\{}{{x}}{{2}}}}{{3}}", id="nested"),
    pytest.param(r"\text{{\{}{{1}}{{2}}}}", id="in text"),
]


@pytest.mark.parametrize("command", sorted(FRACTIONS))
@pytest.mark.parametrize("place", PLACES)
def test_all_fraction_commands_are_read_alike(command: str, place: str) -> None:
    text, plain = place.format(command, command), place.format("frac", "frac")
    assert parse(clean(text)) == parse(clean(plain))
    assert read(text) == read(plain)
    assert check_answer(f"\\boxed{{{text}}}", plain).correct
    assert check_answer(f"\\boxed{{{plain}}}", text).correct


@pytest.mark.parametrize("command", sorted(FRACTIONS))
def test_all_fraction_commands_are_numbers(command: str) -> None:
    assert read(f"\\{command}{{-1}}{{2}}").literal is not None
    assert NumericChecker().check(f"\\boxed{{\\{command}{{1}}{{4}}}}", "0.25").correct
    assert not equivalent(f"\\{command}{{1}}{{3}}", "0.25").correct


@pytest.mark.parametrize("command", ["frac", "dfrac", "tfrac"])  # those that Hendrycks' code knows
def test_the_normal_form_of_math_knows_its_own_fraction_commands(command: str) -> None:
    assert normalized(f"\\{command}{{1}}{{2}}") == normalized(f"\\{command}12") == r"\frac{1}{2}"


@pytest.mark.parametrize("command", sorted(FRACTIONS))
@pytest.mark.parametrize("other", sorted(FRACTIONS))
def test_an_answer_repeats_the_question_with_any_fraction_command(command: str, other: str) -> None:
    reply = f"\\boxed{{\\{command}{{6}}{{8}} + \\{command} a b}}"
    question = f"Simplify $\\{other}{{6}}{{8}} + \\{other} a b$."
    assert check_answer(reply, r"\frac{3}{4} + \frac{a}{b}").correct
    assert check_answer(reply, r"\frac{3}{4} + \frac{a}{b}", question=question).verdict is Verdict.WRONG


@pytest.mark.parametrize("text", [r"\fraction{1}{2}", r"\dfracs12", r"\nofrac{1}{2}"])
def test_a_command_whose_name_only_resembles_one_is_refused(text: str) -> None:
    assert read(text).node is None

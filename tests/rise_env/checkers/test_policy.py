import pytest

from rise_env.checkers import Policy, check_answer, equivalent
from rise_env.errors import ConfigError
from rise_env.types import Verdict


def test_numbers_are_compared_exactly_unless_digits_are_given() -> None:
    assert not equivalent("0.333", r"\frac{1}{3}").correct
    assert equivalent("0.333", r"\frac{1}{3}", policy=Policy(digits=3)).correct
    assert equivalent("1.41", r"\sqrt{2}", policy=Policy(digits=2)).correct
    assert not equivalent("1.42", r"\sqrt{2}", policy=Policy(digits=2)).correct
    assert equivalent("-0.67", "-2/3", policy=Policy(digits=2)).correct


def test_the_order_of_lists_counts_only_where_asked_for() -> None:
    assert equivalent("2, 1", "1, 2").correct
    assert not equivalent("2, 1", "1, 2", policy=Policy(list_order=True)).correct
    assert equivalent("1, 2", "1,2", policy=Policy(list_order=True)).correct


def test_the_order_of_tuples_counts_unless_told_otherwise() -> None:
    assert not equivalent("(2,1)", "(1,2)").correct
    assert equivalent("(2,1)", "(1,2)", policy=Policy(tuple_order=False)).correct
    assert not equivalent("(2,1]", "(1,2]", policy=Policy(tuple_order=False)).correct


def test_a_percentage_equals_its_bare_figure_unless_only_values_count() -> None:
    assert equivalent("25", r"25\%").correct
    assert not equivalent("25", r"25\%", policy=Policy(percent="value")).correct
    assert equivalent("0.25", r"25\%", policy=Policy(percent="value")).correct


def test_units_are_optional_ignored_or_required() -> None:
    assert equivalent("12", r"12\text{ cm}").correct
    assert not equivalent("12 kg", r"12\text{ cm}").correct
    assert equivalent("12 kg", r"12\text{ cm}", policy=Policy(units="ignored")).correct
    assert not equivalent("12", r"12\text{ cm}", policy=Policy(units="required")).correct
    assert equivalent("12 cm", r"12\text{ cm}", policy=Policy(units="required")).correct


def test_an_equation_is_the_value_it_gives_unless_told_otherwise() -> None:
    assert equivalent("x=5", "5").correct
    assert not equivalent("x=5", "5", policy=Policy(equation_as_value=False)).correct


def test_digits_out_of_range_are_refused() -> None:
    with pytest.raises(ConfigError, match="digits must be between"):
        Policy(digits=-1)


@pytest.mark.parametrize(
    ("question", "verdict"),
    [(None, Verdict.CORRECT), (r"What is $17 \cdot 23$?", Verdict.WRONG), ("What is 391?", Verdict.CORRECT)],
)
def test_an_answer_that_only_repeats_the_question_does_not_count(
    question: str | None, verdict: Verdict
) -> None:
    assert check_answer(r"\boxed{17 \cdot 23}", "391", question=question).verdict is verdict


def test_a_number_of_the_question_may_be_its_answer() -> None:
    assert check_answer(r"\boxed{17}", "17", question="Is 17 or 18 prime?").correct


@pytest.mark.parametrize("timeout", [0, -1, 1e9])
def test_a_timeout_out_of_range_is_refused(timeout: float) -> None:
    with pytest.raises(ConfigError, match="timeout must be"):
        check_answer(r"\boxed{1}", "1", timeout=timeout)


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(ConfigError, match="kind must be one of"):
        check_answer(r"\boxed{1}", "1", kind="magic")  # type: ignore[arg-type]

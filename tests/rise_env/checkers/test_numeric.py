import pytest

from rise_env.checkers import NumericChecker
from rise_env.errors import ProblemError
from rise_env.types import Verdict

CORRECT, WRONG = Verdict.CORRECT, Verdict.WRONG


@pytest.mark.parametrize(
    ("reply", "reference", "verdict"),
    [
        pytest.param(r"\boxed{18}", "18", CORRECT, id="plain"),
        pytest.param(r"\boxed{18.0}", "18", CORRECT, id="decimal"),
        pytest.param(r"\boxed{18.}", "18", CORRECT, id="trailing point"),
        pytest.param(r"\boxed{\$18}", "18", CORRECT, id="currency"),
        pytest.param(r"\boxed{$18}", "18", CORRECT, id="bare currency"),
        pytest.param(r"\boxed{1,800}", "1800", CORRECT, id="comma"),
        pytest.param(r"\boxed{2125}", "2,125", CORRECT, id="comma in the reference"),
        pytest.param(r"\boxed{2}", "2,125", WRONG, id="first group of the reference"),
        pytest.param(r"\boxed{1,8000}", "18000", Verdict.UNREADABLE, id="bad grouping"),
        pytest.param(r"\boxed{18 \text{ apples}}", "18", CORRECT, id="unit in braces"),
        pytest.param(r"\boxed{18 apples}", "18", CORRECT, id="unit"),
        pytest.param(r"\boxed{18x}", "18", Verdict.UNREADABLE, id="variable"),
        pytest.param(r"\boxed{60\%}", "60", CORRECT, id="percent sign added"),
        pytest.param(r"\boxed{0.6}", "60", WRONG, id="no percent sign anywhere"),
        pytest.param(r"\boxed{0.6}", r"60\%", CORRECT, id="percentage as a value"),
        pytest.param(r"\boxed{-3}", "3", WRONG, id="sign"),
        pytest.param("Answer: \\boxed{2025}", "2020", WRONG, id="within one percent"),
        pytest.param(r"\boxed{7-4}", "-4", Verdict.UNREADABLE, id="difference"),
        pytest.param(r"\boxed{0.33}", "1/3", WRONG, id="rounded"),
        pytest.param(r"\boxed{\frac{2}{6}}", "1/3", CORRECT, id="unreduced"),
        pytest.param(r"\boxed{18 or more}", "18", Verdict.UNREADABLE, id="hedge"),
        pytest.param(r"\boxed{18 million}", "18", WRONG, id="scale"),
        pytest.param(r"\boxed{18 million}", "18000000", CORRECT, id="scale counted"),
        pytest.param(r"\boxed{0.25\%}", "0.25", WRONG, id="percentage of a share"),
        pytest.param(r"\boxed{x = 18}", "18", CORRECT, id="named"),
        pytest.param(r"\boxed{1/0}", "1", Verdict.UNREADABLE, id="division by zero"),
        pytest.param("#### 18 no, #### 20", "20", CORRECT, id="last of two markers"),
        pytest.param("#### 18 no, #### 20", "18", WRONG, id="first of two markers"),
        pytest.param(r"\boxed{18}, \boxed{20}", "20", Verdict.UNREADABLE, id="two boxes as a list"),
        pytest.param(r"<think>\boxed{18}</think>", "18", Verdict.NO_ANSWER, id="thinking"),
        pytest.param(r"<think>so \boxed{18}", "18", Verdict.NO_ANSWER, id="unclosed thinking"),
        pytest.param("just 18", "18", Verdict.NO_ANSWER, id="no marker"),
        pytest.param("\\boxed{" + "9" * 5000 + "}", "9", Verdict.UNREADABLE, id="5000 digits"),
        pytest.param(r"\boxed{1e999999999}", "9", Verdict.UNREADABLE, id="huge exponent"),
    ],
)
def test_a_number_counts_when_it_equals_the_reference_exactly(
    reply: str, reference: str, verdict: Verdict
) -> None:
    assert NumericChecker().check(reply, reference).verdict is verdict


@pytest.mark.parametrize("reference", ["", "x", r"\frac{1}{0}", "1, 2", "None"])
def test_a_reference_that_is_no_number_is_an_error_that_quotes_it(reference: str) -> None:
    with pytest.raises(ProblemError, match="is not a number"):
        NumericChecker().check(r"\boxed{1}", reference)

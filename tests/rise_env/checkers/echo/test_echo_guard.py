r"""With the question at hand, a copy of one of its expressions does not count, however it is spelled."""

import pytest

from rise_env.checkers import check_answer
from rise_env.checkers.echo.canonical import canonical
from rise_env.checkers.echo.guard import undone
from rise_env.checkers.echo.question import expressions
from rise_env.checkers.parsing.parser import parse
from rise_env.types import Verdict

QUESTIONS = {  # expression of the question: reference
    r"i^5+i^{-25}+i^{45}": "i",
    r"\sqrt{144}": "12",
    r"17\cdot 23": "391",
    r"\binom{15}{10}": "3003",
    r"102^2 - 98^2": "800",
    r"\lfloor6.7\rfloor+\lfloor-6.7\rfloor": "-1",
    r"\frac{10! + 11! + 12!}{10! + 11!}": "12",
    r"\frac{3}{\sqrt{27}}": r"\frac{\sqrt3}{3}",
    r"(q-5)(3r+6)": "3qr+6q-15r-30",
    r"(2x+5)-(-3x+8)": "5x-3",
    r"\sin 600^\circ": r"-\frac{\sqrt{3}}{2}",
    r"\log_{\sqrt8}(64\sqrt{8})": "5",
    r"\frac{84}{144}": r"\frac{7}{12}",
    r"0.\overline{42}": r"\frac{14}{33}",
    r"\gcd(12,18)": "6",
    r"2x+3=7": "4x-8=0",
    r"x^2+2x+1": "(x+1)^2",
    r"(7^{-1})^{-1}": "7",
    r"((1\cdot2)+3)\cdot(9\cdot0)": "0",
    r"5^5\div5^4-5^3+5^2\cdot5^1": "5",
    r"(-5)^3+(-2)^3+2^3+5^3": "0",
}
SPELLINGS = {
    "as it is": "{}",
    "brackets": "({})",
    "many brackets": "(({}))",
    "name": "x={}",
    "other name": "y = {}",
    "plus zero": "{}+0",
    "zero first": "0+{}",
    "minus zero": "{}-0",
    "times one": r"1\cdot {}",
    "times one in brackets": r"({})\cdot1",
    "over one": r"\frac{{{}}}{{1}}",
    "power one": "({})^1",
    "minus minus": "-(-({}))",
    "added and subtracted": "{}+3-3",
    "large brackets": r"\left({}\right)",
    "spaces": r" \, {} \; ",
    "display": r"\displaystyle {}",
}


@pytest.mark.parametrize("expression", QUESTIONS)
@pytest.mark.parametrize("spelling", SPELLINGS)
@pytest.mark.parametrize("question", ["Compute ${}$.", r"What is \[{}?\]", r"Find \({} = \text{{?}}\)."])
def test_no_copy_is_paid(expression: str, spelling: str, question: str) -> None:
    answer = SPELLINGS[spelling].format(expression)
    result = check_answer(f"\\boxed{{{answer}}}", QUESTIONS[expression], question=question.format(expression))
    assert not result.correct, result


@pytest.mark.parametrize("expression", QUESTIONS)
@pytest.mark.parametrize("question", ["Compute ${}$.", "No formula."])
def test_the_answer_itself_is_paid(expression: str, question: str) -> None:
    reference = QUESTIONS[expression]
    for answer in (reference, f"({reference})", f" {reference} "):
        reply = f"\\boxed{{{answer}}}"
        assert check_answer(reply, reference, question=question.format(expression)).correct


@pytest.mark.parametrize(
    ("question", "reference", "answer"),
    [
        ("Which of $2x+2$ and $2(x+1)$ is factored?", "2(x+1)", "2(x+1)"),
        ("Which of $2x+2$ and $2(x+1)$ is factored?", "2(x+1)", "(x+1)2"),
        (r"Which is larger, $\sqrt{2}$ or $1$?", r"\sqrt{2}", r"\sqrt 2"),
        (r"Is $\frac{2}{3}$ or $\frac{3}{4}$ larger?", r"\frac34", "3/4"),
        ("Which of the points $(1,2)$ and $(3,4)$ is on the line?", "(3,4)", "3, 4"),
        (r"Solve $x^2=4$; choose from $\{2,-2\}$ and $\{1\}$.", "2,-2", r"\{-2, 2\}"),
        ("If $x=5$, what is $x$?", "5", "x = 5"),
        ("What is $2+3$?", "5", "2+3=5"),
        ("The line is $y=2x+1$. What is it?", "y=2x+1", "y = 1+2x"),
        ("Round $12$ to tens, in $\\text{cm}$.", "10 cm", "10"),
    ],
)
def test_an_expression_of_the_question_that_is_the_reference_is_paid(
    question: str, reference: str, answer: str
) -> None:
    assert check_answer(f"\\boxed{{{answer}}}", reference, question=question).correct


@pytest.mark.parametrize(
    ("question", "reference", "answer"),
    [
        ("What is 17 * 23?", "391", "17*23"),
        ("What is 17 × 23?", "391", r"17 \times 23"),
        ("Calculate 3^4 - 2 now.", "79", "(3^4-2)"),
        (r"\begin{align*} a &= 17\cdot 23 \\ b &= 2 \end{align*} Find a.", "391", r"17\cdot 23"),
        (r"Let $\unknowncommand z = 17\cdot 23$. Find z.", "391", r"z = 17\cdot 23"),
        ("Find $f(3)$ if $f(x)=x$ and $f(3) = 1+2$.", "3", "f(3)=1+2"),
        (r"What is $17\cdot 23$ cm?", r"391\text{ cm}", r"17\cdot 23\text{ cm}"),
        (r"Compute $17\cdot 23$.", "391", r"a = b = 17\cdot 23"),
    ],
)
def test_copies_are_found_wherever_the_question_has_the_expression(
    question: str, reference: str, answer: str
) -> None:
    result = check_answer(f"\\boxed{{{answer}}}", reference, question=question)
    assert (result.verdict, result.method) == (Verdict.WRONG, "echo")


@pytest.mark.parametrize(
    ("answer", "reference", "correct"),
    [
        (r"17\cdot 23", "391", True),
        ("2^{10}", "1024", True),
        ("5!", "120", True),
        (r"\frac{3\cdot5}{7}", r"\frac{15}{7}", True),
        (r"3.2\cdot10^5", "320000", True),
        (r"-\frac{3}{4}", "-0.75", True),
        (r"2\frac13", r"\frac73", True),
        ("2.5 million", "2500000", True),
        ("300+91 = 391", "391", True),
        (r"17\cdot 20 + 17\cdot 3", "391", False),
        ("1+2+3+4", "10", False),
        (r"\frac{10!}{3!7!}", "120", False),
        ("2^{2^{3}}", "256", False),
        (r"\sqrt{16}+1", "5", False),
        (r"\sqrt{2}+\sqrt{2}", r"2\sqrt{2}", True),
        ("(x+1)(x+2)", "x^2+3x+2", True),
    ],
)
def test_at_most_one_operation_of_a_literal_may_be_undone(answer: str, reference: str, correct: bool) -> None:
    assert check_answer(f"\\boxed{{{answer}}}", reference, question="How many?").correct is correct
    assert check_answer(f"\\boxed{{{answer}}}", reference).correct


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("a+b", "b+a"),
        ("a-b", "-b+a"),
        ("a-b", "-(b-a)"),
        (r"\frac{a}{b}c", r"\frac{ac}{b}"),
        (r"\frac{1}{2}x", "x/2"),
        ("x*x*y", "y x^2"),
        ("2^{-1}", r"\frac12"),
        (r"\sqrt{x}", "x^{1/2}"),
        (r"\sqrt[3]{x}", "x^{1/3}"),
        ("a > b", "b < a"),
        ("a=b", "b=a"),
        (r"\gcd(12,18)", r"\gcd(18,12)"),
        (r"\{1,2\}", "2,1"),
        ("x-x+2", "2"),
        ("|x|", r"\lvert x\rvert"),
        ("(-x)^2", "x^2"),
        ("1(x+1)-1(y-1)", "x+1-(y-1)"),
    ],
)  # fmt: skip
def test_spellings_have_one_canonical_form(left: str, right: str) -> None:
    assert canonical(parse(left)) == canonical(parse(right))


@pytest.mark.parametrize(
    ("left", "right"),
    [("2+3", "5"), (r"\frac24", r"\frac12"), ("0.5", r"\frac12"), ("(x+1)^2", "x^2+2x+1"), ("2x", "x^2"),
     ("a-b", "b-a"), ("a<b", "b<a"), (r"\sqrt{4}", "2"), (r"\sin x", r"\cos x"), (r"25\%", "25"),
     ("2(x+1)", "2x+2")],
)  # fmt: skip
def test_what_is_worked_out_has_another_canonical_form(left: str, right: str) -> None:
    assert canonical(parse(left)) != canonical(parse(right))


def test_operations_are_counted() -> None:
    assert undone(parse(r"\frac{1+2}{3}+4")) == 2


def test_a_long_question_costs_bounded_work() -> None:
    assert len(expressions("$x+1$ " * 100_000)) == 1
    assert len(expressions("".join(f"$x+{number}$ " for number in range(5000)))) <= 200

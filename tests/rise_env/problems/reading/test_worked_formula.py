import re
from pathlib import Path

import pytest

from rise_env.checkers.numeric import NumericChecker
from rise_env.problems.loading import load_problems
from rise_env.problems.reading.worked_formula import write_solution

BOX = " The final answer is \\boxed{%s}."


@pytest.mark.parametrize(
    ("formula", "answer", "sentences"),
    [
        ("7+2=9", "9", "7 + 2 = 9."),
        ("(3*4)+5=17", "17", "3 * 4 = 12. 12 + 5 = 17."),
        ("2-(0.5+0.25)=1.25", "1.25", "0.5 + 0.25 = 0.75. 2 - 0.75 = 1.25."),
        ("1,200/3=400", "400", "1200 / 3 = 400."),
        ("( 8.0 - 2.0 )", "6", "8 - 2 = 6."),
    ],
)
def test_each_calculation_of_a_formula_is_a_sentence(formula: str, answer: str, sentences: str) -> None:
    assert write_solution(formula, answer) == sentences + BOX % answer


@pytest.mark.parametrize(
    ("formula", "answer"),
    [
        ("17/5=3 r2", "3"),  # a remainder
        ("x:The number; x+3=5", "2"),
        ("GCD(14,7)=7", "7"),
        ("7+2=10", "10"),  # a wrong result
        ("7+2=9", "10"),  # another answer
        ("1/3", "0.333"),
        ("1/0", "0"),
        ("2**3=8", "8"),
        ("7//2=3", "3"),
        ("9=9", "9"),  # no calculation
        ("", "1"),
        ("3+", "3"),
        ("7+2=9", "nine"),
        ("(" * 500 + "1" + ")" * 500, "1"),
    ],
)
def test_other_formulas_give_no_solution(formula: str, answer: str) -> None:
    assert write_solution(formula, answer) is None


@pytest.mark.parametrize(("name", "least"), [("ASDiv", 1500), ("SVAMP", 990)])
def test_every_written_solution_is_right_and_has_one_box(name: str, least: int, data_dir: Path) -> None:
    written = [problem for problem in load_problems(name, data_dir=data_dir) if problem.solution is not None]
    assert len(written) >= least
    for problem in written:
        assert problem.solution is not None
        assert re.fullmatch(
            r"(\S+ [-+*/] \S+ = \S+\. )+The final answer is \\boxed\{\S+\}\.", problem.solution
        )
        assert NumericChecker().check(problem.solution, problem.reference).correct

"""No reply runs code, raises an exception, hangs, or takes more time than a check has."""

import os
import time
from pathlib import Path

import pytest

from rise_env.checkers import check_answer
from rise_env.types import Verdict

CODE = [
    "__import__('os').system('touch ran')",
    "__import__('os').system('touch ran') or 42",
    "(lambda: open('ran', 'w'))() or 42",
    "open('ran','w') and 42",
    "[open('ran','w'), 42][1]",
    "\\pi if open('ran','w') else 42",
    "getattr(__import__('pathlib').Path('ran'), 'touch')() or 42",
    "max(42, len(str(open('ran','w'))))",
    "E**log(42)+0*len(str(open('ran','w')))",
    "Rational(42,1) if open('ran','w') else 0",
    "exec(\"open('ran','w')\")",
    "quit()",
    "breakpoint()",
    "{0.__class__}",
    "\\input{/etc/passwd}",
    "\\write18{touch ran}",
]


@pytest.mark.parametrize("code", CODE)
@pytest.mark.parametrize("reference", ["42", "\\pi", "\\begin{pmatrix}1&2\\end{pmatrix}"])
def test_code_in_an_answer_is_text(
    code: str, reference: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert not check_answer(f"\\boxed{{{code}}}", reference).correct
    assert not check_answer(code, reference).correct
    assert os.listdir(tmp_path) == []


HEAVY = {
    "tower": "9^{9^{9^{9}}}",
    "plain tower": "9^9^9^9",
    "Math-Verify 65": "10^{(5^{5^{5^{5^{5}}}} \\cdot \\log_{10}(5)} - 4)}",
    "python tower": "10**10**10**10",
    "factorial": "1000000!",
    "iterated factorial": "((((9!)!)!)!)!",
    "many factorial signs": "9!!!!!!!!!!",
    "underflow": "10^{-10^{9}}",
    "exponentials": "e^{e^{e^{79}}}",
    "huge angle": "\\sin(10^{10^{10}})",
    "huge gamma": "gamma(10^{18})",
    "expansion": "(x+y+z+w)^{500}",
    "nested radicals": "\\sqrt{" * 60 + "2" + "}" * 60,
    "deep brackets": "(" * 900 + "1" + ")" * 900,
    "deep fractions": "\\frac{1}{" * 100 + "2" + "}" * 100,
    "many signs": "\\pm1" * 30,
    "many minus signs": "-" * 1900 + "1",
    "many factors": "x" * 1900,
    "many terms": "x+" * 900 + "x",
    "many unequal signs": "=" * 50_000,
    "many fracs": "\\frac" * 400,
    "many intervals": "\\cup".join(f"[{2 * i},{2 * i + 1}]" for i in range(100)),
    "big list": ",".join(map(str, range(500))),
    "898 square roots": "+".join(f"\\sqrt{{{i}}}" for i in range(2, 900)),
    "square roots that are read": "+".join(f"\\sqrt{{{i}}}" for i in range(2, 190)),
    "two million digits": "1" * 2_000_000,
    "digits that are read": "1" * 1900,
    "long root index": "\\sqrt[9973]{7}+\\sqrt[9967]{7}+\\sqrt[9949]{7}",
    "deep powers": "2^" * 400 + "2",
    "letters": "a" * 30_000 + "!",
    "backslashes": "\\" * 100_000,
    "open braces": "{" * 100_000,
    "text in text": "\\text{" * 300 + "x" + "}" * 300,
}


@pytest.mark.parametrize("name", HEAVY)
@pytest.mark.parametrize("reference", ["1", "\\sqrt{2}", "x^2", "1,2,3", "[0,1]", "x=5"])
def test_no_answer_takes_long(name: str, reference: str) -> None:
    """A check with unbounded work takes hours. The benchmark of checkers measures the exact times."""
    start = time.process_time()  # the time of sympy, in another process, has a deadline of its own
    result = check_answer(f"\\boxed{{{HEAVY[name]}}}", reference)
    assert not result.correct
    assert time.process_time() - start < 10


def test_equal_towers_are_equal_without_being_evaluated() -> None:
    assert check_answer(r"\boxed{9^{9^{9^{9}}}}", "9^{9^{9^9}}").correct
    assert check_answer(r"\boxed{2^{82589933}-1}", "2^{82589933}-1").correct
    assert not check_answer(r"\boxed{2^{82589933}}", "2^{82589933}-1").correct
    assert not check_answer(r"\boxed{10^{10^{11}}}", "10^{10^{10}}").correct


def test_numbers_of_thousands_of_digits_are_compared_as_they_are_written() -> None:
    assert check_answer(f"\\boxed{{{'7' * 5000}}}", "7" * 5000).correct
    assert not check_answer(f"\\boxed{{{'7' * 4999}8}}", "7" * 5000).correct


@pytest.mark.parametrize(
    ("answer", "reference"),
    [
        ("0.3333333333", r"\frac{1}{3}"),
        ("1.9999999999999999999999", "2"),
        ("99999999999", "100000000000"),
        ("100000000000000000000", "100000000001000000000"),
        ("10^{-20}", "0"),
        (r"\frac{1}{2^{98}}", r"\frac{1}{2^{99}}"),
        ("1/2006!", "1/2004!"),
        (r"\pi+10^{-1000}", r"\pi"),
        ("3", "300"),
        ("120006", "120000"),
    ],
)
def test_what_is_only_close_is_wrong(answer: str, reference: str) -> None:
    assert check_answer(f"\\boxed{{{answer}}}", reference).verdict is Verdict.WRONG

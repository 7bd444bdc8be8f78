"""The numeric and the symbolic checker read plain numbers in the same way."""

import pytest

from rise_env.checkers import check_answer
from rise_env.checkers.symbolic import Kind

KINDS: tuple[Kind, ...] = ("numeric", "symbolic")

ACCEPTED = [
    ("18.5", r"18\text{ dollars and }50\text{ cents}"),
    ("18.5", "18 dollars and 50 cents"),
    ("18.5", r"\$18.50"),
    ("2.5", r"2\text{ hours }30\text{ minutes}"),
    ("2.5", "2 hours and 30 minutes"),
    ("420000", "42万"),
    ("420000", "42万元"),
    ("42000000", "42百万"),
    ("42000", "42 тысячи"),
    ("42000000", "42 Millionen"),
    ("4200000", "42 लाख"),
    ("293", "256+37=293"),
    ("293", "m+n=293"),
    ("293", "m+n = 256+37 = 293"),
    ("17", "p+q=17"),
    ("12", "a+b+c=12"),
    ("12", "a+b=5+7=12"),
    ("307", "100m+n = 100(3)+7 = 307"),
    ("12", "x-y=12"),
    ("25", "a^2+b^2=25"),
    ("12", "xy=12"),
    ("12", r"3\times 4 = 12"),
    ("12", r"\text{Total} = 12"),
    ("12", r"\text{The value is } 12"),
    ("12", r"\text{The total cost is }\$12"),
    ("15", r"\text{Tom has } 15 \text{ apples}"),
    ("15", r"\text{Tom has 15 apples.}"),
    ("15", r"\text{There are 15 apples left}"),
    ("15", "Tom has 15 apples"),
    ("15", r"\text{She needs } 15"),
    ("72", "72 clips, altogether"),
    ("72", r"72\text{ clips}, \text{in total}"),
    ("72", r"72\text{ in total}"),
    ("72", "72 in all"),
    ("5", r"\gcd(a,b)=5"),
    ("17", "f(2)+f(3)=17"),
    ("5", "P(1)+P(2)=5"),
    ("5", "P(1)=5"),
    ("5", "P(2) - 2P(1) = 11 - 6 = 5"),
    ("1/2", r"P(A) = \frac{2}{4} = 0.5"),
    ("-5", r"x+y = -5"),
    ("12.5", "12{,}5"),
    ("0.75", "0{,}75"),
    ("0.125", "0{,}125"),
    ("1234", "1{,}234"),
    ("42", "42元"),
    ("42", "42 元"),
    ("42", "42个"),
    ("42", "42 яблока"),
    ("42", "42 années"),
    ("42", "42 Äpfel"),
    ("42", "42 रुपये"),
    ("42", "42원"),
    ("42", "42円"),
    ("42", "42 تفاحة"),
    ("42", r"42\text{ 平方米}"),
    ("12", "12日"),
    ("42", "42。"),
    ("42", "42！"),
    ("42", "42 ✓"),
    ("42", r"42\ \checkmark"),
    ("42", r"42 \blacksquare"),
    ("42", "∴ 42"),
    ("42", r"\therefore x = 42"),
    ("3", "∴ $x=3$"),
]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("reference", "answer"), ACCEPTED, ids=[answer for _, answer in ACCEPTED])
def test_both_checkers_read_a_number_the_same_way(kind: Kind, reference: str, answer: str) -> None:
    assert check_answer(rf"\boxed{{{answer}}}", reference, kind=kind).correct


REFUSED = [
    ("293", "m+n"),
    ("293", "m+n=294"),
    ("293", "m+n=256+38=293"),
    ("293", "m+n=293, m-n=1"),
    ("12", "x+2=12"),
    ("12", "2x=12"),
    ("12", "2P=12"),
    ("12", "P(1)+2=12"),
    ("12", "P(1)+P(2)=13"),
    ("12", "P(1)+P(2)=6+7=12"),
    ("12", "x=12 or x=13"),
    ("18", "18 dollars and 50 cents"),
    ("5", "5 days and 3 hours"),
    ("5", r"\text{at least } 5"),
    ("5", r"\text{Tom has at least } 5"),
    ("5", r"\text{It is not } 5"),
    ("5", r"\text{Tom has not } 5"),
    ("5", r"\text{Nobody has 4, Tom has } 5"),
    ("5", r"\text{The number is about } 5"),
    ("5", r"\text{Either Tom has } 5"),
    ("42", "42以上"),
    ("42", "42万"),
    ("42", "42 тысячи"),
    ("42", "42 millones"),
    ("42", "42不是"),
    ("42", "42分之一"),
    ("42", "42から50"),
    ("42", "约42"),
    ("42", "42 или 43"),
    ("42", "42 или больше"),
    ("42", "42元或43元"),
    ("42", "4个2"),
    ("42", "42, 43"),
    ("125", "12{,}5"),
    ("123", "0{,}123"),
    ("24", "4！"),
]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("reference", "answer"), REFUSED, ids=[answer for _, answer in REFUSED])
def test_neither_checker_guesses(kind: Kind, reference: str, answer: str) -> None:
    assert not check_answer(rf"\boxed{{{answer}}}", reference, kind=kind).correct


@pytest.mark.parametrize("answer", ["5", "a+b=5", "2x+2y=10"])
def test_a_sum_of_names_is_an_equation_if_the_reference_is_one(answer: str) -> None:
    assert check_answer(rf"\boxed{{{answer}}}", "x+y=5").correct == (answer == "2x+2y=10")

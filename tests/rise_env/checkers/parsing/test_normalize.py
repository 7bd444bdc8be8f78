import pytest

from rise_env.checkers.parsing.normalize import clean


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        (r"$\left( -3 ,\; 4 \right)$.", "( -3 ,  4  )"),
        ("４２", "42"),
        ("−5", "-5"),
        ("3½", r"3\frac{1}{2}"),
        ("x²", "x^{2}"),
        ("a₁", "a_{1}"),
        ("10⁻³", "10^{-3}"),
        ("2√3", r"2\sqrt 3"),
        ("90°", r"90^\circ"),
        ("42\u200b", "42"),
        ("1{,}234{,}567", "1234567"),
        (r"15,\!000", "15000"),
        (r"1\,234", "1234"),
        ("1 234 567", "1234567"),
        ("1 2", "1 2"),
        ("**7**", "7"),
        ('"7"', "7"),
        ("7,", "7"),
        ("5\\\\", "5"),
        ("0.333...", "0.333..."),
        ("3.2 x 10^5", "3.2*10^5"),
        (r"1 & 2 \\ 3 & 4", r"1 & 2 \\ 3 & 4"),
        (r"\left|x\right|", r"\lvert x\rvert"),
    ],
)
def test_one_spelling_for_what_looks_the_same(text: str, cleaned: str) -> None:
    assert clean(text) == cleaned


@pytest.mark.parametrize("text", ["²", "②", "Ⅱ"])
def test_a_character_that_only_resembles_a_number_stays_unreadable(text: str) -> None:
    assert clean(text) == r"\unreadable"

import pytest

from rise_env.checkers.limits import PlainText, Unreadable
from rise_env.checkers.parsing.normalize import clean
from rise_env.checkers.parsing.parser import parse
from rise_env.checkers.parsing.tree import from_json, show, to_json


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        (r"\frac{\sqrt{3}}{2}", "(quotient (root 3 2) 2)"),
        (r"\frac \pi4 + 2 - \sqrt2", "(sum (quotient pi 4) 2 (negative (root 2 2)))"),
        (r"\frac94", "(quotient 9 4)"),
        (r"-3\frac{1}{2}", "(negative (sum 3 (quotient 1 2)))"),
        ("3 1/2", "(sum 3 (quotient 1 2))"),
        (r"2\frac{3}{2}", "(product 2 (quotient 3 2))"),
        ("-x^2", "(negative (power x 2))"),
        ("2^3^2", "(power 2 (power 3 2))"),
        ("2^n-1", "(sum (power 2 n) (negative 1))"),
        ("a/b*c", "(product (quotient a b) c)"),
        ("2xy", "(product 2 x y)"),
        (r"\sin 2x\cos x", "(product (function:sin (product 2 x)) (function:cos x))"),
        (r"\sin^{-1} x", "(function:arcsin x)"),
        (r"\log_2 8", "(function:log 8 2)"),
        (r"2|x-1|+|y|", "(sum (product 2 (function:abs (sum x (negative 1)))) (function:abs y))"),
        ("sqrt(3)", "(root 3 2)"),
        ("sinx", "(function:sin x)"),
        ("x**2", "(power x 2)"),
        ("5!", "(function:factorial 5)"),
        (r"{10 \choose 3}", "(function:binomial 10 3)"),
        (r"0.1\overline{6}", "1/6"),
        ("3.2e-1", "8/25"),
        ("1,234", "1234"),
        ("(1,234)", "(tuple:() 1 234)"),
        ("(0,1]", "(tuple:(] 0 1)"),
        (r"\{1,2\}", "(set 1 2)"),
        (r"\{x : x > 2\}", "(builder x (relation:('>',) x 2))"),
        ("3:4:5", "(ratio 3 4 5)"),
        ("1 < x \\le 3", "(relation:('<', '<=') 1 x 3)"),
        (r"\begin{pmatrix}1&2\\3&4\end{pmatrix}", "(matrix (list 1 2) (list 3 4))"),
        (r"\int_0^1 x\,dx", "(big:integral x 0 1 x)"),
        ("204_5", "(based:('204', 5))"),
        ("f(x)", "(apply:f x)"),
        ("x(y+1)", "(product x (sum y 1))"),
        ("a_{12}'", "a_12'"),
    ],
)
def test_an_answer_is_read_into_one_tree(text: str, tree: str) -> None:
    assert show(parse(clean(text))) == tree


@pytest.mark.parametrize(
    "text",
    ["1 2", "x+", "(1", "1)", "(1]", r"\frac{1}", r"\foo", "2,,3", ">5", "= =", "x^", "_", "3#4", "1..2", "%",
     r"\begin{pmatrix}1&2\\3\end{pmatrix}",
     r"\begin{pmatrix}1", "9!!!!", "()", "(0,)", "[]", r"\pm" * 7 + "1",
     "__import__('os')", "x.__class__", "3.5_x", r"\frac.5 2", r"\frac1.5 2", r"\log_2^\circ 8",
     r"\binom{5}{}+1"],
)  # fmt: skip
def test_what_is_not_understood_to_the_end_is_refused(text: str) -> None:
    with pytest.raises(Unreadable):
        parse(clean(text))


@pytest.mark.parametrize("text", ["Evelyn", "5 or more", "not 5", "about 5", "5 is wrong", "east of x"])
def test_words_are_no_mathematics(text: str) -> None:
    with pytest.raises(PlainText):
        parse(clean(text))


def test_a_tree_that_is_written_as_json_is_read_back_equal() -> None:
    tree = parse(clean(r"\frac{\sqrt{3}}{2}, x \in [0, 1)"))
    assert from_json(to_json(tree)) == tree

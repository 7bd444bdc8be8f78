import pytest

from rise_env.checkers import equivalent

SAME = [
    ("f(x)=2x", r"f(x)=2x \text{ for all } x\in\mathbb{R}"),
    ("f(x)=2x", r"f(x)=2x \text{ for all real } x"),
    ("f(x)=2x", r"f(x)=2x \text{ for all real numbers } x"),
    ("f(x)=2x", r"f(x)=2x, \text{ for every } x"),
    ("f(x)=2x", r"f(x)=2x \text{ for all } x>0"),
    ("f(x)=2x", r"f(x)=2x \text{ for all positive real numbers } x"),
    ("f(x)=2x", r"f(x)=2x \ (\forall x \in \mathbb{R})"),
    ("f(x)=cx", r"f(x)=cx \text{ for any constant } c"),
    ("f(x)=cx", r"f(x)=cx \text{ where } c \text{ is a constant}"),
    ("f(n)=n+1", r"f(n)=n+1 \quad \forall n\in\mathbb{N}"),
    ("2^n", r"2^n \text{ for all } n \ge 1"),
    ("2^n", r"2^n, n \ge 1"),
    ("2^n", r"2^n \ (n \ge 1)"),
    ("2^n", r"2^n \text{ for } n \ge 1"),
    ("2^n", r"2^n, n\in\mathbb{N}^*"),
    ("2^n", r"2^n \ (n\in\mathbb{Z}^+)"),
    ("2^n", r"2^n, n\in\mathbb{Z}_{>0}"),
    ("f(x)=2x", r"f(x)=2x \text{ for all } x\in\mathbb{R}^+"),
    (r"(0,\infty)", r"\mathbb{R}^+"),
    (r"(0,\infty)", r"x\in\mathbb{R}_{>0}"),
    ("2^n", r"2^n,\ n \in \mathbb{N}"),
    ("a_n=2^n", r"a_n = 2^n, n\ge 0"),
    (r"\frac{\pi}{4}+n\pi, n\in\mathbb{Z}", r"x=\frac{\pi}{4}+k\pi, k\in\mathbb{Z}"),
    (r"\frac{\pi}{4}+n\pi, n\in\mathbb{Z}", r"x=\frac{\pi}{4}+k\pi"),
    (r"\frac{\pi}{4}+n\pi", r"x=\frac{\pi}{4}+k\pi, k\in\mathbb{Z}"),
    (r"\frac{\pi}{4}+n\pi, n\in\mathbb{Z}", r"x=\frac{\pi}{4}-k\pi, k\in\mathbb{Z}"),
    (r"x=\frac{\pi}{4}+n\pi, n\in\mathbb{Z}", r"\frac{\pi}{4}+n\pi"),
    (r"x=2n\pi, n\in\mathbb{Z}", r"x = 2\pi m \text{ for any integer } m"),
]


@pytest.mark.parametrize(("reference", "answer"), SAME, ids=[answer for _, answer in SAME])
def test_a_condition_that_goes_without_saying_may_be_missing(reference: str, answer: str) -> None:
    assert equivalent(answer, reference).correct


OTHER = [
    ("f(x)=2x", r"f(x)=3x \text{ for all } x\in\mathbb{R}"),
    ("f(x)=0", r"f(x)=0 \text{ for all } x, \text{ or } f(x)=2x \text{ for all } x"),
    ("f(x)=2x", r"f(x)=2x \text{ for some } x, \text{ and } f(x)=x \text{ for others}"),
    (r"\frac{\pi}{4}+n\pi, n\in\mathbb{Z}", r"x=\frac{\pi}{4}+2k\pi, k\in\mathbb{Z}"),
    (r"\frac{\pi}{4}+n\pi, n\in\mathbb{Z}", r"x=\frac{\pi}{4}+k\pi, k\in\mathbb{N}"),
    (r"\frac{\pi}{4}+n\pi, n\in\mathbb{Z}", r"x=\frac{\pi}{4}+k\pi, k\ge 0"),
    (r"x=\frac{\pi}{4}+n\pi", r"x=\frac{\pi}{4}+k\pi, k\in\mathbb{N}"),
    ("2n", r"2k, k\in\mathbb{Z}"),
    ("y=x", "y=x, x>0"),
    ("y=x, x>0", r"y=x, x\ge 0"),
    ("5", r"5, n \ge 1"),
]


@pytest.mark.parametrize(("reference", "answer"), OTHER, ids=[f"{a} or {b}" for a, b in OTHER])
def test_another_condition_or_family_is_wrong(reference: str, answer: str) -> None:
    assert not equivalent(answer, reference).correct


SYSTEMS = [
    ("(1,2)", r"\begin{cases} x=1\\ y=2\end{cases}", True),
    ("(1,2)", r"\begin{cases} x=1,\\ y=2.\end{cases}", True),
    ("(1,2)", r"\begin{aligned} x=1\\ y=2\end{aligned}", True),
    ("(1,2)", r"\left\{\begin{array}{l}x=1\\y=2\end{array}\right.", True),
    ("(1,2)", r"\left\{\begin{aligned}x=1\\y=2\end{aligned}\right.", True),
    ("x=1, y=2", r"\begin{cases} y=2\\ x=1\end{cases}", True),
    (r"\begin{cases} x=1\\ y=2\end{cases}", "(1,2)", True),
    ("(1,2)", r"\begin{cases} x=2\\ y=1\end{cases}", False),
    ("(1,2)", r"\begin{cases} x=1\\ y=2\\ z=3\end{cases}", False),
    (
        r"\begin{cases} x & x\ge0\\ -x & x<0\end{cases}",
        r"\begin{cases} x & \text{if } x\ge 0,\\ -x & \text{if } x<0.\end{cases}",
        True,
    ),
    (
        r"\begin{cases} x & x\ge0\\ -x & x<0\end{cases}",
        r"\begin{cases} x & x>0\\ -x & x<0\end{cases}",
        False,
    ),
    (r"\begin{cases} x & x\ge0\\ -x & x<0\end{cases}", "x", False),
]


@pytest.mark.parametrize(("reference", "answer", "same"), SYSTEMS, ids=[answer for _, answer, _ in SYSTEMS])
def test_cases_are_a_system_or_a_function_in_pieces(reference: str, answer: str, same: bool) -> None:
    assert equivalent(answer, reference).correct == same


NONEXISTENT = [
    (r"\text{does not exist}", r"\mathrm{DNE}", True),
    (r"\text{does not exist}", "DNE", True),
    ("DNE", r"\text{The limit does not exist}", True),
    ("DNE", r"\text{doesn't exist}", True),
    ("DNE", "0", False),
    ("DNE", r"\infty", False),
    ("DNE", r"\text{no solution}", False),
    ("DNE", r"\text{exists}", False),
]


@pytest.mark.parametrize(
    ("reference", "answer", "same"), NONEXISTENT, ids=[f"{a}: {b}" for a, b, _ in NONEXISTENT]
)
def test_dne_is_read_as_its_words(reference: str, answer: str, same: bool) -> None:
    assert equivalent(answer, reference).correct == same


def test_an_element_may_be_taken_from_the_reals_without_backslashes() -> None:
    assert equivalent("ℝ∖{0}", r"(-\infty,0)\cup(0,\infty)").correct
    assert not equivalent("ℝ∖{1}", r"(-\infty,0)\cup(0,\infty)").correct

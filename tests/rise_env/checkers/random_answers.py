"""Random answers: sequences of LaTeX pieces, expressions of a grammar, mutated references, and characters."""

from random import Random

PIECES = (
    "0 1 2 3.5 10 123 1,234 x y n a_1 \\alpha \\pi e i + - * / ^ _ = < > \\le \\ge \\ne \\approx ( ) [ ] { "
    "} \\{ \\} | ! % \\% , ; : . & \\\\ \\frac \\frac{1}{2} \\sqrt \\sqrt{2} \\sqrt[3] \\left( "
    "\\right) \\cdot "
    "\\times \\pm \\mp \\infty \\cup \\cap \\setminus \\in \\mathbb{R} \\emptyset \\text{ "
    "\\text{cm} \\text{or} "
    "and or not \\boxed{ \\boxed{2} \\begin{pmatrix} \\end{pmatrix} \\sum_{k=1}^{n} \\int_0^1 dx "
    "\\lim_{x\\to0} \\log_2 \\sin \\cos \\ln ^\\circ $ \\$ #### <think> </think> <answer> the answer is "
    "Answer: x=5 (1,2) [0,1) \\overline{3} 0.\\overline{3} ... \\ldots 2^{10} 3! \\binom{5}{2} \\bmod "
    "__class__ lambda import eval( \\unicode ½ ² − π √ ∞ ≤ 😀 é 中 \u200b 1e400 9^9^9^9 10^{10^{10}} 5_7 "
    "12:30 p.m. 2024-01-15 one hundred feet per percent degrees dollars "
).split()
FORMS = (
    "{0}+{1}", "{0}-{1}", "{0}{1}", r"{0}\cdot {1}", r"\frac{{{0}}}{{{1}}}", "({0})^{{{1}}}",
    r"\sqrt{{{0}}}", "({0},{1})", "{0},{1}", r"\{{{0},{1}\}}", "[{0},{1})", "{0}={1}", "{0}<{1}",
    "|{0}|", r"\sin({0})", r"\ln({0})", r"\log_{{{0}}}({1})", "({0})!", r"\binom{{{0}}}{{{1}}}",
    r"{0}\pm {1}", r"{0}\%", r"{0}^\circ", r"\begin{{pmatrix}}{0}&{1}\\{1}&{0}\end{{pmatrix}}",
    r"{0}\cup {1}", "{0}:{1}", r"\lfloor {0} \rfloor",
)  # fmt: skip
REFERENCES = (
    r"\frac{1}{2}", "42", r"\sqrt{2}", "x^2+1", "(1,2)", r"\{1,2,3\}", "[0,1)", "x=5", r"90^\circ", "B",
    r"25\%", r"\text{east}", r"\begin{pmatrix}1&2\\3&4\end{pmatrix}", "4,5,6",
    r"(-\infty,2)\cup(3,\infty)", "3:4", "204_5", r"\frac{x^2}{2}+C", "3+4i", "12:30", r"12\text{ cm}",
    "x>2", r"1\pm\sqrt{2}", "y=2x+1",
)  # fmt: skip


def random_pieces(random: Random) -> str:
    """Return a random sequence of pieces."""
    glue = random.choice(["", " "])
    return glue.join(random.choice(PIECES) for _ in range(random.randint(1, 30)))


def expression(random: Random, depth: int = 4) -> str:
    """Return an expression of the grammar; most can be parsed."""
    if depth == 0 or random.random() < 0.2:
        return random.choice(
            ["1", "2", "7", "0.5", "x", "y", "n", "\\pi", "e", "i", "10", "-3", "\\frac{1}{3}"]
        )
    part = lambda: expression(random, depth - 1)  # noqa: E731
    form = random.choice(FORMS)
    return form.format(part(), part())


def mutant(random: Random) -> str:
    """Return a reference with some characters changed, dropped, doubled or moved."""
    text = random.choice(REFERENCES)
    for _ in range(random.randint(1, 4)):
        place = random.randrange(len(text) + 1)
        change = random.randrange(4)
        if change == 0:
            text = text[:place] + random.choice(PIECES) + text[place:]
        elif change == 1:
            text = text[:place] + text[place + 1 :]
        elif change == 2:
            text = text[:place] + text[place : place + 3] * 2 + text[place + 3 :]
        else:
            text = text[place:] + text[:place]
    return text


def noise(random: Random) -> str:
    """Return random Unicode characters."""
    return "".join(chr(random.choice([random.randrange(128), random.randrange(0xD7FF)])) for _ in range(40))


def reply(random: Random) -> str:
    """Return a reply with a random answer of one of these sorts, in a box or not."""
    answer = random.choice([random_pieces, expression, mutant, noise])(random)
    frame = random.choice(
        ["{}", "\\boxed{{{}}}", "\\boxed{{{}}}", "The answer is {}.", "#### {}", "\\boxed{{{}"]
    )
    return frame.format(answer)

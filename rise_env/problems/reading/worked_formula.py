r"""Writes a worked solution in words from a formula such as "(3*4)+5=17".

Some data sets give a formula and no solution. The solution written here has one calculation per sentence, in
the order of the formula, and ends with the answer in a box, as the prompts of the environments ask.
"""

import ast
import re
from fractions import Fraction

_ALLOWED = re.compile(r"[\d.,+\-*/() ]+")
_OPERATORS = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/"}
_ANSWER = "The final answer is \\boxed{%s}."


def write_solution(formula: str, answer: str) -> str | None:
    r"""Return a worked solution, or None if the formula is not plain arithmetic with this answer.

    >>> write_solution("(3*4)+5=17", "17")
    '3 * 4 = 12. 12 + 5 = 17. The final answer is \\boxed{17}.'
    >>> write_solution("x: the number; 3x=12", "4") is None
    True

    Args:
        formula: A calculation and its result, with the operators + - * / and parentheses.
        answer: The final answer, which must be the value of the formula.
    """
    calculation, _, result = formula.partition("=")
    if not _ALLOWED.fullmatch(calculation) or "**" in calculation or "//" in calculation:
        return None
    try:
        tree = ast.parse(calculation.strip().replace(",", ""), mode="eval").body
        sentences: list[str] = []
        value = _calculate(tree, sentences)
        if not sentences or value != Fraction(answer) or (result and value != Fraction(result.strip())):
            return None
    except (SyntaxError, ValueError, ZeroDivisionError):  # no formula, no number, or a repeating decimal
        return None
    return " ".join([*sentences, _ANSWER % answer])


def _calculate(node: ast.expr, sentences: list[str]) -> Fraction:
    """Return the value of a formula and append one sentence per operation.

    Raises:
        ValueError: The formula has something else than numbers and the four operations.
    """
    if isinstance(node, ast.Constant) and isinstance(node.value, int | float):
        return Fraction(str(node.value))
    if not isinstance(node, ast.BinOp) or type(node.op) not in _OPERATORS:
        raise ValueError("no plain arithmetic")
    left, right = _calculate(node.left, sentences), _calculate(node.right, sentences)
    sign = _OPERATORS[type(node.op)]
    value = {"+": left.__add__, "-": left.__sub__, "*": left.__mul__, "/": left.__truediv__}[sign](right)
    sentences.append(f"{_decimal(left)} {sign} {_decimal(right)} = {_decimal(value)}.")
    return value


def _decimal(value: Fraction) -> str:
    """Return a fraction as a decimal number.

    Raises:
        ValueError: It has more than six decimal places.
    """
    if value.denominator == 1:
        return str(value.numerator)
    if (value * 10**6).denominator != 1:
        raise ValueError("a repeating decimal")
    return f"{float(value):.6f}".rstrip("0")

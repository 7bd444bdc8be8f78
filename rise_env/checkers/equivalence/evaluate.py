"""Evaluates expressions at a point to many digits, with every step bounded in size.

Each thread has arithmetic of its own, so that precision is never shared.
"""

import threading
from collections.abc import Callable
from fractions import Fraction
from typing import Any

from rise_env.checkers.equivalence.rational import based_value, rational
from rise_env.checkers.limits import MAX_TERMS, Deadline, NotDecidable, Undefined
from rise_env.checkers.parsing.tree import Node
from rise_env.checkers.parsing.units import DEGREE, PERCENT, PERMILLE

_MAX_EXPONENT = 1e15
"""Of two: larger numbers are not evaluated."""
_MAX_ANGLE = 1e30
_MAX_FACTORIAL = 1e12
_GROWING = frozenset({"gamma", "sinh", "cosh", "tanh"})
_HARMLESS = frozenset({"ln", "lg", "log2", "abs", "norm", "sign", "conjugate", "Re", "Im"})
_local = threading.local()


def context(digits: int) -> Any:
    """Return this thread's mpmath context of so many digits."""
    contexts: dict[int, Any] = _local.__dict__.setdefault("contexts", {})
    if digits not in contexts:
        import mpmath  # takes a while, and plain numbers never need it

        contexts[digits] = mpmath.MPContext()
        contexts[digits].dps = digits
    return contexts[digits]


class Evaluator:
    """Evaluates trees with variables at given values."""

    def __init__(self, digits: int, values: dict[str, Fraction], deadline: Deadline) -> None:
        self.context = context(digits)
        self.values = {name: self.fraction(value) for name, value in values.items()}
        self.deadline = deadline
        self.steps = 0

    def fraction(self, value: Fraction) -> Any:
        """Return a fraction as a number of the context."""
        whole = self.context.mpf(value.numerator)
        return whole if value.denominator == 1 else whole / value.denominator

    def value(self, node: Node) -> Any:
        """Return the value of a tree, real or complex.

        Raises:
            Undefined: It has no value at this point.
            NotDecidable: Parts of it cannot be evaluated here, or are too large.
            DeadlineExceeded: The time is over.
        """
        self.steps += 1
        if self.steps % 32 == 0:
            self.deadline.check()
        evaluate = _EVALUATE.get(node.kind)
        if evaluate is None:
            raise NotDecidable(f"a {node.kind} has no value")
        try:
            return evaluate(self, node)
        except (ZeroDivisionError, ValueError, OverflowError):
            raise Undefined from None

    def real(self, node: Node) -> Any:
        """Return the value of a tree that must be real."""
        value = self.value(node)
        if isinstance(value, self.context.mpc):
            if abs(value.imag) > abs(value.real) * self.context.mpf(10) ** (-self.context.dps // 2):
                raise Undefined
            return value.real
        return value

    def integer(self, node: Node) -> int:
        """Return the value of a tree that must be an integer, of moderate size."""
        value = rational(node)
        if value.denominator != 1:
            raise Undefined
        return value.numerator

    def power(self, base: Any, exponent: Any) -> Any:
        """Return base to the exponent, bounded."""
        if base == 0:
            if self.context.re(exponent) <= 0:
                raise Undefined
            return base
        size = abs(self.context.mag(base)) + 1
        if size * abs(exponent) > _MAX_EXPONENT:
            raise NotDecidable("a power that is too large")
        return base**exponent


def _sum(e: Evaluator, node: Node) -> Any:
    total = e.value(node.parts[0])
    for part in node.parts[1:]:
        total = total + e.value(part)
    return total


def _product(e: Evaluator, node: Node) -> Any:
    total = e.value(node.parts[0])
    for part in node.parts[1:]:
        total = total * e.value(part)
    return total


def _quotient(e: Evaluator, node: Node) -> Any:
    under = e.value(node.parts[1])
    if under == 0:
        raise Undefined
    return e.value(node.parts[0]) / under


def _power(e: Evaluator, node: Node) -> Any:
    base, exponent = node.parts
    if base.kind == "constant" and base.value == "e":
        return _exp(e, e.value(exponent))
    try:
        exact = rational(exponent)
    except NotDecidable:
        return e.power(e.value(base), e.value(exponent))
    if exact.denominator == 1:
        return e.power(e.value(base), exact.numerator)
    return e.power(e.value(base), e.fraction(exact))


def _exp(e: Evaluator, value: Any) -> Any:
    if abs(value) > _MAX_EXPONENT:
        raise NotDecidable("a power that is too large")
    return e.context.exp(value)


def _root(e: Evaluator, node: Node) -> Any:
    inside = e.value(node.parts[0])
    degree = rational(node.parts[1])
    if degree.denominator != 1 or not 1 <= degree <= 10_000:
        return e.power(inside, 1 / e.fraction(degree)) if degree != 0 else _undefined()
    count = degree.numerator
    if count == 2:
        return e.context.sqrt(inside)
    if count % 2 and not isinstance(inside, e.context.mpc) and inside < 0:
        return -e.context.root(-inside, count)
    return e.context.root(inside, count)


def _undefined() -> Any:
    raise Undefined


def _symbol(e: Evaluator, node: Node) -> Any:
    if node.value not in e.values:
        raise NotDecidable(f"{node.value} has no value")
    return e.values[node.value]


def _constant(e: Evaluator, node: Node) -> Any:
    if node.value == "infinity":
        raise Undefined
    if node.value == "i":
        return e.context.mpc(0, 1)
    return +e.context.pi if node.value == "pi" else +e.context.e


def _apply(e: Evaluator, node: Node) -> Any:
    """Treat an unknown function as a polynomial of its own, with values of its name."""
    total = e.values[node.value]
    for place, part in enumerate(node.parts):
        value = e.value(part)
        total = total * (place + 2) + value * value * e.values[node.value] + 3 * value
    return total


def _quantity(e: Evaluator, node: Node) -> Any:
    value = e.value(node.parts[0])
    if node.value in {PERCENT, PERMILLE}:
        return value * e.fraction(node.value.factor)
    return value * e.context.pi / 180 if node.value == DEGREE else value


def _function(e: Evaluator, node: Node) -> Any:
    name = node.value
    if name == "binomial" or name == "factorial" or name == "factorial2":
        return _combinatorial(e, node)
    if name in {"gcd", "lcm", "mod"}:
        return e.fraction(rational(node))
    if name in {"max", "min"}:
        values = [e.real(part) for part in node.parts]
        return max(values) if name == "max" else min(values)
    if name == "log":
        value, base = e.value(node.parts[0]), e.value(node.parts[1]) if len(node.parts) > 1 else None
        if value == 0 or base == 0 or base == 1:
            raise Undefined
        return e.context.log(value) / e.context.log(base) if base is not None else e.context.log10(value)
    if len(node.parts) != 1 or name not in _FUNCTIONS:
        raise NotDecidable(f"the function {name}")
    value = e.value(node.parts[0])
    if name == "exp":
        return _exp(e, value)
    if name in {"ln", "lg", "log2"} and value == 0:
        raise Undefined
    largest = _MAX_FACTORIAL if name in _GROWING else _MAX_ANGLE
    if name not in _HARMLESS and abs(value) > largest:
        raise NotDecidable(f"{name} of a number that is too large")
    return _FUNCTIONS[name](e.context, value)


def _combinatorial(e: Evaluator, node: Node) -> Any:
    try:
        return e.fraction(rational(node))
    except NotDecidable:
        values = [e.value(part) for part in node.parts]
    if any(abs(value) > _MAX_FACTORIAL for value in values):
        raise NotDecidable("a factorial that is too large")
    if node.value == "factorial2":
        return e.context.fac2(values[0])
    return e.context.factorial(values[0]) if node.value == "factorial" else e.context.binomial(*values)


def _series(e: Evaluator, node: Node) -> Any:
    """Add up or multiply a finite series of a bounded number of terms."""
    if node.value not in {"sum", "product"}:
        raise NotDecidable(f"an {node.value}")
    variable, below, above, body = node.parts
    first, last = e.integer(below), e.integer(above)
    if last - first >= MAX_TERMS:
        raise NotDecidable("a series of too many terms")
    outside = e.values.get(variable.value)
    total = e.context.mpf(0 if node.value == "sum" else 1)
    for index in range(first, last + 1):
        e.values[variable.value] = e.context.mpf(index)
        term = e.value(body)
        total = total + term if node.value == "sum" else total * term
    if outside is None:
        e.values.pop(variable.value, None)
    else:
        e.values[variable.value] = outside
    return total


_EVALUATE: dict[str, Callable[[Evaluator, Node], Any]] = {
    "number": lambda e, node: e.fraction(node.value),
    "symbol": _symbol,
    "constant": _constant,
    "sum": _sum,
    "product": _product,
    "negative": lambda e, node: -e.value(node.parts[0]),
    "quotient": _quotient,
    "power": _power,
    "root": _root,
    "apply": _apply,
    "quantity": _quantity,
    "function": _function,
    "based": lambda e, node: e.fraction(based_value(node)),
    "big": _series,
}


def _reciprocal(name: str) -> Callable[[Any, Any], Any]:
    return lambda context, value: 1 / getattr(context, name)(value)


def _of_reciprocal(name: str) -> Callable[[Any, Any], Any]:
    return lambda context, value: getattr(context, name)(1 / value)


def _own(name: str) -> Callable[[Any, Any], Any]:
    return lambda context, value: getattr(context, name)(value)


_FUNCTIONS: dict[str, Callable[[Any, Any], Any]] = {
    name: _own(own)
    for name, own in {
        "sin": "sin", "cos": "cos", "tan": "tan", "arcsin": "asin", "arccos": "acos", "arctan": "atan",
        "sinh": "sinh", "cosh": "cosh", "tanh": "tanh", "arcsinh": "asinh", "arccosh": "acosh",
        "arctanh": "atanh", "ln": "ln", "lg": "log10", "exp": "exp", "floor": "floor", "ceil": "ceil",
        "gamma": "gamma", "erf": "erf", "sign": "sign", "Re": "re", "Im": "im", "arg": "arg",
        "conjugate": "conj", "sech": "sech", "csch": "csch", "coth": "coth",
    }.items()
} | {
    "sec": _reciprocal("cos"), "csc": _reciprocal("sin"), "cot": _reciprocal("tan"),
    "arccot": lambda context, value: context.pi / 2 - context.atan(value),
    "arcsec": _of_reciprocal("acos"), "arccsc": _of_reciprocal("asin"),
    "cis": lambda context, value: context.cos(value) + context.mpc(0, 1) * context.sin(value),
    "abs": lambda context, value: abs(value), "norm": lambda context, value: abs(value),
    "log2": lambda context, value: context.log(value) / context.log(2),
}  # fmt: skip

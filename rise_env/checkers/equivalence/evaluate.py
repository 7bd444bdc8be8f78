"""Evaluates expressions at a point to many digits. Every step has bounded size, so that its time is bounded.

Every thread has mpmath contexts of its own, because the precision of a context is mutable.
"""

import threading
from collections.abc import Callable
from fractions import Fraction
from typing import Any

from rise_env.checkers.equivalence.rational import based_value, rational
from rise_env.checkers.limits import MAX_TERMS, Deadline, NotDecidable, Undefined
from rise_env.checkers.parsing.tree import Node, number
from rise_env.checkers.parsing.units import DEGREE, PERCENT, PERMILLE

_MAX_EXPONENT = 1e15
"""Numbers above 2 to this power are not evaluated."""
_MAX_ARGUMENT = 1e30
"""Arguments of functions, which have to be reduced modulo a period."""
_MAX_FACTORIAL = 1e12
"""Arguments of functions that grow as fast as factorials or exponentials."""
_FAST_GROWING = frozenset({"gamma", "sinh", "cosh", "tanh"})
_UNBOUNDED_ARGUMENT = frozenset({"ln", "lg", "log2", "abs", "norm", "sign", "conjugate", "Re", "Im"})
_ROUNDINGS = frozenset({"floor", "ceil"})
_BOUNDED_DOMAIN: dict[str, Callable[[Any], bool]] = {
    "arcsin": lambda value: abs(value) <= 1, "arccos": lambda value: abs(value) <= 1,
    "arcsec": lambda value: abs(value) >= 1, "arccsc": lambda value: abs(value) >= 1,
    "arctanh": lambda value: abs(value) < 1, "arccosh": lambda value: value >= 1,
}  # fmt: skip
"""Functions that are real only for some real arguments."""
_local = threading.local()


def context(digits: int) -> Any:
    """Return the mpmath context of this thread with a precision of `digits` decimal digits."""
    contexts: dict[int, Any] = _local.__dict__.setdefault("contexts", {})
    if digits not in contexts:
        import mpmath  # here, because it loads slowly and most checks do not need it

        contexts[digits] = mpmath.MPContext()
        contexts[digits].dps = digits
    return contexts[digits]


class Evaluator:
    """Evaluates trees at one point.

    Args:
        digits: Decimal digits of precision.
        values: The values of the variables and of the coefficients of unknown functions.
        deadline: When the evaluation has to end.
        real: Whether even roots and logarithms of negative numbers have no value; else they are complex.
    """

    def __init__(
        self, digits: int, values: dict[str, Fraction], deadline: Deadline, *, real: bool = False
    ) -> None:
        self.context = context(digits)
        self.values = {name: self.fraction(value) for name, value in values.items()}
        self.deadline = deadline
        self.steps = 0
        self.only_real = real

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

    def nonnegative(self, value: Any) -> Any:
        """Return a value; raise `Undefined` where it is negative and only real values count."""
        if self.only_real and not isinstance(value, self.context.mpc) and value < 0:
            raise Undefined
        return value

    def power(self, base: Any, exponent: Any) -> Any:
        """Return `base` to the power `exponent`; `NotDecidable` if the result is too large."""
        if base == 0:
            if self.context.re(exponent) <= 0:
                raise Undefined
            return base
        size = abs(self.context.mag(base)) + 1
        if size * abs(exponent) > _MAX_EXPONENT:
            raise NotDecidable("a power that is too large")
        return base**exponent


def _sum(evaluator: Evaluator, node: Node) -> Any:
    total = evaluator.value(node.parts[0])
    for part in node.parts[1:]:
        total = total + evaluator.value(part)
    return total


def _product(evaluator: Evaluator, node: Node) -> Any:
    total = evaluator.value(node.parts[0])
    for part in node.parts[1:]:
        total = total * evaluator.value(part)
    return total


def _quotient(evaluator: Evaluator, node: Node) -> Any:
    under = evaluator.value(node.parts[1])
    if under == 0:
        raise Undefined
    return evaluator.value(node.parts[0]) / under


def _power(evaluator: Evaluator, node: Node) -> Any:
    base, exponent = node.parts
    if base.kind == "constant" and base.value == "e":
        return _exp(evaluator, evaluator.value(exponent))
    try:
        exact = rational(exponent)
    except NotDecidable:
        raised = evaluator.value(exponent)
        value = evaluator.value(base)
        whole = evaluator.context.isint(raised)
        return evaluator.power(value if whole else evaluator.nonnegative(value), raised)
    if exact.denominator == 1:
        return evaluator.power(evaluator.value(base), exact.numerator)
    return evaluator.power(evaluator.nonnegative(evaluator.value(base)), evaluator.fraction(exact))


def _exp(evaluator: Evaluator, value: Any) -> Any:
    if abs(value) > _MAX_EXPONENT:
        raise NotDecidable("a power that is too large")
    return evaluator.context.exp(value)


def _root(evaluator: Evaluator, node: Node) -> Any:
    inside = evaluator.value(node.parts[0])
    degree = rational(node.parts[1])
    if degree.denominator != 1 or not 1 <= degree <= 10_000:
        if degree == 0:
            raise Undefined
        return evaluator.power(evaluator.nonnegative(inside), 1 / evaluator.fraction(degree))
    count = degree.numerator
    if count % 2 == 0:
        inside = evaluator.nonnegative(inside)
    if count == 2:
        return evaluator.context.sqrt(inside)
    if count % 2 and not isinstance(inside, evaluator.context.mpc) and inside < 0:
        return -evaluator.context.root(-inside, count)
    return evaluator.context.root(inside, count)


def _symbol(evaluator: Evaluator, node: Node) -> Any:
    if node.value not in evaluator.values:
        raise NotDecidable(f"{node.value} has no value")
    return evaluator.values[node.value]


def _constant(evaluator: Evaluator, node: Node) -> Any:
    if node.value == "infinity":
        raise Undefined
    if node.value == "i":
        return evaluator.context.mpc(0, 1)
    return +evaluator.context.pi if node.value == "pi" else +evaluator.context.e


def _apply(evaluator: Evaluator, node: Node) -> Any:
    """Evaluate an unknown function f as a fixed polynomial; the value of its name is a coefficient."""
    total = evaluator.values[node.value]
    for place, part in enumerate(node.parts):
        value = evaluator.value(part)
        total = total * (place + 2) + value * value * evaluator.values[node.value] + 3 * value
    return total


def _quantity(evaluator: Evaluator, node: Node) -> Any:
    value = evaluator.value(node.parts[0])
    if node.value in {PERCENT, PERMILLE}:
        return value * evaluator.fraction(node.value.factor)
    return value * evaluator.context.pi / 180 if node.value == DEGREE else value


def _function(evaluator: Evaluator, node: Node) -> Any:
    name = node.value
    if name == "binomial" or name == "factorial" or name == "factorial2":
        return _combinatorial(evaluator, node)
    if name in {"gcd", "lcm", "mod"}:
        return evaluator.fraction(rational(Node("function", _integers(evaluator, node), name)))
    if name in {"max", "min"}:
        values = [evaluator.real(part) for part in node.parts]
        return max(values) if name == "max" else min(values)
    if name == "log":
        value, base = (
            evaluator.value(node.parts[0]),
            evaluator.value(node.parts[1]) if len(node.parts) > 1 else None,
        )
        if value == 0 or base == 0 or base == 1:
            raise Undefined
        evaluator.nonnegative(value)
        return (
            evaluator.context.log(value) / evaluator.context.log(base)
            if base is not None
            else evaluator.context.log10(value)
        )
    if len(node.parts) != 1 or name not in _FUNCTIONS:
        raise NotDecidable(f"the function {name}")
    value = evaluator.value(node.parts[0])
    if name == "exp":
        return _exp(evaluator, value)
    if name in {"ln", "lg", "log2"} and (value == 0 or evaluator.nonnegative(value) == 0):
        raise Undefined
    if name in _ROUNDINGS:
        return _rounded(evaluator.context, value, name)
    if evaluator.only_real and name in _BOUNDED_DOMAIN and not _BOUNDED_DOMAIN[name](value):
        raise Undefined
    largest = _MAX_FACTORIAL if name in _FAST_GROWING else _MAX_ARGUMENT
    if name not in _UNBOUNDED_ARGUMENT and abs(value) > largest:
        raise NotDecidable(f"{name} of a number that is too large")
    return _FUNCTIONS[name](evaluator.context, value)


def _integers(evaluator: Evaluator, node: Node) -> tuple[Node, ...]:
    """Return the values of the parts of a node, which must be integers, as nodes."""
    values = [evaluator.real(part) for part in node.parts]
    if not all(evaluator.context.isint(value) and abs(value) < _MAX_ARGUMENT for value in values):
        raise Undefined
    return tuple(number(int(value)) for value in values)


def _rounded(context: Any, value: Any, name: str) -> Any:
    """Return a floor or ceiling; a value that differs from an integer by a rounding error is that integer."""
    if isinstance(value, context.mpc):
        raise Undefined
    nearest = context.nint(value)
    if abs(value - nearest) <= max(1, abs(value)) * context.mpf(10) ** (8 - context.dps):
        return nearest
    return context.floor(value) if name == "floor" else context.ceil(value)


def _combinatorial(evaluator: Evaluator, node: Node) -> Any:
    try:
        return evaluator.fraction(rational(node))
    except NotDecidable:
        values = [evaluator.value(part) for part in node.parts]
    if any(abs(value) > _MAX_FACTORIAL for value in values):
        raise NotDecidable("a factorial that is too large")
    if node.value == "factorial2":
        return evaluator.context.fac2(values[0])
    return (
        evaluator.context.factorial(values[0])
        if node.value == "factorial"
        else evaluator.context.binomial(*values)
    )


def _series(evaluator: Evaluator, node: Node) -> Any:
    """Evaluate a finite sum or product of a bounded number of terms."""
    if node.value not in {"sum", "product"}:
        raise NotDecidable(f"an {node.value}")
    variable, below, above, body = node.parts
    first, last = evaluator.integer(below), evaluator.integer(above)
    if last - first >= MAX_TERMS:
        raise NotDecidable("a series of too many terms")
    shadowed = evaluator.values.get(variable.value)
    total = evaluator.context.mpf(0 if node.value == "sum" else 1)
    for index in range(first, last + 1):
        evaluator.values[variable.value] = evaluator.context.mpf(index)
        term = evaluator.value(body)
        total = total + term if node.value == "sum" else total * term
    if shadowed is None:
        evaluator.values.pop(variable.value, None)
    else:
        evaluator.values[variable.value] = shadowed
    return total


_EVALUATE: dict[str, Callable[[Evaluator, Node], Any]] = {
    "number": lambda evaluator, node: evaluator.fraction(node.value),
    "symbol": _symbol,
    "constant": _constant,
    "sum": _sum,
    "product": _product,
    "negative": lambda evaluator, node: -evaluator.value(node.parts[0]),
    "quotient": _quotient,
    "power": _power,
    "root": _root,
    "apply": _apply,
    "quantity": _quantity,
    "function": _function,
    "based": lambda evaluator, node: evaluator.fraction(based_value(node)),
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

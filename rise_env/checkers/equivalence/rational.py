"""Exact values of rational expressions, and their values modulo a prime for identity tests.

The modular identity test evaluates two rational functions over Q at pseudo-random points modulo two primes of
61 bits. By the Schwartz-Zippel lemma, different functions pass it with a probability below 1e-30. The cost
does not depend on the size of their expansions.

Source: Schwartz 1980, "Fast probabilistic algorithms for verification of polynomial identities".
"""

from fractions import Fraction
from hashlib import blake2b
from math import comb, factorial, gcd, lcm, prod

from rise_env.checkers.limits import NotDecidable, Undefined
from rise_env.checkers.parsing.tree import Node
from rise_env.checkers.parsing.units import PERCENT

PRIMES = (2**61 - 1, 2**61 - 31)
_MAX_BITS = 12_000
"""Bits of numerator and denominator together of a fraction that is computed."""
_MAX_FACTORIAL, _MAX_BINOMIAL = 1000, 4000
"""Arguments of factorials and binomial coefficients that are computed."""
_INTEGER_FUNCTIONS = {"gcd": gcd, "lcm": lcm}


def rational(node: Node) -> Fraction:
    """Return the exact value of a constant rational expression.

    Raises:
        NotDecidable: It is no such expression, or its value has too many digits.
        Undefined: It divides by zero.
    """
    kind, parts, value = node
    if kind == "number":
        return value if type(value) is Fraction else Fraction(value)
    if kind == "negative":
        return -rational(parts[0])
    if kind == "sum":
        return _bounded(sum((rational(part) for part in parts), Fraction(0)))
    if kind == "product":
        return _bounded(prod((rational(part) for part in parts), start=Fraction(1)))
    if kind == "quotient":
        under = rational(parts[1])
        if under == 0:
            raise Undefined
        return _bounded(rational(parts[0]) / under)
    if kind == "power":
        return _power(rational(parts[0]), rational(parts[1]))
    if kind == "quantity" and value == PERCENT:
        return rational(parts[0]) / 100
    if kind == "based":
        return based_value(node)
    if kind == "function":
        return _function(value, [rational(part) for part in parts])
    raise NotDecidable(f"a {kind} is no rational expression")


def based_value(node: Node) -> Fraction:
    """Return the value of digits in a base."""
    digits, base = node.value
    try:
        whole, _, decimals = digits.partition(".")
        return Fraction(int(f"{whole}{decimals}", base), base ** len(decimals))
    except ValueError:
        raise Undefined from None


def _bounded(value: Fraction) -> Fraction:
    if value.numerator.bit_length() + value.denominator.bit_length() > _MAX_BITS:
        raise NotDecidable("a number of too many digits")
    return value


def _power(base: Fraction, exponent: Fraction) -> Fraction:
    if exponent.denominator != 1:
        raise NotDecidable("a root")
    count = exponent.numerator
    if base == 0 and count <= 0:
        raise Undefined
    if abs(count) * (base.numerator.bit_length() + base.denominator.bit_length()) > _MAX_BITS:
        if base in {0, 1}:
            return base
        raise NotDecidable("a power of too many digits")
    return Fraction(base**count)


def _function(name: str, values: list[Fraction]) -> Fraction:
    whole = [value.numerator for value in values if value.denominator == 1]
    first = values[0]
    if name == "abs":
        return abs(first)
    if name in {"floor", "ceil"}:
        return Fraction(first.__floor__() if name == "floor" else first.__ceil__())
    if name in {"max", "min"}:
        return max(values) if name == "max" else min(values)
    if len(whole) == len(values):
        if name == "factorial" and 0 <= whole[0] <= _MAX_FACTORIAL:
            return Fraction(factorial(whole[0]))
        if name == "factorial2" and 0 <= whole[0] <= _MAX_FACTORIAL:
            return Fraction(prod(range(whole[0], 0, -2)))
        if name == "binomial" and len(whole) == 2 and whole[1] >= 0 and 0 <= whole[0] <= _MAX_BINOMIAL:
            return Fraction(comb(whole[0], whole[1]))
        if name in _INTEGER_FUNCTIONS:
            return Fraction(_INTEGER_FUNCTIONS[name](*whole))
        if name == "mod" and whole[1] > 0:
            return Fraction(whole[0] % whole[1])
    raise NotDecidable(f"{name} is not rational here")


def evaluate_modulo(node: Node, prime: int, point: int) -> int:
    """Return the value of a rational expression modulo `prime`.

    Args:
        node: The expression.
        prime: The modulus.
        point: The number of the sample point; with the name of a variable it determines its value.

    Raises:
        NotDecidable: It is no rational expression.
        Undefined: It divides by zero at this point.
    """
    kind, parts, value = node
    if kind == "number":
        return int(value.numerator * pow(value.denominator, -1, prime) % prime)
    if kind == "symbol":
        digest = blake2b(f"{value} {point}".encode(), digest_size=8).digest()
        return int.from_bytes(digest, "big") % prime
    if kind == "negative":
        return -evaluate_modulo(parts[0], prime, point) % prime
    if kind == "sum":
        return sum(evaluate_modulo(part, prime, point) for part in parts) % prime
    if kind == "product":
        total = 1
        for part in parts:
            total = total * evaluate_modulo(part, prime, point) % prime
        return total
    if kind == "quotient":
        return (
            evaluate_modulo(parts[0], prime, point)
            * _inverse(evaluate_modulo(parts[1], prime, point), prime)
            % prime
        )
    if kind == "power":
        exponent = rational(parts[1])
        if exponent.denominator != 1:
            raise NotDecidable("a root")
        base = evaluate_modulo(parts[0], prime, point)
        if exponent < 0 or (exponent == 0 and base == 0):
            base = _inverse(base, prime)
        return pow(base, abs(exponent.numerator), prime)
    return evaluate_modulo(Node("number", (), rational(node)), prime, point)


def _inverse(value: int, prime: int) -> int:
    if value == 0:
        raise Undefined
    return pow(value, -1, prime)

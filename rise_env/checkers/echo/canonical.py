r"""Canonical forms of trees: equal for two spellings of one expression, but not after a part is evaluated.

These count as spelling: the order of terms, factors and items, brackets, `+0`, `1\cdot`, `/1`, `^1`, double
signs, a term that is added and subtracted again, a factor in both numerator and denominator, `x \cdot x` and
`x^2`, a fraction and a quotient, a root and a power, sets and lists. No numbers are added or multiplied, so
that `2+3` and `5` differ, and so do `\frac{2}{4}` and `\frac12`.
"""

from collections import Counter

from rise_env.checkers.equivalence.unit_match import split_unit
from rise_env.checkers.parsing.tree import ONE, Node
from rise_env.checkers.parsing.units import DEGREE, PERCENT, PERMILLE

_UNORDERED = frozenset({"gcd", "lcm", "max", "min"})
_COLLECTIONS = frozenset({"list", "set", "tuple"})
_MAX_REPEATS = 50
"""Largest integer exponent that is written as repeated factors."""


def canonical(node: Node) -> str:
    """Return the canonical form of a tree."""
    sign, text = _signed(node)
    return f"-{text}" if sign < 0 and text != "0" else text


def without_unit(node: Node) -> Node:
    """Return a value without its unit; a percentage stays one."""
    bare, unit = split_unit(node)
    return node if unit is None or unit in {PERCENT, PERMILLE} else bare


def _signed(node: Node) -> tuple[int, str]:
    """Return the sign of a tree and the canonical form of its absolute part."""
    kind, parts, value = node
    if kind == "number":
        return (-1 if value < 0 else 1), str(abs(value))
    if kind == "symbol":
        return 1, str(value)
    if kind == "constant":
        return 1, f"!{value}"
    if kind == "negative":
        sign, text = _signed(parts[0])
        return -sign, text
    if kind == "sum":
        return _sum(node)
    if kind in {"product", "quotient", "power", "root"}:
        return _product(node)
    if kind in _COLLECTIONS:
        return 1, f"{{{' '.join(sorted(map(canonical, parts)))}}}"
    if kind == "relation":
        return 1, _relation(node)
    if kind == "quantity":
        unit = {PERCENT: "%", PERMILLE: "%%", DEGREE: "deg"}.get(value, "unit")
        return 1, f"({unit} {canonical(parts[0])})"
    texts = [canonical(part) for part in parts]
    if kind == "function":
        if value in _UNORDERED:
            texts.sort()
        return 1, f"({'abs' if value == 'norm' else value} {' '.join(texts)})"
    return 1, f"({kind} {value} {' '.join(texts)})"


def _sum(node: Node) -> tuple[int, str]:
    terms: Counter[str] = Counter()
    waiting = [(1, node)]
    while waiting:
        sign, term = waiting.pop()
        only = _only_factor(term)
        if term.kind == "sum":
            waiting.extend((sign, part) for part in term.parts)
        elif term.kind == "negative":
            waiting.append((-sign, term.parts[0]))
        elif only is not None:
            waiting.append((sign, only))
        else:
            own, text = _signed(term)
            if text != "0":
                terms[text] += sign * own
    kept = sorted((text, count) for text, count in terms.items() if count)
    if not kept:
        return 1, "0"
    sign = 1 if kept[0][1] > 0 else -1
    if len(kept) == 1 and abs(kept[0][1]) == 1:
        return sign, kept[0][0]
    pieces = [f"{'-' if sign * count < 0 else ''}{text}" for text, count in kept for _ in range(abs(count))]
    return sign, f"(+ {' '.join(pieces)})"


def _only_factor(node: Node) -> Node | None:
    r"""Return the x of `1 \cdot x`, `x/1` and `x^1`; None for every other tree."""
    if node.kind == "product":
        others = [part for part in node.parts if part != ONE]
        return others[0] if len(others) == 1 else None
    return node.parts[0] if node.kind in {"quotient", "power"} and node.parts[1] == ONE else None


def _product(node: Node) -> tuple[int, str]:
    factors: Counter[str] = Counter()
    sign = 1
    waiting = [(1, node)]
    while waiting:
        exponent, factor = waiting.pop()
        kind, parts, _ = factor
        if kind == "product":
            waiting.extend((exponent, part) for part in parts)
        elif kind == "quotient":
            waiting += [(exponent, parts[0]), (-exponent, parts[1])]
        elif kind == "power" and (count := _integer(parts[1])) is not None:
            waiting.append((exponent * count, parts[0]))
        elif kind == "negative":
            sign *= -1 if exponent % 2 else 1
            waiting.append((exponent, parts[0]))
        else:
            own, text = _power(factor) if kind in {"power", "root"} else _signed(factor)
            if text == "0" and exponent > 0:
                return 1, "0"
            sign *= own if exponent % 2 else 1
            if text != "1":
                factors[text] += exponent
    kept = sorted((text, count) for text, count in factors.items() if count)
    if not kept:
        return sign, "1"
    if len(kept) == 1 and kept[0][1] == 1:
        return sign, kept[0][0]
    return sign, f"(* {' '.join(text if count == 1 else f'{text}^{count}' for text, count in kept)})"


def _power(node: Node) -> tuple[int, str]:
    """Return the form of a power whose exponent is not a small integer, or of a root."""
    base, exponent = node.parts
    if node.kind == "root":
        under = canonical(exponent)
        return (1, canonical(base)) if under == "1" else (1, f"(^ {canonical(base)} (* {under}^-1))")
    return 1, f"(^ {canonical(base)} {canonical(exponent)})"


def _integer(node: Node) -> int | None:
    """Return the value of a small integer other than 0; None for every other tree."""
    sign = 1
    while node.kind == "negative":
        sign, node = -sign, node.parts[0]
    if node.kind == "number" and node.value.denominator == 1 and 0 < abs(node.value) <= _MAX_REPEATS:
        return sign * int(node.value)
    return None


def _relation(node: Node) -> str:
    sides = [canonical(part) for part in node.parts]
    if set(node.value) <= {"=", "≡", "≈"}:
        return f"(= {' '.join(sorted(sides))})"
    if set(node.value) <= {">", ">="}:
        signs = [sign.replace(">", "<") for sign in reversed(node.value)]
        return f"({' '.join(signs)} {' '.join(reversed(sides))})"
    return f"({' '.join(node.value)} {' '.join(sides)})"

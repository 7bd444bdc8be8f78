r"""Parses a cleaned answer into a tree: one Pratt parser for LaTeX and plain notation.

An answer must be understood to its end: if a prefix can be parsed and the rest cannot, the answer is refused.
The binding powers are in `vocabulary.py`; from loose to tight they are relation, ratio, set operation, sum,
product, sign, power. Lists are split before any operator is read.

Source: Pratt 1973, "Top down operator precedence".
"""

from itertools import pairwise

from rise_env.checkers.limits import MAX_ITEMS, MAX_NESTING, MAX_SIGNS, MAX_TREE_DEPTH, Unreadable
from rise_env.checkers.parsing import operands, vocabulary
from rise_env.checkers.parsing.brackets import parse_bracket
from rise_env.checkers.parsing.commands import parse_command
from rise_env.checkers.parsing.cursor import Cursor
from rise_env.checkers.parsing.functions import parse_function
from rise_env.checkers.parsing.lexer import Token, tokenize
from rise_env.checkers.parsing.tree import ZERO, Node, depth
from rise_env.checkers.parsing.units import read_unit
from rise_env.checkers.parsing.vocabulary import POWER, PRODUCT, RATIO, RELATION, SIGN, SUM, UNION
from rise_env.checkers.parsing.word_operands import (
    add_quantities,
    parse_smaller_unit,
    parse_words,
    parse_words_after,
)

_MAX_PREFIX_SIGNS = 3
"""Signs before one term, less one."""
_SETS = frozenset({"reals", "set", "union", "integers", "rationals", "complexes", "naturals"})
_ELEMENTS = frozenset({"number", "negative", "quotient", "root", "constant"})
_ORDER_OR_MEMBERSHIP = frozenset({"<", ">", "<=", ">=", "!=", "∈"})
_IMAGINARY_UNIT = Node("constant", (), "i")


class Parser(Cursor):
    """Parses the tokens of one answer; use it once."""

    def __init__(self, tokens: list[Token]) -> None:
        super().__init__(tokens)
        self._plus_minus_signs = 0

    def answer(self) -> Node:
        """Parse all tokens: one item, or a list of several.

        Raises:
            Unreadable: A token is left over, or a part cannot be parsed.
        """
        items, separators = self.items()
        if len(items) == 1 and self.accept("over"):
            return Node("quotient", (items[0], self.expression(RELATION)))
        if self.token.kind != "end":
            raise Unreadable(f"{self.token.value!r} is left over")
        return _combine(items, separators)

    def items(self) -> tuple[list[Node], list[str]]:
        """Parse items and their separators, up to the first token that is neither."""
        items = [self.relation()]
        separators: list[str] = []
        while True:
            kind, separator, _ = self.token
            if kind != "operator" or separator not in vocabulary.SEPARATORS:
                return items, separators
            self.position += 1
            while separator in {",", ";"} and self.at("and", "or"):
                separator = self.take().value
            if self.token.kind == "end":
                return items, separators
            separators.append(separator)
            items.append(self.relation())
            if len(items) > MAX_ITEMS:
                raise Unreadable("a list of too many items")

    def relation(self) -> Node:
        """Parse an expression, or a chain of relations such as `1 < x <= 3`."""
        node = self.expression(RELATION)
        kind, value, _ = self.token
        if kind != "operator":
            return node
        if value in vocabulary.RELATIONS:
            node = self._chain(node)
        if self.accept("pmod", "mod"):
            node = Node("modulo", (node, self.expression(SUM)))
        return node

    def _chain(self, first: Node) -> Node:
        """Parse the signs and sides after the first side of a chain of relations."""
        sides, signs = [first], []
        while self.token.kind == "operator" and self.token.value in vocabulary.RELATIONS:
            signs.append(self.take().value)
            sides.append(self.expression(RELATION))
        return Node("relation", tuple(sides), tuple(signs))

    def expression(self, binding_power: int) -> Node:
        """Parse an expression whose operators bind more tightly than `binding_power`."""
        self.nesting += 1  # as in `enter`, without a call
        if self.nesting > MAX_NESTING:
            raise Unreadable("nested too deeply")
        left = self._signed_operand()
        while True:
            extended = self._extend(left, binding_power)
            if extended is None:
                self.nesting -= 1
                return left
            left = extended

    def atom(self) -> Node:
        """Parse one operand without operators."""
        self.nesting += 1
        if self.nesting > MAX_NESTING:
            raise Unreadable("nested too deeply")
        node = self._operand()
        self.nesting -= 1
        return node

    def _operand(self) -> Node:
        kind, value, _ = self.token
        if kind == "number":
            return operands.parse_number(self)
        if kind == "letter":
            return operands.parse_name(self)
        if kind == "constant":
            self.take()
            return Node("constant", (), value)
        if kind == "object":
            self.take()
            return Node(value)
        if kind == "name":
            return parse_function(self)
        if kind == "accent":
            self.take()
            name = f"{value} {self.raw_argument()}"
            return Node("symbol", (), f"{name}_{self.raw_argument()}" if self.accept("_") else name)
        if kind == "command":
            if value == "frac":
                self.take()
                return Node("quotient", (operands.parse_argument(self), operands.parse_argument(self)))
            return parse_command(self)
        if kind == "operator":
            if value in operands.CURRENCIES:
                self.take()
                return Node("quantity", (self.expression(PRODUCT),), read_unit(operands.CURRENCIES[value]))
            return parse_bracket(self)
        if kind in {"word", "text"}:
            return parse_words(self)
        raise Unreadable("it ends too early")

    def _signed_operand(self) -> Node:
        """Parse the start of an expression: an operand with its signs."""
        if self.token.kind != "operator":
            return self.atom()
        sign, first = "", self.position
        while self.at("+", "-"):
            if self.position - first > _MAX_PREFIX_SIGNS:
                raise Unreadable("too many signs")
            sign = "-" if (self.take().value == "-") != (sign == "-") else ""
        if self.at("±", "∓"):
            value = self.take().value
            self._count_plus_minus()
            node = Node("plusminus", (ZERO, self.expression(SIGN)), value)
        elif sign:
            node = self.expression(SIGN)
        else:
            node = self.atom()
        return Node("negative", (node,)) if sign else node

    def _count_plus_minus(self) -> None:
        self._plus_minus_signs += 1
        if self._plus_minus_signs > MAX_SIGNS:
            raise Unreadable("too many plus-minus signs")

    def _extend(self, left: Node, power: int) -> Node | None:
        """Parse an operator and its right side; return None where none binds more tightly than `power`."""
        kind, value, _ = self.token
        if kind == "end":
            return None
        if kind == "operator":
            if value in vocabulary.ENDS:
                return None
            if value == "^" and power < POWER:
                return operands.parse_superscript(self, left)
            if value in vocabulary.POSTFIX and not (value == "!" and self.peek().value == "="):
                return operands.parse_postfix(self, left)
            if value in operands.CURRENCIES and left.kind in {"number", "product", "quotient"}:
                return operands.parse_currency_after(self, left)
            if value in {"+", "-", "±", "∓"}:
                return self._sum(left) if power < SUM else None
            if value in {"*", "/", "mod"}:
                if power >= PRODUCT or (value == "mod" and power >= SUM):
                    return None
                self.take()
                right = self.expression(PRODUCT)
                if value == "mod":
                    return Node("function", (left, right), "mod")
                return Node("quotient", (left, right)) if value == "/" else _product(left, right)
            if value in vocabulary.SET_OPERATIONS and power < UNION:
                self.take()
                right = self.expression(UNION)
                if value == "∖" and right.kind in _ELEMENTS:
                    right = Node("set", (right,))  # ℝ∖{0}, without backslashes before the braces
                same = left.kind == vocabulary.SET_OPERATIONS[value] != "setminus"
                parts = (*left.parts, right) if same else (left, right)
                return Node(vocabulary.SET_OPERATIONS[value], parts)
            if value in {":", "to"} and power < RATIO and not self.in_set:
                self.take()
                parts = left.parts if left.kind == "ratio" else (left,)
                return Node("ratio", (*parts, self.expression(RATIO)))
        if kind in {"word", "text"}:
            return parse_words_after(self, left)
        if kind == "number" and power < PRODUCT and self._may_precede_number(left):
            return _product(left, self.expression(PRODUCT))
        if kind == "number" and left.kind == "quantity":
            return parse_smaller_unit(self, left)
        return self._implicit_product(left, power)

    def _may_precede_number(self, left: Node) -> bool:
        """Return whether a number may follow as a factor: after i, a bracket, a factorial, or 2^{n}."""
        before = self.tokens[self.position - 1]
        last = left.parts[-1] if left.kind == "product" else left
        after_power = last.kind == "power" and before.kind != "number"
        return left == _IMAGINARY_UNIT or before.value in {")", "]", "!"} or after_power

    def _sum(self, left: Node) -> Node:
        """Parse a sign and a term, and add them to `left`."""
        value = self.take().value
        right = self.expression(SUM)
        if value in "±∓":
            self._count_plus_minus()
            return Node("plusminus", (left, right), value)
        if value == "-" and left.kind in _SETS and right.kind in _SETS:
            return Node("setminus", (left, right))
        term = Node("negative", (right,)) if value == "-" else right
        return Node("sum", (*left.parts, term) if left.kind == "sum" else (left, term))

    def _implicit_product(self, left: Node, power: int) -> Node | None:
        """Parse the second factor of a product that is written without a sign."""
        kind, value, _ = self.token
        starts = (
            kind in {"letter", "constant", "name", "command", "accent", "object"}
            or (kind == "operator" and value in vocabulary.STARTS)
            or (kind == "operator" and value == "|" and not self.open_bars and not self.in_set)
        )
        if not starts or power >= PRODUCT:
            return None
        if value in {"\\", "end", "hline"} and kind == "command":
            return None
        return _product(left, self.expression(PRODUCT))


def _product(left: Node, right: Node) -> Node:
    return Node("product", (*left.parts, right) if left.kind == "product" else (left, right))


def _is_one_quantity(items: list[Node]) -> bool:
    """Return whether items are one quantity in ever smaller units: 3 hours and 20 minutes."""
    units = [item.value for item in items if item.kind == "quantity"]
    return len(units) == len(items) and all(
        before.dimension == after.dimension and before.factor > after.factor
        for before, after in pairwise(units)
    )


def _combine(items: list[Node], separators: list[str]) -> Node:
    """Return a single item itself, relations as one statement, and all else as a list."""
    if len(items) == 1:
        return items[0]
    if _is_one_quantity(items):
        total = items[0]
        for item in items[1:]:
            total = add_quantities(total, item)
        return total
    if all(item.kind == "relation" and _ORDER_OR_MEMBERSHIP.intersection(item.value) for item in items):
        # relations with only commas between them hold together if they can, and else are alternatives
        word = "or" if "or" in separators else "and" if "and" in separators else "both"
        return Node(word, tuple(items))
    return Node("list", tuple(items), ";" if ";" in separators else None)


def parse(text: str, *, groups: bool = True) -> Node:
    """Return the tree of a cleaned answer.

    Args:
        text: What `normalize.clean` returned.
        groups: Whether `1,234` outside of brackets is one number.

    Raises:
        PlainText: It holds words that belong to no number.
        Unreadable: It cannot be read as mathematics.
    """
    tokens = tokenize(text, groups=groups)
    many = len(tokens) > MAX_TREE_DEPTH // 2  # a token adds at most two levels, so few tokens need no count
    node = Parser(tokens).answer()
    if many and depth(node) > MAX_TREE_DEPTH:
        raise Unreadable("nested too deeply")
    return node

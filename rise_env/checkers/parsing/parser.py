r"""Reads a cleaned answer into a tree: one Pratt parser for LaTeX and plain notation.

What is not understood is refused as a whole: a prefix that happens to parse is not an answer. Binding
powers, loosest first: list, relation, ratio, set operation, sum, product, sign, power.
"""

from itertools import pairwise

from rise_env.checkers.limits import MAX_ITEMS, MAX_SIGNS, Unreadable
from rise_env.checkers.parsing import operands as atoms
from rise_env.checkers.parsing import vocabulary
from rise_env.checkers.parsing import word_operands as parser_words
from rise_env.checkers.parsing.lexer import Token, tokenize
from rise_env.checkers.parsing.tree import ZERO, Node
from rise_env.checkers.parsing.vocabulary import POWER, PRODUCT, RATIO, RELATION, SIGN, SUM, UNION

_SETS = frozenset({"reals", "set", "union", "integers", "rationals", "complexes", "naturals"})


class Parser:
    """Walks over the tokens of one answer."""

    def __init__(self, tokens: list[Token]) -> None:
        self.tokens = tokens
        self.position = 0
        self.bars = 0  # open |...|
        self.in_set = False
        self.signs = 0  # plus-minus signs
        self.calls = 0

    # --- tokens
    @property
    def token(self) -> Token:
        """The next token."""
        return self.tokens[self.position]

    def peek(self, ahead: int = 1) -> Token:
        """The token `ahead` places behind the next one."""
        return self.tokens[min(self.position + ahead, len(self.tokens) - 1)]

    def take(self) -> Token:
        """Consume and return the next token."""
        token = self.tokens[self.position]
        self.position += token.kind != "end"
        return token

    def at(self, *values: str) -> bool:
        """Return whether the next token is one of these operators."""
        return self.token.kind == "operator" and self.token.value in values

    def accept(self, *values: str) -> bool:
        """Consume the next token if it is one of these operators."""
        found = self.at(*values)
        self.position += found
        return found

    def expect(self, value: str) -> None:
        """Consume one operator or refuse."""
        if not self.accept(value):
            raise Unreadable(f"{self.token.value or 'the end'} where {value} was expected")

    # --- grammar
    def answer(self) -> Node:
        """Read everything: one item or a list of several."""
        items, separators = self.items()
        if len(items) == 1 and self.accept("over"):
            return Node("quotient", (items[0], self.expression(RELATION)))
        if self.token.kind != "end":
            raise Unreadable(f"{self.token.value!r} is left over")
        return combine(items, separators)

    def items(self) -> tuple[list[Node], list[str]]:
        """Read items and what separates them, up to something else."""
        items, separators = [self.relation()], []
        while self.at(*vocabulary.SEPARATORS):
            separator = self.take().value
            while separator in {",", ";"} and self.at("and", "or"):
                separator = self.take().value
            if self.token.kind == "end":
                break
            separators.append(separator)
            items.append(self.relation())
            if len(items) > MAX_ITEMS:
                raise Unreadable("a list of too many items")
        return items, separators

    def relation(self) -> Node:
        """Read an expression, or a chain of relations such as `1 < x <= 3`."""
        sides, signs = [self.expression(RELATION)], []
        while self.token.kind == "operator" and self.token.value in vocabulary.RELATIONS:
            signs.append(self.take().value)
            sides.append(self.expression(RELATION))
        node = Node("relation", tuple(sides), tuple(signs)) if signs else sides[0]
        if self.accept("pmod", "mod"):
            node = Node("modulo", (node, self.expression(SUM)))
        return node

    def expression(self, power: int) -> Node:
        """Read an expression whose operators bind more tightly than `power`."""
        self.calls += 1
        if self.calls > vocabulary.MAX_CALL_DEPTH:
            raise Unreadable("nested too deeply")
        left = self.prefix()
        while True:
            right = self.infix(left, power)
            if right is None:
                self.calls -= 1
                return left
            left = right

    def prefix(self) -> Node:
        """Read what may begin an expression."""
        sign, first = "", self.position
        while self.at("+", "-"):
            if self.position - first > vocabulary.MAX_PREFIXES:
                raise Unreadable("too many signs")
            sign = "-" if (self.take().value == "-") != (sign == "-") else ""
        if self.at("±", "∓"):
            value = self.take().value
            self.count_sign()
            node = Node("plusminus", (ZERO, self.expression(SIGN)), value)
        elif sign:
            node = self.expression(SIGN)
        else:
            node = atoms.atom(self)
        return Node("negative", (node,)) if sign else node

    def count_sign(self) -> None:
        """Refuse more plus-minus signs than can be expanded."""
        self.signs += 1
        if self.signs > MAX_SIGNS:
            raise Unreadable("too many plus-minus signs")

    def infix(self, left: Node, power: int) -> Node | None:
        """Read one operator and its right side, or return None where `left` is complete."""
        kind, value, _ = self.token
        if kind == "end":
            return None
        if kind == "operator":
            if value == "^" and power < POWER:
                return atoms.superscript(self, left)
            if value in vocabulary.POSTFIX and not (value == "!" and self.peek().value == "="):
                return atoms.postfix(self, left)
            if value in atoms.CURRENCIES and left.kind in {"number", "product", "quotient"}:
                return atoms.currency_behind(self, left)
            if value in {"+", "-", "±", "∓"}:
                return self.sum(left) if power < SUM else None
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
                same = left.kind == vocabulary.SET_OPERATIONS[value] != "setminus"
                parts = (*left.parts, right) if same else (left, right)
                return Node(vocabulary.SET_OPERATIONS[value], parts)
            if value in {":", "to"} and power < RATIO and not self.in_set:
                self.take()
                parts = left.parts if left.kind == "ratio" else (left,)
                return Node("ratio", (*parts, self.expression(RATIO)))
        if kind in {"word", "text"}:
            return parser_words.words_behind(self, left)
        behind_bracket = self.position and self.tokens[self.position - 1].value in {")", "]"}
        if kind == "number" and power < PRODUCT and (left == Node("constant", (), "i") or behind_bracket):
            return _product(left, self.expression(PRODUCT))
        if kind == "number" and left.kind == "tagged":
            return parser_words.smaller_unit(self, left)
        return self.implicit(left, power)

    def sum(self, left: Node) -> Node:
        """Read a sign and a term, and add them to `left`."""
        value = self.take().value
        right = self.expression(SUM)
        if value in "±∓":
            self.count_sign()
            return Node("plusminus", (left, right), value)
        if value == "-" and left.kind in _SETS and right.kind in _SETS:
            return Node("setminus", (left, right))
        term = Node("negative", (right,)) if value == "-" else right
        return Node("sum", (*left.parts, term) if left.kind == "sum" else (left, term))

    def implicit(self, left: Node, power: int) -> Node | None:
        """Read the second factor of a product without a sign."""
        kind, value, _ = self.token
        starts = (
            kind in {"letter", "constant", "name", "command", "accent", "whole"}
            or (kind == "operator" and value in vocabulary.STARTS)
            or (kind == "operator" and value == "|" and not self.bars and not self.in_set)
        )
        if not starts or power >= PRODUCT:
            return None
        if value in {"\\", "end", "hline"} and kind == "command":
            return None
        return _product(left, self.expression(PRODUCT))


def _product(left: Node, right: Node) -> Node:
    return Node("product", (*left.parts, right) if left.kind == "product" else (left, right))


def _is_one_amount(items: list[Node]) -> bool:
    """Return whether items are one amount in ever smaller units: 3 hours and 20 minutes."""
    units = [item.value for item in items if item.kind == "tagged"]
    return len(units) == len(items) and all(
        before.dimension == after.dimension and before.factor > after.factor
        for before, after in pairwise(units)
    )


def combine(items: list[Node], separators: list[str]) -> Node:
    """Return one item itself, several as a list, relations joined by words as a statement."""
    if len(items) == 1:
        return items[0]
    if _is_one_amount(items):
        total = items[0]
        for item in items[1:]:
            total = parser_words.add_amounts(total, item)
        return total
    order = {"<", ">", "<=", ">=", "!=", "∈"}
    if all(item.kind == "relation" and order.intersection(item.value) for item in items):
        # a comma alone joins what can hold together, else alternatives
        word = "or" if "or" in separators else "and" if "and" in separators else "both"
        return Node(word, tuple(items))
    return Node("list", tuple(items), ";" if ";" in separators else None)


def parse(text: str, *, groups: bool = True) -> Node:
    """Return the tree of a cleaned answer.

    Raises:
        PlainText: It holds words that belong to no number.
        Unreadable: It cannot be read as mathematics.
    """
    return Parser(tokenize(text, groups=groups)).answer()

r"""Numbers, names and TeX arguments, and what may follow an operand: powers, factorials, percent, degrees."""

from rise_env.checkers.limits import Unreadable
from rise_env.checkers.parsing import units
from rise_env.checkers.parsing.brackets import parse_bracket
from rise_env.checkers.parsing.cursor import Cursor
from rise_env.checkers.parsing.numerals import read_literal, read_number_words
from rise_env.checkers.parsing.tree import Node, number

ORDINALS = frozenset({"th", "st", "nd", "rd"})
CURRENCIES = {"$": "dollar", "£": "£", "€": "euro", "¥": "yen", "¢": "cent", "₹": "rupee",
              "₩": "₩", "₽": "₽", "₫": "₫",
              "₺": "₺", "₴": "₴", "₦": "₦", "₱": "₱", "฿": "฿", "₪": "₪"}  # fmt: skip
"""Currency signs, to the names by which `units.read_unit` knows them."""
_UNKNOWN_FUNCTIONS = frozenset("fghFGQ")
"""Letters that name a function, and no factor, if a bracket follows at once: f(x)."""


def parse_number(cursor: Cursor) -> Node:
    r"""Parse a number, in a base `12_7`, or mixed with a fraction: `3\frac{1}{2}` or `3 1/2`."""
    token = cursor.take()
    node = number(read_literal(token.value))
    if cursor.accept("_"):
        if not token.value.replace(".", "", 1).isdecimal():
            raise Unreadable("a subscript of a number that is no plain number")
        return Node("based", (), (token.value, _parse_base(cursor)))
    if not token.value.isdigit():
        return node
    following = cursor.token
    if following.kind == "command" and following.value == "frac":
        part = cursor.atom()
        kind = "sum" if _is_proper_fraction(part) and node.value != 0 else "product"
        return Node(kind, (node, part))
    if following.kind == "number":
        if following.value.isdigit() and cursor.peek().value == "/" and cursor.peek(2).value.isdigit():
            numerator = parse_number_token(cursor)
            cursor.expect("/")
            part = Node("quotient", (numerator, parse_number_token(cursor)))
            if _is_proper_fraction(part) and following.spaced:
                return Node("sum", (node, part))
        raise Unreadable("two numbers side by side")
    return node


def parse_number_token(cursor: Cursor) -> Node:
    """Parse one number token, and nothing that follows it."""
    return number(read_literal(cursor.take().value))


def _is_proper_fraction(node: Node) -> bool:
    """Return whether a quotient is one of positive integers, below 1, as in a mixed number."""
    over, under = node.parts
    integers = over.kind == under.kind == "number" and over.value.denominator == under.value.denominator == 1
    return integers and 0 < over.value < under.value


def _parse_base(cursor: Cursor) -> int:
    text = cursor.raw_argument()
    if text.isdigit() and len(text) <= 2:
        return int(text)
    words = read_number_words(text)
    if words is None or words > 36:
        raise Unreadable("a number with a subscript that is no base")
    return int(words)


def parse_name(cursor: Cursor) -> Node:
    """Parse a letter with its subscript and primes, or the application of an unknown function: f(x)."""
    name = cursor.take().value
    if cursor.accept("_"):
        name = f"{name}_{cursor.raw_argument()}"
    while cursor.accept("'"):
        name += "'"
    if name in _UNKNOWN_FUNCTIONS and cursor.at("(") and not cursor.token.spaced:
        inside = parse_bracket(cursor)
        return Node("apply", inside.parts if inside.kind == "tuple" else (inside,), name)
    if name in {"i", "e"}:
        return Node("constant", (), name)
    return Node("symbol", (), name)


def parse_argument(cursor: Cursor) -> Node:
    r"""Parse a TeX argument: a group, one digit, or one symbol.

    TeX takes one digit only, so `\frac94` is nine quarters. The lexer reads `94` as one token; this takes its
    first digit and leaves the rest as the next token.
    """
    token = cursor.token
    if token.kind == "number":
        digits = token.value
        if not digits.isdecimal():
            raise Unreadable("a decimal number as an argument without braces")
        cursor.tokens[cursor.position] = token._replace(value=digits[1:], spaced=False)
        if len(digits) == 1:
            cursor.position += 1
        return number(int(digits[0]))
    if token.kind == "operator" and token.value == "{":
        return parse_bracket(cursor)
    if token.kind in {"letter", "constant", "command", "name"}:
        return cursor.atom()
    raise Unreadable("an argument is missing")


# --- what may follow an operand
def parse_superscript(cursor: Cursor, left: Node) -> Node:
    r"""Parse what `^` raises: an exponent, a degree sign `90^\circ`, a prime, or an ordinal `5^{th}`."""
    cursor.expect("^")
    if left.kind == "number" and _accept_degree_letter(cursor):
        return _parse_degrees(cursor, left)
    opened = cursor.at("{") and cursor.peek().value in {"∘", "°", "'"}
    if opened or cursor.at("∘", "°", "'"):
        if opened:
            cursor.take()
        value = cursor.take().value
        if opened:
            cursor.expect("}")
        return _parse_degrees(cursor, left) if value in "∘°" else _with_prime(left)
    if cursor.at("{") and cursor.peek().value in ORDINALS and cursor.peek().kind in {"text", "word"}:
        cursor.raw_argument()
        return left
    return Node("power", (left, _parse_exponent(cursor)))


def _accept_degree_letter(cursor: Cursor) -> bool:
    """Consume the letter o, which some write for a degree sign, and return whether it was there."""
    braces = cursor.at("{") and cursor.peek(2).value == "}"
    letter = cursor.peek() if braces else cursor.token
    if letter.kind != "letter" or letter.value != "o":
        return False
    cursor.position += 3 if braces else 1
    return True


def _with_prime(left: Node) -> Node:
    if left.kind != "symbol":
        raise Unreadable("a prime after something that is no name")
    return Node("symbol", (), left.value + "'")


def _parse_exponent(cursor: Cursor) -> Node:
    cursor.enter()
    if cursor.accept("-"):
        node = Node("negative", (_parse_exponent(cursor),))
    else:
        cursor.accept("+")
        node = parse_number_token(cursor) if cursor.token.kind == "number" else cursor.atom()
        if cursor.at("^"):
            node = parse_superscript(cursor, node)
    cursor.leave()
    return node


def _parse_degrees(cursor: Cursor, left: Node) -> Node:
    """Parse the letter of a temperature after a degree sign, if one is there."""
    kind, value, _ = cursor.token
    if kind in {"letter", "text", "word"} and value[:1] in {"C", "F", "K"}:
        cursor.take()
        return Node("quantity", (left,), units.read_unit(value))
    return Node("quantity", (left,), units.DEGREE)


def parse_currency_after(cursor: Cursor, left: Node) -> Node:
    """Parse a currency sign that follows a number."""
    return Node("quantity", (left,), units.read_unit(CURRENCIES[cursor.take().value]))


def parse_postfix(cursor: Cursor, left: Node) -> Node:
    """Parse the sign of a factorial, percentage, degree or prime that follows `left`."""
    sign = cursor.take().value
    if sign == "!":
        count = 1
        while cursor.at("!") and cursor.peek().value != "=":
            cursor.take()
            count += 1
        if count > 2:
            raise Unreadable("too many factorial signs")
        return Node("function", (left,), "factorial" if count == 1 else "factorial2")
    if sign == "°":
        return _parse_degrees(cursor, left)
    if sign == "'":
        return _with_prime(left)
    if cursor.token.kind in {"number", "letter", "constant", "name"}:
        raise Unreadable("a percent sign inside an expression")
    return Node("quantity", (left,), units.PERCENT if sign == "%" else units.PERMILLE)

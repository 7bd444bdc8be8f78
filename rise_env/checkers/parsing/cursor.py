"""A position in a list of tokens, and what every part of the parser may ask of the whole parser.

The modules that parse one construct (`brackets`, `functions`, `commands`, ...) take a `Cursor`. They read
tokens with its methods, and reach the rest of the grammar through its abstract methods, which `parser.Parser`
implements. So no module of this folder imports one that imports it.
"""

from abc import ABC, abstractmethod

from rise_env.checkers.limits import MAX_NESTING, Unreadable
from rise_env.checkers.parsing.lexer import Token
from rise_env.checkers.parsing.tree import Node


class Cursor(ABC):
    """Reads tokens from left to right.

    Args:
        tokens: What `lexer.tokenize` returned; the last one has the kind "end".
    """

    def __init__(self, tokens: list[Token]) -> None:
        self.tokens = tokens
        self.position = 0
        self.open_bars = 0
        """Absolute values `|...|` that are open in the innermost bracket: there, `|` closes one."""
        self.in_set = False
        """Whether the innermost bracket is that of a set: there, `|` and `:` begin its condition."""
        self.nesting = 0
        """Calls of `enter` that `leave` has not ended."""

    def enter(self) -> None:
        """Count one more level of recursion; every cycle of calls in the parser has to call this.

        Raises:
            Unreadable: There are more than `MAX_NESTING` levels.
        """
        self.nesting += 1
        if self.nesting > MAX_NESTING:
            raise Unreadable("nested too deeply")

    def leave(self) -> None:
        """End the level of recursion that the last `enter` began."""
        self.nesting -= 1

    # --- tokens
    @property
    def token(self) -> Token:
        """The next token."""
        return self.tokens[self.position]

    def peek(self, ahead: int = 1) -> Token:
        """Return the token that is `ahead` places behind the next one."""
        return self.tokens[min(self.position + ahead, len(self.tokens) - 1)]

    def take(self) -> Token:
        """Consume and return the next token. The "end" token is returned, but never consumed."""
        token = self.tokens[self.position]
        self.position += token.kind != "end"
        return token

    def at(self, *values: str) -> bool:
        """Return whether the next token is one of these operators."""
        kind, value, _ = self.tokens[self.position]
        return kind == "operator" and value in values

    def accept(self, *values: str) -> bool:
        """Consume the next token if it is one of these operators, and return whether it was."""
        kind, value, _ = self.tokens[self.position]
        found = kind == "operator" and value in values
        self.position += found
        return found

    def expect(self, value: str) -> None:
        """Consume one operator.

        Raises:
            Unreadable: The next token is something else.
        """
        if not self.accept(value):
            raise Unreadable(f"found {self.token.value or 'the end'} where {value} was expected")

    def raw_argument(self) -> str:
        r"""Read a TeX argument without parsing it, for subscripts, accents and names: `12` of `x_{12}`."""
        if not self.accept("{"):
            token = self.take()
            if token.kind == "end":
                raise Unreadable("an argument is missing")
            return token.value
        pieces: list[str] = []
        depth = 1
        while True:
            token = self.take()
            if token.kind == "end":
                raise Unreadable("a brace is not closed")
            depth += (token.value == "{") - (token.value == "}")
            if depth == 0:
                return "".join(pieces)
            pieces.append(token.value)

    # --- grammar
    @abstractmethod
    def items(self) -> tuple[list[Node], list[str]]:
        """Parse items and their separators, up to the first token that is neither."""

    @abstractmethod
    def relation(self) -> Node:
        """Parse an expression, or a chain of relations such as `1 < x <= 3`."""

    @abstractmethod
    def expression(self, binding_power: int) -> Node:
        """Parse an expression whose operators bind more tightly than `binding_power`."""

    @abstractmethod
    def atom(self) -> Node:
        """Parse one operand without operators: a number, a name, a bracket, a command with its arguments."""

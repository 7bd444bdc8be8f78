"""Texts with a place for the question, filled in by one join."""

_MARK = "\0"


class Template:
    r"""A text with a field {question}, in the syntax of `str.format`.

    >>> Template("{question} Put it in \\boxed{{}}.").fill("2 + 2?")
    '2 + 2? Put it in \\boxed{}.'
    """

    __slots__ = ("_parts", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        self._parts = text.format(question=_MARK).split(_MARK)

    def fill(self, question: str) -> str:
        """Return the text with `question` in its place."""
        return question.join(self._parts)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Template) and self.text == other.text

    def __hash__(self) -> int:
        return hash(self.text)

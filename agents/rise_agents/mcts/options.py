r"""Splits a reply into options, the texts that one edge of a search tree adds.

| kind      | an option ends                                                  |
| --------- | --------------------------------------------------------------- |
| line      | after a line break                                              |
| paragraph | after an empty line                                             |
| block     | after an empty line, once the option holds a formula            |
| sentence  | after a line break, and after `.`, `!` or `?` before a blank    |
| words:N   | after N words                                                   |
| reply     | at the end of the reply                                         |

Source: AlphaLLM (arXiv:2404.12253), which uses `line` for GSM8K and `block` for MATH. A formula is what its
released code looks for, `$...$` or `<<...>>`, and also `\(...\)` and `\[...\]`. The other kinds are RISE's.

Line breaks end an option, and a blank between two words begins one, because tokenizers form tokens in this
way. A model that continues the text of a node then reads nearly the tokens that it would have written itself.
"""

import re
from collections.abc import Callable
from itertools import pairwise

from rise_env.errors import ConfigError
from rise_env.utils.suggestions import did_you_mean

KINDS = ("line", "paragraph", "block", "sentence", "words:N", "reply")
"""The kinds of options; N is a number from 1."""

_ENDS = {
    "line": re.compile(r"\n(?:\s*\n)?"),
    "paragraph": re.compile(r"\n\s*\n"),
    # the number of a list item ("1.") ends no sentence
    "sentence": re.compile(r"(?m:(?<!^\d)(?<!^\d\d))[.!?][\"')\]}*]*(?:\s*\n|(?=[^\S\n]))|\n(?:\s*\n)?"),
    "words": re.compile(r"\S+(?:\s*\n)?"),
}
"""Kind -> expression whose matches end where options end."""

_FORMULA = re.compile(r"\$[^$]+\$|<<[^>]*>>|\\\(.+?\\\)|\\\[.+?\\\]", re.DOTALL)


def split(reply: str, kind: str) -> list[str]:
    r"""Return the options of a reply, in order. Joined, they are the reply.

    Only a blank reply has a blank option: blanks between two options belong to one of them.

    Args:
        reply: The reply, or the rest of one.
        kind: One of `KINDS`.

    Raises:
        ConfigError: There is no such kind.

    >>> split("Two and two.\nThat is \\boxed{4}.", "line")
    ['Two and two.\n', 'That is \\boxed{4}.']
    """
    check_kind(kind)
    name, _, number = kind.partition(":")
    if name == "reply":
        return [reply] if reply else []
    ends = [match.end() for match in _ENDS["paragraph" if name == "block" else name].finditer(reply)]
    step = int(number) if number else 1
    places = sorted({0, *ends[step - 1 :: step], len(reply)})
    complete = _has_formula if name == "block" else _has_text
    return _merged([reply[start:end] for start, end in pairwise(places)], complete)


def check_kind(kind: str) -> None:
    """Check the name of a kind.

    Raises:
        ConfigError: There is no such kind.
    """
    name, _, number = kind.partition(":")
    if name == "words":
        if not (number.isascii() and number.isdigit() and int(number) > 0):
            raise ConfigError(f"an option of words names their number, such as words:20; got {kind!r}")
    elif kind not in KINDS:
        raise ConfigError(f"no option {kind!r}; {did_you_mean(kind, KINDS)}")


def _has_text(text: str) -> bool:
    return not text.isspace()


def _has_formula(text: str) -> bool:
    return _FORMULA.search(text) is not None


def _merged(pieces: list[str], complete: Callable[[str], bool]) -> list[str]:
    """Join each piece with those that follow it until it is complete, and a blank end with the one before."""
    options: list[str] = []
    for piece in pieces:
        if options and (not complete(options[-1]) or piece.isspace()):
            options[-1] += piece
        else:
            options.append(piece)
    return options

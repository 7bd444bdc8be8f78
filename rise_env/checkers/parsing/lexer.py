r"""Splits a cleaned answer into tokens: LaTeX and plain notation, in linear time, without deep recursion."""

import re
import unicodedata
from typing import NamedTuple

from rise_env.checkers.limits import Unreadable
from rise_env.checkers.parsing import vocabulary
from rise_env.checkers.parsing.numerals import SCALE_SIGNS
from rise_env.checkers.parsing.units import is_compound, is_unit_phrase

_TOKEN = re.compile(
    r"(?P<space>\s+)"
    r"|(?P<number>(?=[\d.])(?:\d*\.\d*\\(?:overline|bar|dot|overset\{\\frown\})\s*(?:\{\d+\}|\d)"
    r"|\d+\.\d*\(\d+\)(?![\w(])"
    r"|\d*\.?\d+\s*(?:\.\.\.|\\l?dots(?![A-Za-z]))(?=\s*$|\s*[,;)\]}=])"
    r"|(?:\d+\.\d+|\d+\.(?![\w.])|\d+|\.\d+)(?:[eE][+-]?\d{1,4}(?![A-Za-z\d.]))?))"
    r"|(?P<command>\\(?:operatorname\*|not\s*=|[A-Za-z]+|.))"
    r"|(?P<word>[A-Za-z]+(?![A-Za-z]|[^\x00-\x7f£€¥¢₹₩₽₫₺₴₦₱฿₪]))"
    r"|(?P<foreign>(?:[A-Za-z]|[^\x00-\x7f£€¥¢₹₩₽₫₺₴₦₱฿₪])+)"
    r"|(?P<operator>\*\*|<=|>=|=<|=>|!=|<>|==|\.\.\.|->|:=|[-+*/^_!=<>,:;&|()\[\]{}%$£€¥¢₹₩₽₫₺₴₦₱฿₪'\"~.?\\])",
    re.DOTALL,
)
_BLACKBOARD = re.compile(
    r"\s*\{?\s*([A-Z])\s*\}?(\s*[\^_]\s*(?:\{\s*(?:[+*]|\\ast|>\s*0|\\gt\s*0)\s*\}|[+*](?![\w\d])))?"
)
"""The letter of a set of numbers, and the sign that takes its positive part."""
_GROUPED = re.compile(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?(?![\d.])(?!,\d)")
_ALIASES = {"**": "^", "=<": "<=", "=>": ">=", "<>": "!=", "==": "=", ":=": "=", "->": "→", "...": "ellipsis"}
_MATHS = re.compile(r"[\d\\^_+=<>/*|]")
_UNIT = (
    r"(?:\\(?:text|mathrm|textrm|textnormal|mbox|rm)\s*\{(?:[^{}\\=]|\\mu|\\Omega|\\cdot|\\ |\{-?\d\})*\}"
    r"|(?:[kMGm]\s?)?\\Omega(?![A-Za-z])|\\mu(?![A-Za-z])\s?(?:[mgsFAVWLNJ](?![A-Za-z]))?)"
)
_UNIT_RUN = re.compile(
    rf"{_UNIT}(?:\s?(?:\^\s?(?:\{{-?\d\}}|-?\d)|/\s?\(?|\*|\\cdot(?![A-Za-z])|\\times(?![A-Za-z])|{_UNIT}\s?\)?))*"
)
r"""Unit symbols with their powers, and the signs between them: `\mathrm{kg}\cdot\mathrm{m}/\mathrm{s}^2`."""
_STYLED_UNIT = r"\\(?:text|mathrm|textrm|mbox)\s*\{\s*([^{}\\]{1,30})\}(?:\s*\^\s*\{?(\d)\}?)?"
_UNIT_FRACTION = re.compile(rf"\\frac\s*\{{\s*{_STYLED_UNIT}\s*\}}\s*\{{\s*{_STYLED_UNIT}\s*\}}")
_UNIT_MARKUP = re.compile(r"\\(?:text|mathrm|textrm|textnormal|mbox|rm)\s*\{|[{}]|\\ ")
_AFTER_UNIT = re.compile(
    r"\s*(?:$|[,;.:)\]}&=<>|+\-\d]|and\b|or\b|to\b"
    r"|\\(?:\}|\\|text|mbox|le|ge|lt|gt|ne|pm|approx|equiv|rangle|rvert|times))"
)
_UNIT_STARTS = ("\\text", "\\math", "\\mbox", "\\mu", "\\rm", "\\Omega", "k", "M", "G", "m")
_MAX_UNIT_LENGTH = 120
"""Maximal number of characters of one unit."""
_JOINED = re.compile(r"(.{1,60}?)[\s,]+(and|or)")
"""A unit, and a word that joins the next value: `\\text{ dollars and }`."""
_VALUE_ENDS = frozenset({"number", "constant", "object", "letter"})
_LETTERS = re.compile(r"[A-Z](?:\s*(?:,|\band\b|\bor\b)\s*[A-Z])+")
_SIGNS = frozenset("+/^_,;&|()[]{}%")
"""Operators of one character with which no longer operator begins."""
_LEVELS = {"(": 1, "[": 1, "{": 1, ")": -1, "]": -1, "}": -1}


class Token(NamedTuple):
    """One piece of an answer."""

    kind: str
    """One of: number; letter (a variable); name (of a function); constant; object (a set or an ellipsis);
    operator; word (plain letters); text (the argument of a style command); command; accent; end."""
    value: str
    """The text, or the name under which `vocabulary` lists it."""
    spaced: bool = False
    """Whether white space came before it."""


def tokenize(text: str, *, groups: bool = True) -> list[Token]:
    """Return the tokens of a cleaned text; the last one has the kind "end".

    Args:
        text: What `normalize.clean` returned.
        groups: Whether `1,234` outside of brackets is one number.

    Raises:
        Unreadable: A character or a command is unknown.
    """
    tokens: list[Token] = []
    position, spaced, depth = 0, False, 0
    if "\\frac" in text and ("{\\text" in text or "{\\mathrm" in text):
        text = _UNIT_FRACTION.sub(_written_with_slash, text)
    while position < len(text):
        character = text[position]
        if character in _SIGNS:  # most tokens are one of these, or a space
            tokens.append(Token("operator", character, spaced))
            depth += _LEVELS.get(character, 0)
            position += 1
            spaced = False
            continue
        if character == " ":
            position += 1
            spaced = True
            continue
        match = _TOKEN.match(text, position)
        if match is None:
            raise Unreadable(f"the character {character!r}")
        kind, found = match.lastgroup, match.group()
        if kind in {"command", "word"} and tokens and (unit := _unit_run(tokens[-1], text, position, spaced)):
            phrase, position = unit
            tokens.append(Token("text", phrase, spaced))
            spaced = False
            continue
        position = match.end()
        if kind == "space":
            spaced = True
            continue
        if kind == "number":
            if groups and depth == 0 and text.startswith(",", position):
                grouped = _GROUPED.match(text, match.start())
                if grouped is not None:
                    found, position = grouped.group().replace(",", ""), grouped.end()
            tokens.append(Token("number", found, spaced))
        elif kind == "foreign":
            if not all(letter.isascii() or unicodedata.category(letter)[0] in "LM" for letter in found):
                raise Unreadable(f"the characters {found[:20]!r}")
            while found[:1] in SCALE_SIGNS:  # 42万元 is 42 times 10,000 yuan
                tokens.append(Token("text", found[0], spaced))
                found = found[1:]
            if found:
                tokens.append(Token("text", found, spaced))
        elif kind == "word":
            _add_word(tokens, found, spaced)
        elif kind == "command":
            position = _add_command(tokens, found[1:], text, position, spaced)
        elif found == "$":
            currency = position < len(text) and text[position].isdigit() and text.count("$") == 1
            if currency:
                tokens.append(Token("operator", "$", spaced))
        else:
            tokens.append(Token("operator", _ALIASES.get(found, found), spaced))
        spaced = False
    tokens.append(Token("end", "", spaced))
    return tokens


def _written_with_slash(fraction: re.Match[str]) -> str:
    """Return a fraction of two units, such as m over s, with a slash; other fractions as they are."""
    over, power, under, power_under = fraction.groups()
    phrase = f"{over}{f'^{power}' if power else ''}/{under}{f'^{power_under}' if power_under else ''}"
    return f"\\text{{{phrase}}}" if is_unit_phrase(phrase) or is_compound(phrase) else fraction.group()


def _unit_run(before: Token, text: str, position: int, spaced: bool) -> tuple[str, int] | None:
    r"""Return the unit that begins at `position` behind a finished value, and the position after it.

    Single letters and signs are units only here: elsewhere, `\text{m}` and `\mu` may be variables.
    """
    finished = before.kind in _VALUE_ENDS or before.value in {"}", ")", "]", "!"}
    if not finished or not text.startswith(_UNIT_STARTS, position):
        return None
    run = _UNIT_RUN.match(text, position, position + _MAX_UNIT_LENGTH)
    if run is None or not _AFTER_UNIT.match(text, run.end()):
        return None
    if before.kind == "letter" and not (spaced or re.match(r"\\[a-z]+\s*\{\s", run.group())):
        return None
    phrase = (
        run.group()
        .replace("\\mu", "µ")
        .replace("\\Omega", "Ω")
        .replace("\\cdot", "*")
        .replace("\\times", "*")
    )
    phrase = re.sub(r"(?<=µ) (?=[A-Za-z])|(?<=[kMGm]) (?=Ω)", "", _UNIT_MARKUP.sub(" ", phrase).strip())
    phrase = re.sub(r"\s*\^\s*(-?\d)", r"^\1", re.sub(r"\s+", " ", phrase))
    balanced = phrase.count("(") == phrase.count(")")
    return (phrase, run.end()) if balanced and (is_unit_phrase(phrase) or is_compound(phrase)) else None


def _add_word(tokens: list[Token], word: str, spaced: bool) -> None:
    if len(word) == 1:
        union = word == "U" and spaced and bool(tokens) and tokens[-1].value in {")", "]", "\\}", "}"}
        tokens.append(Token("operator", "∪", spaced) if union else Token("letter", word, spaced))
    elif word in {"oo"} or word.lower() in vocabulary.CONSTANTS:
        tokens.append(Token("constant", vocabulary.CONSTANTS.get(word.lower(), "infinity"), spaced))
    elif word in {"min", "sec", "deg"} and tokens and tokens[-1].kind == "number":
        tokens.append(Token("word", word, spaced))
    elif word in vocabulary.FUNCTIONS:
        tokens.append(Token("name", vocabulary.FUNCTIONS[word], spaced))
    elif word in vocabulary.WORDS:
        tokens.append(Token("operator", vocabulary.WORDS[word] or word, spaced))
    elif word.lower() in vocabulary.GREEK and word[1:].islower():
        tokens.append(Token("letter", "\\" + word, spaced))
    elif len(word) <= 7 and (parts := _split_word(word)):
        tokens.extend(parts)
    else:
        tokens.append(Token("word", word, spaced))


def _split_word(word: str) -> list[Token] | None:
    """Read "sinx" as "sin x" and "pir" as "pi r"."""
    for size in (6, 5, 4, 3, 2):
        head, tail = word[:size], word[size:]
        if tail in {"x", "y", "z", "t", "r", "n", "theta", "pi"}:
            if head == "pi":
                return [Token("constant", "pi"), *_word_tokens(tail)]
            if head in vocabulary.UNBRACKETED and head not in {"deg", "tr", "arg", "det"}:
                return [Token("name", vocabulary.FUNCTIONS[head]), *_word_tokens(tail)]
    return None


def _word_tokens(word: str) -> list[Token]:
    tokens: list[Token] = []
    _add_word(tokens, word, False)
    return tokens


def _add_command(tokens: list[Token], name: str, text: str, position: int, spaced: bool) -> int:
    """Append the tokens of a command; return the position after what was read."""
    if name in vocabulary.OPERATORS or (name.startswith("not") and name.replace(" ", "") == "not="):
        value = vocabulary.OPERATORS.get(name, "!=")
        if value == "°" and tokens and tokens[-1].value == "^":
            tokens.pop()
        tokens.append(Token("operator", value, spaced))
    elif name in vocabulary.STYLES:
        return _add_styled(tokens, name, text, position, spaced)
    elif name in vocabulary.CONSTANTS:
        tokens.append(Token("constant", vocabulary.CONSTANTS[name], spaced))
    elif name in vocabulary.NAMES:
        tokens.append(Token("object", vocabulary.NAMES[name], spaced))
    elif name in vocabulary.GREEK:
        tokens.append(Token("letter", "\\" + name, spaced))
    elif name in vocabulary.FUNCTIONS and name != "deg":
        tokens.append(Token("name", vocabulary.FUNCTIONS[name], spaced))
    elif name in vocabulary.ACCENTS:
        tokens.append(Token("accent", name, spaced))
    elif name in {"$", "textdollar", "pounds", "euro"}:
        tokens.append(Token("operator", {"pounds": "£", "euro": "€"}.get(name, "$"), spaced))
    elif name == "mathbb":
        letter = _BLACKBOARD.match(text, position)
        if letter is None or letter.group(1) not in vocabulary.BLACKBOARD:
            raise Unreadable("\\mathbb without a letter that names a set of numbers")
        if letter.group(2) and letter.group(1) == "R":
            tokens += [Token("operator", "(", spaced), Token("number", "0"), Token("operator", ",")]
            tokens += [Token("constant", "infinity"), Token("operator", ")")]
        elif letter.group(2) and letter.group(1) in "NZ":
            tokens.append(Token("object", "positive_integers", spaced))
        elif letter.group(2):
            raise Unreadable("a set of numbers that has no positive part")
        else:
            tokens.append(Token("object", vocabulary.BLACKBOARD[letter.group(1)], spaced))
        return letter.end()
    elif name in {"(", ")", "[", "]"} or name in vocabulary.GEOMETRY_SIGNS:
        pass  # delimiters of a formula inside a sentence, and signs such as that of an angle, mean nothing
    else:
        tokens.append(Token("command", name, spaced))
    return position


def _add_styled(tokens: list[Token], name: str, text: str, position: int, spaced: bool) -> int:
    """Append the tokens of a style command's argument; return the position after it."""
    while position < len(text) and text[position].isspace():
        position += 1
    if position >= len(text):
        raise Unreadable(f"\\{name} without an argument")
    if text[position] != "{":
        return position
    end = _closing_brace(text, position)
    content = text[position + 1 : end].strip()
    if content.startswith("(") and content.endswith(")") and len(content) == 3:
        content = content[1:-1]
    if content:
        _add_content(tokens, name, content, spaced)
    return end + 1


def _add_content(tokens: list[Token], name: str, content: str, spaced: bool) -> None:
    """Append the argument of a style command: a formula, a known word, or text."""
    after_number = bool(tokens) and tokens[-1].kind == "number"
    word = content.strip(" ,.;").lower()
    if is_unit_phrase(content) and (len(content) > 1 or after_number):
        tokens.append(Token("text", content, spaced))
    elif word in {"constant", "const"}:
        tokens.append(Token("letter", "C", spaced))
    elif name == "mathcal" or len(content) == 1 or _MATHS.search(content) or _LETTERS.fullmatch(content):
        inner = tokenize(content if content.endswith("...") else content.rstrip(" .,;"))[:-1]
        tokens.extend(inner[:1] and [inner[0]._replace(spaced=spaced), *inner[1:]])
    elif content in vocabulary.FUNCTIONS and name.startswith(("operatorname", "mathrm")):
        tokens.append(Token("name", vocabulary.FUNCTIONS[content], spaced))
    elif word in vocabulary.CONSTANTS:
        tokens.append(Token("constant", vocabulary.CONSTANTS[word], spaced))
    elif word in {"and", "or", "to"}:
        tokens.append(Token("operator", word, spaced))
    elif joined := _JOINED.fullmatch(content):
        tokens += [Token("text", joined.group(1), spaced), Token("operator", joined.group(2))]
    else:
        tokens.append(Token("text", content, spaced))


def _closing_brace(text: str, opening: int) -> int:
    """Return the position of the brace that closes the one at `opening`."""
    depth = 0
    for match in re.compile(r"\\.|[{}]", re.DOTALL).finditer(text, opening):
        if match.group() == "{":
            depth += 1
        elif match.group() == "}":
            depth -= 1
            if depth == 0:
                return match.start()
    raise Unreadable("a brace is not closed")

r"""Unifies the spelling of an answer before it is parsed: characters, spacing, delimiters, digit groups.

The meaning stays the same: units, signs and words are left to the parser. The time is linear in the length.
"""

import re
import unicodedata

from rise_env.checkers.parsing.vocabulary import FRACTIONS

_SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻ⁿⁱ", "0123456789+-ni")
_SUBSCRIPTS = str.maketrans("₀₁₂₃₄₅₆₇₈₉₊₋ₙ", "0123456789+-n")
_SUPERSCRIPT_RUN = re.compile("(?<=[^\\s+\\-*/=(])[⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻ⁿⁱ]+")
_SUBSCRIPT_RUN = re.compile("[₀₁₂₃₄₅₆₇₈₉₊₋ₙ]+")
_VULGAR = re.compile("[¼-¾⅐-⅞↉]")
_UNREADABLE = re.compile("[①-⑳Ⅰ-ⅿ⁰¹²³⁴-₉]")  # NFKC turns these into plain digits and letters
_INVISIBLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufe00-\ufe0f\ufeff]"
)
_GREEK = {
    chr(code): f"\\{unicodedata.name(chr(code)).rsplit(' ', 1)[1].lower().replace('lamda', 'lambda')} "
    for code in range(0x3B1, 0x3CA)
    if code != 0x3C2
} | {"Γ": "\\Gamma ", "Δ": "\\Delta ", "Θ": "\\Theta ", "Σ": "\\Sigma ", "Φ": "\\Phi ", "Ω": "\\Omega "}
_CHARACTERS = str.maketrans(
    _GREEK
    | {
        "−": "-", "–": "-", "—": "-", "‐": "-", "‑": "-", "×": "*", "·": "*", "⋅": "*", "∙": "*", "∗": "*",
        "÷": "/", "⁄": "/", "∕": "/", "±": "\\pm ", "∓": "\\mp ", "√": "\\sqrt ", "∛": "\\cbrt ",
        "∞": "\\infty ", "≤": "\\le ", "≥": "\\ge ", "⩽": "\\le ", "⩾": "\\ge ", "≠": "\\ne ",
        "≈": "\\approx ", "≡": "\\equiv ", "∪": "\\cup ", "∩": "\\cap ", "∅": "\\emptyset ", "∈": "\\in ",
        "∖": "\\setminus ", "ℝ": "\\mathbb{R}", "ℤ": "\\mathbb{Z}", "ℕ": "\\mathbb{N}", "ℚ": "\\mathbb{Q}",
        "ℂ": "\\mathbb{C}", "°": "^\\circ ", "º": "^\\circ ", "˚": "^\\circ ", "℃": "^\\circ C",
        "℉": "^\\circ F", "∠": "\\angle ", "⟨": "\\langle ", "⟩": "\\rangle ", "〈": "\\langle ",
        "〉": "\\rangle ", "…": "\\ldots ", "′": "'", "’": "'", "∣": "|", "∧": "\\land ", "∨": "\\lor ",
        "∫": "\\int ", "∑": "\\sum ", "∏": "\\prod ", "→": "\\to ", "⌊": "\\lfloor ", "⌋": "\\rfloor ",
        "⌈": "\\lceil ", "⌉": "\\rceil ", "∶": ":", "‰": "\\permille ", "“": '"', "”": '"', "、": ",",
        "﹣": "-", "㎡": "\\text{m^2}", "㎥": "\\text{m^3}", "㎢": "\\text{km^2}", "㎠": "\\text{cm^2}",
        "㎤": "\\text{cm^3}", "ℓ": "\\ell ", "ⅈ": "i", "ⅇ": "e", "\u2009": "\\,", "\u202f": "\\,",
    }
)  # fmt: skip

_GROUP_MARK = re.compile(
    r"(?<=\d)(?:,\\!|\s?\{,\s?\}|\\;|\\:|~|\\,|\\!|\\ |,\\ |\\thinspace)\s*(?=\d{3}(?!\d))"
)
_SPACED_GROUPS = re.compile(r"(?<![\d.,{}\\/ ])(?<!\d )\d{1,3}(?: \d{3})+(?![\d/ ])")
_SPACING = re.compile(
    r"(?P<row>\\\\)|\\(?:displaystyle|textstyle|scriptstyle|limits|nolimits|boldsymbol|bm|left|right|middle|[bB]ig{1,2}[lrm]?"
    r"|thinspace|nobreak|hfill|null|strut|rm|bf|it|Large|large|normalsize)(?![A-Za-z])|\\q?quad"
    r"|\\[,;:!> ]|~|\\phantom\{[^{}]*\}|\\h?space\{[^{}]*\}|\\color\{[^{}]*\}"
)
_BAR = re.compile(r"\\left\s*(?:\||\\vert)|\\right\s*(?:\||\\vert)")
_DECIMAL_COMMA = re.compile(r"(?<![\d,}])(\d+)\{,\s?\}(\d+)(?![\d,{])")
_MARKS = re.compile(
    "^(?:[∴⇒→➡➜►▶✓✔✅☑∵\ufe0f]|\\\\therefore(?![A-Za-z]))+|"
    "(?:[。！？∎■□▪✓✔✅☑★🎉\ufe0f]|\\\\(?:checkmark|blacksquare|qed|QED|Box|square)(?![A-Za-z]))+$"
)
"""Signs before and after an answer that are no part of it."""
_SYSTEM_BRACE = re.compile(r"(?:\\left\s*)?\\(?:\{|lbrace)\s*(?=\\begin\{)")
_TIMES_TEN = re.compile(r"(?<=\d)\s*[xX]\s*(?=10\s*(?:\^|\*\*))")
_ROW_SPACE = re.compile(r"\\\\\[[\d.]+\s*(?:pt|ex|em|mm)\]")
_FRACTION = re.compile(r"\\(?:" + "|".join(sorted(FRACTIONS)) + r")(?![A-Za-z])")
_EMPTY = re.compile(r"(?:\\(?:text|mathrm|mbox|textbf))?(?<!\\)\{\s*\}")
_ANGLES = re.compile(r"\\left\s*<|\\right\s*>")
_PAIRS = (
    ('"', '"'),
    ("''", "''"),
    ("$$", "$$"),
    ("$", "$"),
    ("\\(", "\\)"),
    ("\\[", "\\]"),
    ("**", "**"),
    ("__", "__"),
    ("`", "`"),
)
_OPENERS = frozenset(opening[0] for opening, _ in _PAIRS)
_TRAILING = " \t\r\n.,;:"


def _plain_characters(text: str) -> str:
    text = _INVISIBLE.sub("", text)
    text = _VULGAR.sub(_spell_vulgar, text)
    text = _SUPERSCRIPT_RUN.sub(lambda run: "^{" + run.group().translate(_SUPERSCRIPTS) + "}", text)
    text = _SUBSCRIPT_RUN.sub(lambda run: "_{" + run.group().translate(_SUBSCRIPTS) + "}", text)
    text = _UNREADABLE.sub("\\\\unreadable ", text)
    return unicodedata.normalize("NFKC", text.translate(_CHARACTERS))


def _spell_vulgar(match: re.Match[str]) -> str:
    over, _, under = unicodedata.normalize("NFKC", match.group()).partition("⁄")
    return f"\\frac{{{over}}}{{{under}}}"


def _bar(match: re.Match[str]) -> str:
    return "\\lvert " if match.group().startswith("\\left") else "\\rvert "


def _space(match: re.Match[str]) -> str:
    return match.group("row") or " "


def _without_marks(text: str) -> str:
    """Remove a therefore sign, an arrow, a tick or the like from both ends of a text."""
    if text.isascii() and "\\" not in text:
        return text
    return _MARKS.sub("", text.strip().strip("$*").strip()) if _MARKS.search(text.strip("$* ")) else text


def _decimal_comma(match: re.Match[str]) -> str:
    """Read `12{,}5` as 12.5. `1{,}234` stays a group of thousands, but `0{,}234` is none."""
    whole, digits = match.groups()
    is_group = len(digits) == 3 and len(whole) <= 3 and not whole.startswith("0")
    return match.group() if is_group else f"{whole}.{digits}"


def unwrap(text: str) -> str:
    """Remove the delimiters, markup and punctuation around the whole of `text`."""
    while True:
        before = text
        text = text.strip()
        if not text.endswith("..."):
            text = text.rstrip(_TRAILING)
        if text.endswith("\\\\"):
            text = text[:-2]
        elif text.endswith("\\") and before[len(text) : len(text) + 1] in {",", ";", ":", " "}:
            text = text[:-1]  # the rest of a spacing command such as "\\,"
        if text[:1] in _OPENERS:
            for opening, closing in _PAIRS:
                if text.startswith(opening) and text.endswith(closing):
                    inner = text[len(opening) : -len(closing)]
                    if inner and opening not in inner:
                        text = inner
        if text == before:
            return text


def unify_fractions(text: str) -> str:
    r"""Return `text` with `\frac` for every command that writes a fraction, such as `\dfrac` and `\sfrac`."""
    return _FRACTION.sub(r"\\frac", text)


def clean(text: str) -> str:
    r"""Return `text` in the unified spelling that the parser reads.

    >>> clean("$\\left( −3 ,\\; 1{,}234½ \\right)$.")
    '( -3 ,  1234\\frac{1}{2}  )'
    """
    text = _without_marks(text)
    if "\\AA" in text:
        text = re.sub(r"\\AA(?![A-Za-z])", "Å", text)
    if not text.isascii():
        text = _plain_characters(text)
    elif not text.isprintable():
        text = _INVISIBLE.sub("", text)
    text = unwrap(text)
    if "US" in text:
        text = text.replace("US\\$", "\\$").replace("US$", "\\$")
    if "R" in text:
        text = text.replace("R\\$", "\\$")
    if "}" in text:
        text = unwrap(_EMPTY.sub("", text))
    if "\\" in text or "{," in text or "~" in text:
        if "{," in text:
            text = _DECIMAL_COMMA.sub(_decimal_comma, text)
        text = _ROW_SPACE.sub(r"\\\\", _GROUP_MARK.sub("", text))
        if "\\begin" in text and "\\}" not in text and "\\rbrace" not in text:
            text = _SYSTEM_BRACE.sub("", text)  # the brace before a system has no closing one
        if "\\right" in text:
            text = _ANGLES.sub(lambda found: "\\langle " if "left" in found.group() else "\\rangle ", text)
            text = _BAR.sub(_bar, text)
            text = text.replace("\\left.", "").replace("\\right.", "")
        text = unify_fractions(_SPACING.sub(_space, text))
        text = unwrap(text)
    if text.startswith("<") and text.endswith(">") and "," in text:
        text = f"\\langle {text[1:-1]}\\rangle"
    if "10" in text:
        text = _TIMES_TEN.sub("*", text)
    if " " in text:
        text = _SPACED_GROUPS.sub(lambda groups: groups.group().replace(" ", ""), text)
    return text

r"""Finds the value in an answer that is a sentence: "The value is 12", `f(x) = 2x \text{ for all } x`."""

import re

from rise_env.checkers.parsing.units import HEDGES

_LEAD_IN = re.compile(
    r"^(\\text\{\s*)?(?:the\s+)?(?:final\s+|correct\s+)?answer\s*(?:is\b|:|=)\s*:?\s*(\})?\s*", re.IGNORECASE
)
_SUBJECT = re.compile(
    r"^(?:\\text\{\s*[A-Za-z][A-Za-z ]{2,40}(?:\}\s*[=:]|\s*:\s*\})"
    r"|[A-Z]?[a-z]{3,}(?: [a-z]+){0,4}\s*[=:])\s*(?!=)"
)
_FILLER = re.compile(r"^(?:\\text\{\s*)?(?:exactly|precisely)\b\s*\}?|^=\s*(?!=)", re.IGNORECASE)
_EXPLANATION = re.compile(
    r"(?<![,;.(\s])(?:[,;.(]|\\text\{[\s,;.(]*|\s)+\b(?:where|because|since)\b.*$", re.DOTALL
)
_VERBS = (
    "is|are|was|were|equals|equal|has|have|had|gets|get|got|costs|cost|earns|earn|earned|makes|make|made|pays|pay"
    "|paid|needs|need|needed|sells|sell|sold|spends|spend|spent|saves|save|saved|eats|ate|bought|buys|buy|takes"
    "|take|took|uses|used|owes|received|receives|remain|remains|totals|becomes|contains|weighs|collected|reads"
    "|(?:must|will|should) be|there (?:is|are|were)"
)
_STATEMENT = re.compile(
    rf"(\\text\{{\s*)?((?:[A-Za-z][a-z']{{0,20}}\s+){{0,12}}?)(?:{_VERBS}):?\s*(\}})?\s*"
    r"(?=[-+($\\]{0,3}[\d.]|\\frac|\\sqrt)",
    re.IGNORECASE,
)
"""A subject and a verb, right before a number: `\\text{Tom has } 15`."""
_CERTAIN = HEDGES - frozenset(
    "and all any at for is are given was when over under above below in of may between some".split()
)
"""Words that must not stand in the subject of a statement."""
_TOTAL = re.compile(
    r"\s*(?:,\s*(?:\\text\{\s*)?(?:altogether|in total|in all|all together|overall|total|combined)| in all)"
    r"\s*\}?$",
    re.IGNORECASE,
)
_NAMES = r"(?:[a-zA-Z](?:_\{?\w\}?)?(?:\s*,\s*[a-zA-Z](?:_\{?\w\}?)?){0,3})"
_DOMAIN = (
    r"(?:\\in\s*(?:\\mathbb\s*\{?\s*[RNZQC]\s*\}?|\\(?:R|Reals|reals)(?![A-Za-z]))"
    r"(?:\s*[\^_]\s*\{?\s*[+*0>]+\s*\}?)?)"
)
_BOUND = r"(?:(?:>|>=|\\ge|\\geq|\\geqslant|\\ne|\\neq)\s*-?\d+)"
_INDEX = r"[klmn]\s*(?:\\in|\\geq?|\\geqslant|>=?)(?![A-Za-z])"
_KIND = (
    r"(?:(?:the|real|complex|positive|nonnegative|non-negative|negative|natural|whole|rational|integer|constant|arbitrary"
    r"|prime|integers|reals|numbers|number|constants|values|value|of)\s*)*"
)
_BRACKETED_CONDITION = re.compile(
    r"(?<=[\w}\])])\s*\(\s*([a-zA-Z]\s*(?:\\in|\\geq?|\\geqslant|>=?)(?![A-Za-z])[^()=]{1,30})\)$"
)
"""A condition in brackets at the end: `2^n (n \\ge 1)`."""
_QUALIFIER = re.compile(
    r"(?<=[^\s,;.(])[\s,;.(]*(?:\\text\{[\s,;.(]*)?"
    r"(?:(?:which\s+)?(?:valid|true|holds|defined)\s+)?"
    rf"(?:for\s+(?:all|any|every|each|arbitrary|some)\b|for(?=\s*\}}?\s*{_INDEX})|\\forall(?![A-Za-z]))\s*{_KIND}\}}?\s*"
    rf"(?:{_NAMES}\s*(?:{_DOMAIN}|{_BOUND})?)?[\s).]*\}}?[\s).]*$",
    re.IGNORECASE,
)
"""The variables for which a statement holds, at its end. It has no value that could be part of the answer."""


def strip_sentence(cleaned: str) -> str:
    r"""Return an answer without "the answer is" or a subject before it, and without an explanation after it.

    >>> strip_sentence(r"\text{Answer: G}"), strip_sentence(r"e^x + C, \text{ where C is constant}")
    ('\\text{G}', 'e^x + C')
    """
    lead = _LEAD_IN.match(cleaned)
    if lead:
        opened, closed = lead.groups()
        cleaned = ("\\text{" if opened and not closed else "") + cleaned[lead.end() :]
    cleaned = _FILLER.sub("", cleaned).strip()
    subject = _SUBJECT.match(cleaned)
    if subject and not HEDGES.intersection(subject.group().lower().replace("{", " ").split()):
        cleaned = cleaned[subject.end() :]
    if "where" in cleaned or "because" in cleaned or "since" in cleaned:
        explained = _EXPLANATION.search(cleaned)
        if explained and explained.start() > 0:
            cleaned = cleaned[: explained.start()].rstrip(" ,;.\\")
    cleaned = _without_statement(_without_qualifier(cleaned))
    return _TOTAL.sub("", cleaned) if cleaned[-1:] in "lrd}" else cleaned


def _without_qualifier(cleaned: str) -> str:
    if cleaned.endswith(")"):
        cleaned = _BRACKETED_CONDITION.sub(r", \1", cleaned)
    if "for" not in cleaned:  # also in \\forall
        return cleaned
    qualifier = _QUALIFIER.search(cleaned)
    return cleaned if qualifier is None else cleaned[: qualifier.start()].strip()


def _without_statement(cleaned: str) -> str:
    """Return the number of a statement, with its unit: "15 apples" for "Tom has 15 apples"."""
    statement = _STATEMENT.match(cleaned)
    if statement is None:
        return cleaned
    opened, subject, closed = statement.groups()
    if _CERTAIN.intersection(subject.lower().split()) or (closed and not opened):
        return cleaned
    return ("\\text{" if opened and not closed else "") + cleaned[statement.end() :]

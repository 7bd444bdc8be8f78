"""Finds answers that are stated in words, without a box: "the answer is 42", "#### 42", "Answer: 42"."""

import re

_MARKER = re.compile(
    r"\banswers?\b[*_]{0,3}(?:\s{1,3}(?:is|are)\b|\s{0,3}[:=]|\s{0,3}\n|(?=\s{0,3}(?:\$|\\\(|\\\[)))"
    r"|####|<answer>|^\s{0,3}A:(?=\s)"
    r"|\br[ée]ponse\b(?:\s{1,3}est\b|\s{0,3}:)|\brespuesta\b(?:\s{1,3}es\b|\s{0,3}:)"
    r"|\bantwort\b(?:\s{1,3}ist\b|\s{0,3}:)|\brisposta\b(?:\s{1,3}è|\s{0,3}:)|答案(?:是|为|：|:)|\bответ\b\s{0,3}[:：—-]",
    re.IGNORECASE | re.MULTILINE,
)
_SENTENCE_END = re.compile(r"(?<=\S)[.!?](?=\s|$)|[。！।]|\n|</answer>|####|\bI hope\b")
_REASON = re.compile(
    r"[,;.]?\s+(?:it (?:can't|cannot|isn't|is not)|because|since|as shown|so that|which (?:is|means)|where"
    r"|not|non|and not)\b",
    re.I,
)
_LEAD = re.compile(
    r"[\s*_:#>]+|(?:therefore|thus|hence|so|simply|just|for sure|clearly|definitely|that)\b[,\s]*", re.I
)
_FORMULA = re.compile(r"\$\$(.+?)\$\$|\$([^$]+)\$|\\\((.+?)\\\)|\\\[(.+?)\\\]", re.DOTALL)
_SAYS = re.compile(r"\b(?:is|are|be|equals|est|es|ist)\b\s*:?\s*(?=\S)|[是为]\s*", re.I)
_NUMBER = re.compile(r"-?\d[\d,]*(?:\.\d+)?(?:/\d+)?(?:\s*(?:\\?%|percent\b))?|-?\.\d+")
_WORD = re.compile(r"[A-Za-z]{2,}")
_CONCLUSION = re.compile(
    r"\b(?:therefore|thus|hence|so|consequently|we (?:find|get|have|obtain|conclude|see)|is the solution"
    r"|(?:solution|result|value|matrix|set|pair|total|domain|range)\b[^.]{0,60}? (?:is|are)"
    r"|donc|daher|also|por lo tanto)\b"
    r"|因此|所以|इसलिए|لذا|поэтому",
    re.I,
)
_SENTENCES = re.compile(r"(?<=[^\s\d])[.!?]\s+(?=\S)|(?<=\d)[.!?]\s+(?=[A-Z\\$])|[。！।]|\n\s*\n")
_CHOOSES = re.compile(r"\b(?:it'?s|it is|is|choose|pick|option)\s+\(?([A-J])\)?$")
_FOREIGN = re.compile(
    "^[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af，：\\s]+|[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\\s]+$"
)
_SCRIPT = re.compile("[\u0590-\u0dff\u0e00-\u0fff\u3040-\u9fff\uac00-\ud7af]")
_LABELLED = re.compile(r"[A-Za-z ]{1,40}:\s*")
_LETTER = re.compile(r"\(?([A-J])\)?(?:[.):]\s+\S.*|\s+[A-Z][a-z]+)")
_MAX_STATEMENT_LENGTH = 1000
_MAX_SENTENCE_LENGTH = 600
_MAX_WHOLE_LENGTH = 80


def stated_answer(text: str) -> str | None:
    """Return what the last marker of `text` states; "" where it states a negation or nothing."""
    markers = list(_MARKER.finditer(text))
    if not markers:
        return None
    marker = markers[-1]
    rest = text[marker.end() : marker.end() + _MAX_STATEMENT_LENGTH]
    while (lead := _LEAD.match(rest)) and lead.end():
        rest = rest[lead.end() :]
    if re.match(r"(?:not|n't|never|none|one of|among)\b", rest):
        return ""
    return _statement(rest)


def _statement(rest: str) -> str:
    formula = _FORMULA.match(rest)
    begin = formula.end() if formula else 0
    end = _SENTENCE_END.search(rest, begin)
    sentence = rest[: end.start()] if end else rest
    if formula and sentence[begin:].strip() == "":
        return sentence.strip()
    reason = _REASON.search(sentence, begin)
    if reason:
        sentence = sentence[: reason.start()]
    sentence = _foreign_ends(sentence.strip().strip("*_").strip())
    if formula or not _WORD.match(sentence):
        return sentence
    return _said(sentence)


def _foreign_ends(text: str) -> str:
    """Drop words of scripts without spaces from both ends of a statement with a number."""
    if text.isascii() or not re.search(r"\d", text):
        return text
    said = [match.end() for match in re.finditer("[是为]", text)]
    return _FOREIGN.sub("", text[said[-1] :] if said else text).strip()


def _said(sentence: str) -> str:
    """Return what a sentence says of its subject: its formula, or what follows the last "is"."""
    said = [match.end() for match in _SAYS.finditer(sentence)]
    formulas = list(_FORMULA.finditer(sentence))
    if said and (not formulas or formulas[-1].start() < said[-1] or formulas[-1].start() - said[-1] < 3):
        return sentence[said[-1] :].strip()
    if len(formulas) == 1:
        return formulas[0].group().strip()
    return sentence


def whole_answer(text: str) -> str | None:
    """Return a reply that is nothing but a formula, a number with its unit, or one letter."""
    text = text.strip().strip("*").strip()
    if "\n" in text or not re.search(r"\w|∞", text):
        return None
    label = _LABELLED.match(text)
    formula = _FORMULA.fullmatch(text.rstrip(" ."), label.end()) if label else None
    if formula:
        return formula.group()
    if len(text) > _MAX_WHOLE_LENGTH or _SCRIPT.search(text):
        return None
    letter = _LETTER.fullmatch(text)
    if letter:
        reason = _REASON.search(text)
        return text[: reason.start()] if reason else text
    formula = _FORMULA.match(text)
    reason = _REASON.search(text, formula.end() if formula else 0)
    if reason and text[:1].isdigit():
        return text[: reason.start()].strip()
    bare = text[formula.end() :] if formula else text
    words = _WORD.findall(re.sub(r"\\[A-Za-z]+", "", bare))
    if len(words) > 2 or (words and not (formula or text[:1].isdigit() or text[:1] in "-(\\$.")):
        return None
    return text


def concluded_answer(text: str) -> str | None:
    """Return the one value of a last sentence that concludes: "Therefore $x > 5$ is the solution"."""
    tail = text.strip().rstrip("。！।.")[-_MAX_SENTENCE_LENGTH:]
    sentence = _SENTENCES.split(tail)[-1]
    conclusions = list(_CONCLUSION.finditer(sentence))
    if not conclusions:
        return None
    return _only_value(sentence[conclusions[-1].start() :]) or _only_value(sentence)


def _only_value(sentence: str) -> str | None:
    """Return the one formula, number or letter that a sentence is about."""
    if re.search(r"\b(?:not|no|or|maybe|perhaps|either|guess)\b|\?", sentence):
        return None
    formulas = list(_FORMULA.finditer(sentence))
    if formulas:
        return _said(sentence) if len(formulas) > 1 else formulas[0].group()
    numbers = list(_NUMBER.finditer(sentence.rstrip(".")))
    bold = [found for marked in re.findall(r"\*\*([^*]+)\*\*", sentence) if (found := _NUMBER.match(marked))]
    if len(bold) == 1:
        return bold[0].group()
    if len(numbers) > 1 and "=" in sentence[numbers[-2].end() : numbers[-1].start()]:
        return numbers[-1].group()
    if not numbers and (letter := _CHOOSES.search(sentence)):
        return letter.group(1)
    return numbers[0].group() if len(numbers) == 1 else None


def last_formula(text: str) -> str | None:
    """Return the last formula between dollars or TeX brackets, or else the last number."""
    tail = text[-5000:]
    formulas = list(_FORMULA.finditer(tail))
    numbers = list(_NUMBER.finditer(tail))
    if formulas and (not numbers or formulas[-1].end() >= numbers[-1].start()):
        return formulas[-1].group()
    return numbers[-1].group() if numbers else None

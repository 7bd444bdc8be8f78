"""Finds answers outside of boxes: "the answer is 42", "#### 42", "Answer: 42", or a concluding sentence.

All repetitions of the regular expressions are bounded, so that the time is linear in the length of the text.
"""

import re

from rise_env.checkers.extraction.answer_phrases import Announcement, announcements, is_hypothesis
from rise_env.checkers.parsing.units import HEDGING

_SENTENCE_END = re.compile(r"(?<=\S)[.!?](?=\s|$|[*_])|[。！।？]|\n|</answer>|####|\bI hope\b")
_REASON = re.compile(
    r"[,;.]?\s+(?:it (?:can't|cannot|isn't|is not)|because|since|as shown|so that|which (?:is|means)|where"
    r"|not|non|and not)\b",
    re.I,
)
_FILLER_WORDS = re.compile(
    r"[\s*_:：#>}`∴、，]+|(?:therefore|thus|hence|so|simply|just|for sure|clearly|definitely|that|indeed|then"
    r"|now|donc|alors|also|somit|por lo tanto|por tanto|portanto|quindi|dunque|of course|given by|equal to"
    r"|(?:la|el|le|die|der|das|il|option|choice)(?= \(?[A-J]\b)|i (?:think|believe)|we (?:get|have)"
    r"|it(?:'s| is))\b[,\s]*",
    re.I,
)
_NEGATED = re.compile(
    r"(?:not|n't|never|none|one of|among|nicht|keine?|pas|non|não|не|nie|niet|không|不|ليس)\b", re.I
)
"""The start of a statement that says what the answer is not."""
_NEGATED_AT_END = re.compile(
    "ではな|ではあり|ではござ|じゃな|でない|아니|아닙|아닌|않|değil|नहीं|नही|নয়|কাদু|కాదు|ไม่|不是|并非|並非|ليس|吗|か？"
)
"""Words of languages that negate, or ask, at the end of the sentence."""
_TAKEN_BACK = re.compile(
    r"\b(?:which|but that|but this|and that) (?:is|was) (?:wrong|incorrect|false|not)\b", re.I
)
_WITHDRAWAL = re.compile(r"\b(?:no,? wait|wait,? no|scratch that|on second thoughts?)\b", re.I)
"""The start of a sentence that takes the statement before it back, and may give another value."""
_FORMULA = re.compile(r"\$\$(.+?)\$\$|\$([^$]+)\$|\\\((.+?)\\\)|\\\[(.+?)\\\]", re.DOTALL)
_VERB = re.compile(r"\b(?:is|are|be|equals|est|es|ist)\b\s*:?\s*(?=\S)|[是为]\s*", re.I)
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
_CHOSEN_LETTER = re.compile(r"\b(?:it'?s|it is|is|choose|pick|option)\s+\(?([A-J])\)?$")
_FOREIGN_ENDS = re.compile(
    "^[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af，：\\s]+|[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\\s]+$"
)
_SCRIPT = re.compile("[\u0590-\u0dff\u0e00-\u0fff\u3040-\u9fff\uac00-\ud7af]")
_LABELLED = re.compile(r"[A-Za-z ]{1,40}:\s*")
_LETTER = re.compile(r"(?:[Oo]ption|[Cc]hoice)\s\(?[A-J]\)?\.?|\(?([A-J])\)?(?:[.):]\s+\S.*|\s+[A-Z][a-z]+)")
_MAX_RIVALS = 8
"""Maximal number of earlier announcements that are searched for another letter than that of the last one."""
_MAX_STATEMENT_LENGTH = 1000
"""Maximal number of characters that are read after a marker."""
_MAX_SENTENCE_LENGTH = 600
"""The last sentence is searched in at most so many characters at the end of a text."""
_MAX_WHOLE_LENGTH = 80
"""Maximal number of characters of a whole reply that may be a bare value."""
_MAX_TAIL_LENGTH = 5000
"""The last formula is searched in at most so many characters at the end of a text."""


def stated_answer(text: str) -> str | None:
    """Return the statement after the last marker; None without a marker, "" if it is negated or empty.

    A statement that is taken back, as in "no wait, it's 43", is replaced by the value that follows.
    """
    places = announcements(text)
    while places and is_hypothesis(text, places[-1]):
        places.pop()
    if not places:
        return None
    place = places[-1]
    withdrawal = _WITHDRAWAL.search(text, place.end, place.end + _MAX_STATEMENT_LENGTH)
    if withdrawal is not None:
        return _next_value(text[withdrawal.end() : withdrawal.end() + _MAX_STATEMENT_LENGTH])
    if place.letter is not None:
        return place.letter if _is_only_letter(text, place, places) else ""
    rest = text[place.end : place.end + _MAX_STATEMENT_LENGTH]
    while (filler := _FILLER_WORDS.match(rest)) and filler.end():
        rest = rest[filler.end() :]
    return "" if _NEGATED.match(rest) else _statement(rest)


def _next_value(text: str) -> str:
    """Return the value of the first sentence of a text if it has only one; else ""."""
    formula = _FORMULA.search(text)
    end = _SENTENCE_END.search(text)
    if formula and end and formula.start() < end.start() < formula.end():
        end = _SENTENCE_END.search(text, formula.end())
    return _only_value(text[: end.start()] if end else text) or ""


def _is_only_letter(text: str, place: Announcement, places: list[Announcement]) -> bool:
    """Return whether the sentence of an announcement chooses no other letter."""
    return all(
        other.letter in {None, place.letter} or _SENTENCES.search(text[other.start : place.end])
        for other in places[-_MAX_RIVALS:]
    )


def _statement(rest: str) -> str:
    """Return the answer at the start of the text after a marker: without reasons and later sentences."""
    formula = _FORMULA.match(rest)
    begin = formula.end() if formula else 0
    end = _SENTENCE_END.search(rest, begin)
    sentence = rest[: end.start()] if end else rest
    if (end and end.group() in "?？") or _NEGATED_AT_END.search(sentence) or _TAKEN_BACK.search(sentence):
        return ""
    if formula and sentence[begin:].strip() == "":
        return sentence.strip()
    reason = _REASON.search(sentence, begin)
    if reason:
        sentence = sentence[: reason.start()]
    sentence = _without_foreign_ends(sentence.strip().strip("*_`").strip())
    if formula or not _WORD.match(sentence):
        return sentence
    return _predicate(sentence)


def _without_foreign_ends(text: str) -> str:
    """Remove Chinese, Japanese and Korean words from both ends of a statement that has a number."""
    if text.isascii() or not re.search(r"\d", text) or HEDGING.search(text):
        return text
    verbs = [match.end() for match in re.finditer("[是为]", text)]
    return _FOREIGN_ENDS.sub("", text[verbs[-1] :] if verbs else text).strip()


def _predicate(sentence: str) -> str:
    """Return what a sentence states about its subject: its only formula, or the text after the last "is"."""
    verbs = [match.end() for match in _VERB.finditer(sentence)]
    formulas = list(_FORMULA.finditer(sentence))
    if verbs and (not formulas or formulas[-1].start() < verbs[-1] or formulas[-1].start() - verbs[-1] < 3):
        return sentence[verbs[-1] :].strip()
    if len(formulas) == 1:
        return formulas[0].group().strip()
    return sentence


def whole_answer(text: str) -> str | None:
    """Return the text if all of it is one formula, one number with its unit, or one letter; else None."""
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
    """Return the value of the last sentence if it is a conclusion: "Therefore $x > 5$ is the solution"."""
    tail = text.strip().rstrip("。！।.")[-_MAX_SENTENCE_LENGTH:]
    sentence = _SENTENCES.split(tail)[-1]
    conclusions = list(_CONCLUSION.finditer(sentence))
    if not conclusions:
        return None
    return _only_value(sentence[conclusions[-1].start() :]) or _only_value(sentence)


def _only_value(sentence: str) -> str | None:
    """Return the formula, number or letter of a sentence that has only one and does not hedge."""
    if re.search(r"\b(?:not|no|or|maybe|perhaps|either|guess)\b|\?", sentence):
        return None
    formulas = list(_FORMULA.finditer(sentence))
    if formulas:
        return _predicate(sentence) if len(formulas) > 1 else formulas[0].group()
    numbers = list(_NUMBER.finditer(sentence.rstrip(".")))
    bold = [found for marked in re.findall(r"\*\*([^*]+)\*\*", sentence) if (found := _NUMBER.match(marked))]
    if len(bold) == 1:
        return bold[0].group()
    if len(numbers) > 1 and "=" in sentence[numbers[-2].end() : numbers[-1].start()]:
        return numbers[-1].group()
    if not numbers and (letter := _CHOSEN_LETTER.search(sentence)):
        return letter.group(1)
    return numbers[0].group() if len(numbers) == 1 else None


def last_formula(text: str) -> str | None:
    """Return the last formula between dollars or TeX brackets; the last number if it comes later."""
    tail = text[-_MAX_TAIL_LENGTH:]
    formulas = list(_FORMULA.finditer(tail))
    numbers = list(_NUMBER.finditer(tail))
    if formulas and (not numbers or formulas[-1].end() >= numbers[-1].start()):
        return formulas[-1].group()
    return numbers[-1].group() if numbers else None

"""The phrases that announce a final answer, in one table of languages, and where a text has them.

An announcement is a noun such as "answer", then a verb such as "is" or a colon. Words may stand between
the two: "the answer to this question is". All repetitions of the regular expressions are bounded, so that the
time is linear in the length of the text.

Source: the answer prefixes of MGSM (Shi et al. 2022, "Language models are multilingual chain-of-thought
reasoners") and the phrases that lighteval's multilingual tasks extract.
"""

import re
from typing import NamedTuple

_MARK = r"[*_}\"”]{0,3}"
"""Markup that may stand between the noun and the colon."""
_COLON = r"\s{0,3}[:：=]"


class _Language(NamedTuple):
    stems: str
    """Parts of the nouns, in lower case. A text without any of them has no announcement in this language."""
    nouns: str
    """A regular expression of the nouns, with the adjectives that may follow them."""
    verbs: str
    """A regular expression of the verbs that may follow the noun."""
    prepositions: str = ""
    """A regular expression of the words that may begin a phrase between noun and verb."""
    spaced: bool = True
    """Whether words are separated by spaces."""


_LANGUAGES = {
    "Spanish": _Language(
        "respuesta", r"respuestas?(?:\s(?:final|correcta))?",
        r"es|son|será|sería", "a|al|de|del|para|que"),
    "French": _Language(
        "ponse", r"r[ée]ponses?(?:\s(?:finale|correcte))?",
        r"est|sont|serait", "à|a|au|de|du|pour|que"),
    "Portuguese": _Language(
        "resposta", r"respostas?(?:\s(?:final|correta))?",
        r"é|são|será", "a|à|ao|de|da|do|para|que"),
    "Italian": _Language(
        "rispost", r"rispost[ae](?:\s(?:finale|corretta))?",
        r"è|e'|sono|sarà", "a|al|alla|di|della|per|che"),
    "Catalan": _Language("resposta", r"resposta(?:\s(?:final|correcta))?", r"és|serà"),
    "Romanian": _Language("spuns", r"r[ăa]spuns(?:ul)?(?:\s(?:final|corect))?", r"este|e"),
    "German": _Language(
        "antwort ergebnis lösung",
        r"antwort(?:en)?|die\slösung|(?:end)?ergebnis",
        r"ist|sind|lautet|lauten|beträgt",
        "auf|zu|für|der|die|ist"
    ),
    "Dutch": _Language("antwoord", r"(?:eind)?antwoord(?:en)?", r"is|zijn|luidt", "op|van|voor"),
    "Swedish": _Language("svar", r"svar(?:et)?", r"är|blir|er"),
    "Finnish": _Language("vastaus", r"vastaus", r"on"),
    "Polish": _Language("odpowied", r"odpowied(?:ź|z|zią|zia)(?:\skońcowa)?", r"to|jest|brzmi|wynosi", "na"),
    "Czech": _Language("odpov", r"odpově[dď](?:\szní)?", r"je|zní", "na"),
    "Hungarian": _Language("válasz", r"(?:a\s)?válasz(?:om)?", r"az|a"),
    "Turkish": _Language("cevap cevab yanıt", r"cevap|cevab[ıi]|yanıt[ıi]?", r"şudur"),
    "Vietnamese": _Language(
        "đáp trả lời", r"đáp án(?:\sđúng)?|đáp số|câu trả lời(?:\s(?:cuối cùng|đúng))?",
        r"là", "cho|của"),
    "Indonesian": _Language("jawab", r"jawaban(?:nya)?(?:\sakhir)?", r"adalah|ialah", "untuk|dari|atas"),
    "Swahili": _Language("jibu", r"jibu(?:\sla\smwisho|\ssahihi)?", r"ni", "la"),
    "Russian": _Language(
        "ответ", r"ответ(?:ом)?(?:\sзадачи)?",
        r"это|равен|является|будет|[—–-](?=\s)", "на|к"),
    "Ukrainian": _Language("відповід", r"відповід(?:ь|дю)", r"це|є|[—–-](?=\s)", "на"),
    "Greek": _Language("απάντηση", r"απάντηση", r"είναι", "στην|στο"),
    "Arabic": _Language(
        "جاب جواب", r"(?:ال)?(?:إجابة|اجابة|جواب)(?:\s(?:النهائية|النهائي|الصحيحة|هي|هو))?",
        r"هي|هو"),
    "Persian": _Language("پاسخ جواب", r"پاسخ(?:\sنهایی)?", r"برابر"),
    "Hebrew": _Language("תשובה", r"ה?תשובה(?:\sהסופית)?", r"היא|הוא"),
    "Hindi": _Language("उत्तर जवाब", r"(?:अंतिम\s)?(?:उत्तर|जवाब)", r"है"),
    "Bengali": _Language("উত্তর", r"উত্তর", r"হল|হলো|হচ্ছে"),
    "Telugu": _Language("సమాధానం", r"సమాధానం", r"ఏమిటంటే"),
    "Tamil": _Language("பதில் விடை", r"பதில்|விடை", r"என்பது"),
    "Thai": _Language("คำตอบ", r"คำตอบ(?:สุดท้าย|ที่ถูกต้อง)?", r"คือ|\s{0,2}คือ", spaced=False),
    "Chinese": _Language(
        "答",
        r"(?:【\s?)?(?:答案|答)(?:\s?】|(?!】))",
        r"(?:应该?|就|便)?(?:是|为|為|等于)|(?<=】)",
        spaced=False,
    ),
    "Japanese": _Language("答 正解 解答", r"答え|回答|解答|正解|答", r"は", spaced=False),
    "Korean": _Language("답", r"(?:최종\s?|정)?답(?:변|안)?", r"은|는", spaced=False),
}  # fmt: skip


def _pattern(language: _Language) -> re.Pattern[str]:
    nouns, verbs = language.nouns, language.verbs
    if not language.spaced:
        return re.compile(rf"(?:{nouns}){_MARK}(?:(?:{verbs}){_COLON}?|{_COLON})")
    between = (
        rf"(?:\s{{1,3}}(?:{language.prepositions})\s[^\n.!?:;=,$\\]{{0,60}}?)?"
        if language.prepositions
        else ""
    )
    return re.compile(
        rf"(?<!\w)(?:{nouns})(?!\w){_MARK}{between}(?:\s{{1,3}}(?:{verbs})(?!\w){_MARK}{_COLON}?|{_COLON})",
        re.IGNORECASE,
    )


_FOREIGN = tuple((language.stems.split(), _pattern(language)) for language in _LANGUAGES.values())

_FOREIGN_IN_ASCII = tuple(
    (stems, pattern) for stems, pattern in _FOREIGN if any(stem.isascii() for stem in stems)
)

_ABOUT = (
    r"(?:\s{1,3}(?:to|for|of|in|on|from|that|which|we|you|I|here|after|when)\b[^\n.!?:;=,$\\]{0,60}?"
    r"|,[^\n.!?:;=,$\\]{1,40},)?"
)
"""Words between "answer" and "is": "to this question", "we are looking for"."""
_ADVERB = r"(?:\s{1,3}(?:therefore|thus|then|hence|clearly|simply|indeed|also|now|finally))?"
_LETTER_AHEAD = r"(?=[\s*_:]{0,4}(?:option\s|choice\s|answer\s)?[($\\{*]{0,3}(?:(?-i:[A-Z])\b|\d|text|\$))"
_ENGLISH = re.compile(
    rf"(?<![^\W_])answers?(?:\s(?:choice|option|value))?\b{_MARK}(?:"
    rf"{_ABOUT}{_ADVERB}\s{{1,3}}(?:is|are|equals|(?:turns|comes)\sout\s(?:to\sbe|as))\b"
    rf"|{_ABOUT}\s{{1,3}}(?:must|should|will)\sbe(?=[\s*_:]{{1,4}}[-+($\\]{{0,4}}\d)"
    rf"|{_ABOUT}(?:\s?\([^()\n]{{1,30}}\))?{_COLON}"
    r"|\s{1,3}[–—-](?=\s)"
    r"|\s{0,3}\n|(?=\s{0,3}(?:\$|\\\(|\\\[)))"
    rf"|\bans\b\.?{_MARK}(?:\s{{1,3}}is\b|{_COLON}|(?<=\.)\s)"
    rf"|\b(?:correct|right|best|final|appropriate|accurate|suitable)\s(?:option|choice|alternative|letter)\b{_MARK}"
    rf"(?:{_ABOUT}{_ADVERB}\s{{1,3}}(?:is|would\sbe)\b|{_COLON}){_LETTER_AHEAD}"
    r"|(?:故|应|應|所以|因此|答案|正确)?选(?:择|项)?(?:是|为)?\s?[:：]?\s?(?=[*(（]{0,3}[A-J](?![A-Za-z]))"
    r"|####|<answer>|^\s{0,3}A:(?=\s)",
    re.IGNORECASE | re.MULTILINE,
)
_LETTER = r"[*_$({]{0,4}(?:\\text(?:bf)?\{)?\(?(?-i:([A-J]))[*_$)}.]{0,4}"
_CHOSEN = re.compile(
    rf"\b(?:option|choice|answer|alternative)\s{_LETTER}\s{{1,2}}is\s(?:(?!(?:not|never|hardly|far)\b)[a-z]{{2,12}}\s)?(?:the\s)?"
    r"(?:most\s)?(?:correct|right|best|appropriate|accurate|answer)\b"
    rf"|(?:^|(?<=[\s*(])){_LETTER}\s{{1,2}}is\sthe\s(?:most\s)?(?:correct|right|best|appropriate|accurate|final)\s"
    r"(?:answer|option|choice)\b"
    rf"|\bI(?:'d|'ll|\swould|\swill)?\s(?:choose|pick|select|go\swith|go\sfor)\s(?:option\s|answer\s|choice\s)?{_LETTER}"
    r"(?=[\s.,;:!]|$)",
    re.IGNORECASE | re.MULTILINE,
)
"""Sentences in which the letter of a choice comes first: "Option C is correct"."""

_HYPOTHESIS = re.compile(
    r"(?:\b(?:if|whether|suppose|supposing|assume|assuming|unless|imagine|pretend|claims?|claimed)\b[^,.!?;:\n]{0,60}"
    r"|\b(?:wrong|incorrect|false|mistaken|tempting|naive|previous|earlier|initial|untrue)\s(?:\w{1,12}\s){0,2}"
    r"|(?:\bdoubt|\bdeny|(?:\bnot|n['’]t|\bnever|\bcannot)\s(?:\w{1,12}\s){0,2}?"
    r"(?:think|believe|say|claim|sure|mean|know|certain|conclude|true|clear|guarantee|imply|that))"
    r"\b[^,.!?;:\n]{0,40})$",
    re.IGNORECASE,
)
"""The end of a text after which an announcement is a hypothesis, a quotation or a refusal."""
_NO_LETTER = re.compile(
    r"\b(?:no|not|nor|neither)\s(?:(?:option|choice|answer|alternative)\s)?$", re.IGNORECASE
)
"""The end of a text after which a letter is not chosen: "no option C is correct"."""
_LOOK_BACK = 100
"""Characters before an announcement in which a hypothesis is looked for."""


class Announcement(NamedTuple):
    """A place where a text announces its answer."""

    start: int
    end: int
    """Position after the announcing words. The answer follows, unless `letter` has it."""
    letter: str | None = None
    """The letter of a choice, if the sentence has it before its verb."""


def announcements(text: str) -> list[Announcement]:
    """Return where `text` announces an answer, in order, hypotheses such as "if the answer is 5" included.

    >>> [text.end for text in announcements("Die Antwort lautet 42.")]
    [19]
    """
    lowered = text.lower()
    found = [Announcement(*match.span()) for match in _ENGLISH.finditer(text)]
    if " is " in lowered or "i " in lowered or "i'" in lowered:
        for match in _CHOSEN.finditer(text):
            letter = next(letter for letter in match.groups() if letter)
            found.append(Announcement(*match.span(), letter))
    for stems, pattern in _FOREIGN_IN_ASCII if text.isascii() else _FOREIGN:
        if any(stem in lowered for stem in stems):
            found += [Announcement(*match.span()) for match in pattern.finditer(text)]
    return sorted(found, key=lambda place: (place.end, -place.start))


def is_hypothesis(text: str, place: Announcement) -> bool:
    """Return whether the words before an announcement make it a hypothesis, a quotation or a refusal."""
    before = text[max(0, place.start - _LOOK_BACK) : place.start]
    if place.letter is not None and _NO_LETTER.search(before):
        return True
    return _HYPOTHESIS.search(before) is not None

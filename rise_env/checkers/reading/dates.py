"""Reads and compares clock times and calendar dates."""

import re
from collections.abc import Sequence

_HALF = r"([ap])\s?\.?\s?m\b\.?|in the (morning|afternoon|evening)"
_CLOCK = re.compile(rf"(\d{{1,2}})\s?:\s?([0-5]\d)(?:\s?:\s?([0-5]\d))?\s*(?:{_HALF})?", re.IGNORECASE)
_HOUR = re.compile(rf"(1[0-2]|0?[1-9])\s?(?:{_HALF}|o'?clock(?: (?:{_HALF}))?)", re.IGNORECASE)
_NAMED_HOURS = {
    "noon": 12,
    "12 noon": 12,
    "12:00 noon": 12,
    "midnight": 0,
    "12 midnight": 0,
    "12:00 midnight": 0,
}
_ISO = re.compile(r"(\d{4})[-/](\d{1,2})[-/](\d{1,2})")
_DAY_FIRST = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})")
_MONTHS = "january february march april may june july august september october november december".split()
_NAMED = re.compile(r"([a-z]+)\.? (\d{1,2})(?:st|nd|rd|th)?(?:,? (\d{4}))?")
_NAMED_DAY_FIRST = re.compile(r"(\d{1,2})(?:st|nd|rd|th)? (?:of )?([a-z]+)\.?(?:,? (\d{4}))?")
_STYLE = re.compile(r"\\(?:text|mathrm|mbox|textrm)\s*\{|[{}]|\\[,;: ]|~")
_FORMULA = re.compile(r"[()\[\]^=+*<>|_$]|\\[^tm,;: ]")
"""A sign, or the start of a command, that no time and no date has."""

DateTime = tuple[str, int, int, int]
"""("date", year or 0, month, day); or "clock a", "clock p" or "clock ", with hour, minute, second."""


def read_date_time(text: str) -> DateTime | None:
    """Return the clock time or the date that a text is; None if it is neither.

    >>> read_date_time("3:30 PM") == read_date_time("3:30 p.m."), read_date_time("2024-01-15")
    (True, ('date', 2024, 1, 15))
    """
    if len(text) > 60 or _FORMULA.search(text):
        return None
    plain = " ".join(_STYLE.sub(" ", text).split()).strip(" .,")
    if not plain[:1].isdigit() and plain.lower() not in _NAMED_HOURS:
        return _date(plain.lower())
    if plain.lower() in _NAMED_HOURS:
        return ("clock p" if _NAMED_HOURS[plain.lower()] else "clock a", 12, 0, 0)
    clock = _CLOCK.fullmatch(plain)
    if clock:
        hour, minute, second, *halves = clock.groups()
        return (f"clock {_half(halves)}", int(hour), int(minute), int(second or 0))
    full_hour = _HOUR.fullmatch(plain)
    if full_hour:
        return (f"clock {_half(full_hour.groups()[1:])}", int(full_hour.group(1)), 0, 0)
    return _date(plain.lower())


def _half(found: Sequence[str | None]) -> str:
    """Return "a", "p" or "" for the half of the day that one of some groups names."""
    name = next((word.lower() for word in found if word), "")
    return {"m": "a", "e": "p", "af": "p", "": ""}.get(name[:2] if name[:2] == "af" else name[:1], name)


def _date(text: str) -> DateTime | None:
    match = _ISO.fullmatch(text)
    if match:
        year, month, day = map(int, match.groups())
        return _valid_date(year, month, day)
    match = _DAY_FIRST.fullmatch(text)
    if match:
        day, month, year = map(int, match.groups())
        return _valid_date(year, month, day)
    match = _NAMED.fullmatch(text)
    if match:
        return _valid_date(int(match.group(3) or 0), _month(match.group(1)), int(match.group(2)))
    match = _NAMED_DAY_FIRST.fullmatch(text)
    if match:
        return _valid_date(int(match.group(3) or 0), _month(match.group(2)), int(match.group(1)))
    return None


def _month(name: str) -> int:
    matches = [index for index, month in enumerate(_MONTHS, 1) if len(name) >= 3 and month.startswith(name)]
    return matches[0] if matches else 0


def _valid_date(year: int, month: int, day: int) -> DateTime | None:
    return ("date", year, month, day) if 1 <= month <= 12 and 1 <= day <= 31 else None


def _on_24_hour_clock(date_time: DateTime) -> tuple[int, int, int]:
    kind, hour, minute, second = date_time
    if kind != "clock ":
        hour = hour % 12 + (12 if kind == "clock p" else 0)
    return hour, minute, second


def same_date_time(reference: DateTime, answer: DateTime) -> bool:
    """Return whether two times or dates are equal. One of two clock times may omit its a.m. or p.m."""
    if reference[0].startswith("clock") and answer[0].startswith("clock"):
        halves = {reference[0], answer[0]} - {"clock "}
        if reference[1:] == answer[1:]:
            return len(halves) <= 1
        return len(halves) == 1 and _on_24_hour_clock(reference) == _on_24_hour_clock(answer)
    return reference == answer

"""Units of measurement: the dimension of a unit, and its size in base units."""

import re
from collections.abc import Sequence
from fractions import Fraction
from functools import lru_cache
from typing import NamedTuple


class Unit(NamedTuple):
    """A unit of measurement. A noun that is counted, such as "apples", is a dimension of its own."""

    dimension: tuple[tuple[str, int], ...]
    """Base dimensions with their exponents, sorted: (("length", 2),) is an area."""
    factor: Fraction
    """The size of the unit in base units: metres, kilograms, seconds, cubic metres, ..."""


COUNTED = Unit((), Fraction(1))
PERCENT = Unit((("percent", 1),), Fraction(1, 100))
PERMILLE = Unit((("permille", 1),), Fraction(1, 1000))
DEGREE = Unit((("degree", 1),), Fraction(1))

# dimension, size in base units, names
_TABLE = """
length 1 m meter meters metre metres
length 1/100 cm centimeter centimeters centimetre centimetres
length 1/1000 mm millimeter millimeters millimetre millimetres
length 1000 km kilometer kilometers kilometre kilometres kms
length 127/5000 in inch inches
length 381/1250 ft foot feet
length 1143/1250 yd yard yards
length 201168/125 mi mile miles
mass 1 kg kilogram kilograms kilo kilos kgs
mass 1/1000 g gram grams gms
mass 1/1000000 mg milligram milligrams
mass 1000 ton tons tonne tonnes
mass 45359237/100000000 lb lbs pound pounds
mass 45359237/1600000000 oz ounce ounces
time 1 s sec secs second seconds
time 60 min mins minute minutes
time 3600 h hr hrs hour hours
time 86400 day days
time 604800 week weeks
month 1 month months
month 12 year years yr yrs
volume 1/1000 L l liter liters litre litres
volume 1/1000000 mL ml milliliter milliliters millilitre millilitres cc
gallon 1 gallon gallons gal
gallon 1/4 quart quarts
gallon 1/8 pint pints
gallon 1/16 cup cups
dollar 1 dollar dollars usd USD bucks buck $
dollar 1/100 cent cents ¢ penny pennies
euro 1 euro euros eur EUR €
sterling 1 £ GBP gbp
yen 1 ¥ yen
yuan 1 yuan rmb RMB CNY
rupee 1 rupee rupees Rs INR ₹
celsius 1 C celsius Celsius
fahrenheit 1 F fahrenheit Fahrenheit
kelvin 1 K kelvin kelvins
newton 1 N newton newtons
joule 1 J joule joules
joule 1000 kJ
watt 1 W watt watts
watt 1000 kW
volt 1 V volt volts
hertz 1 Hz hertz
hertz 1000 kHz
hertz 1000000 MHz
radian 1 rad radian radians
"""
_NAMED = {
    name: (what, Fraction(factor))
    for what, factor, *names in (line.split() for line in _TABLE.split("\n") if line)
    for name in names
}
_ABBREVIATIONS = {
    "mph": "mile / hour",
    "kph": "km / hour",
    "kmph": "km / hour",
    "kmh": "km / hour",
    "fps": "ft / sec",
}
_LETTERS = frozenset(name for name in _NAMED if len(name) == 1)
_PIECE = re.compile(r"[A-Za-z$£€¥¢₹]+|\^|-?\d+|/|[*]")
_POWER_WORDS = {"square": 2, "sq": 2, "squared": 2, "cubic": 3, "cu": 3, "cubed": 3}
_IGNORED_NOUNS = frozenset(
    "unit units way ways total in of the a an per time times number value degree degrees".split()
)
HEDGES = frozenset(
    "not no or and if unless maybe either neither more less least most than at about approximately "
    "around nearly almost roughly between any all some none except only plus minus times over under "
    "but else other probably perhaps possibly sometimes usually likely could might may can would "
    "should guess wrong false incorrect is are was given when for below above negative half halves "
    "thirds quarters fourths fifths sixths sevenths eighths ninths tenths factorial fewer rather "
    "instead otherwise until unknown".split()
)
"""Words that change the number before them, take it back, or add an alternative."""


def is_unit(word: str) -> bool:
    """Return whether a word of two letters or more, or a currency sign, is a unit of the table."""
    return (word in _NAMED and word not in _LETTERS) or word.lower() in _ABBREVIATIONS or word in _POWER_WORDS


def is_unit_phrase(phrase: str) -> bool:
    """Return whether a phrase such as "m/s" or "cm^2" consists of units of the table alone."""
    pieces = [piece for piece in _PIECE.findall(phrase) if piece[0].isalpha()]
    if not phrase[:1].isalpha():
        return False
    return bool(pieces) and all(piece in _NAMED or is_unit(piece) or piece == "per" for piece in pieces)


@lru_cache(maxsize=4096)
def read_unit(phrase: str) -> Unit | None:
    """Return the unit that a phrase such as "miles per hour" or "cm^2" names; None if the phrase hedges.

    >>> read_unit("square centimeters") == read_unit("cm^2")
    True
    >>> read_unit("or more") is None
    True
    """
    words = phrase.replace(".", " ").split()
    if any(word.strip(",()").lower() in HEDGES for word in words) or phrase.strip() in {"squared", "cubed"}:
        return None
    pieces = _PIECE.findall(" ".join(_ABBREVIATIONS.get(word.lower(), word) for word in words))
    return _unit_of(["/" if piece == "per" else piece for piece in pieces])


def _unit_of(pieces: Sequence[str]) -> Unit:
    dimension: dict[str, int] = {}
    factor, sign, power = Fraction(1), 1, 1
    last: tuple[str, Fraction] | None = None
    noun = ""
    for place, piece in enumerate(pieces):
        if piece == "/":
            sign = -1
        elif piece in _POWER_WORDS:
            if piece.endswith("ed") and last is not None:
                extra = _POWER_WORDS[piece] - 1
                dimension[last[0]] += sign * extra
                factor *= last[1] ** (sign * extra)
            else:
                power = _POWER_WORDS[piece]
        elif piece.lstrip("-").isdigit():
            if last is not None and place > 1 and pieces[place - 1] == "^" and abs(int(piece)) <= 9:
                extra = int(piece) - 1
                dimension[last[0]] += sign * extra
                factor *= last[1] ** (sign * extra)
        elif piece not in "^*":
            last = _NAMED.get(piece) or _NAMED.get(piece.lower())
            if last is not None:
                dimension[last[0]] = dimension.get(last[0], 0) + sign * power
                factor *= last[1] ** (sign * power)
            elif not noun and piece.lower() not in _IGNORED_NOUNS:
                noun = piece.lower().removesuffix("s")
            power = 1
    if not dimension and noun:
        return Unit(((f"#{noun}", 1),), Fraction(1))
    if "volume" in dimension and set(dimension) <= {"volume"}:
        return Unit((("length", 3 * dimension["volume"]),), factor)
    if set(dimension) == {"radian"}:
        return COUNTED
    return Unit(tuple(sorted((name, count) for name, count in dimension.items() if count)), factor)

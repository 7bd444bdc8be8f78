"""Units of measurement: the dimension of a unit, and its size in base units."""

import re
from collections.abc import Iterator, Mapping, Sequence
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
_BASE = """
length 1 m meter meters metre metres 米 メートル 미터 метр метра метров
length 1/100 cm 厘米 センチ
length 1/1000 mm 毫米
length 1000 km kms 公里 千米 キロ
length 127/5000 in inch inches
length 381/1250 ft foot feet
length 1143/1250 yd yard yards
length 201168/125 mi mile miles
length 9460730472580800 ly
mass 1 kg kilo kilos kgs 千克 公斤
mass 1/1000 g gram grams gms 克 グラム 그램 грамм граммов
mass 1000 ton tons tonne tonnes 吨
mass 45359237/100000000 lb lbs pound pounds
mass 45359237/1600000000 oz ounce ounces
time 1 s sec secs second seconds 秒 초
time 60 min mins minute minutes 分钟 分 분
time 3600 h hr hrs hour hours 小时 時間 시간
time 86400 day days 天 日 일
time 604800 week weeks 周 星期
month 1 month months
month 12 year years yr yrs 年
gallon 1 gallon gallons gal
gallon 1/4 quart quarts
gallon 1/8 pint pints
gallon 1/16 cup cups
dollar 1 dollar dollars usd USD bucks buck $ 美元
dollar 1/100 cent cents ¢ penny pennies
euro 1 euro euros eur EUR € евро
sterling 1 £ GBP gbp
yen 1 ¥ yen 円 日元
yuan 1 yuan rmb RMB CNY 元 块 人民币
won 1 원 won ₩
ruble 1 ruble rubles ₽ руб рубль рубля рублей
lira 1 ₺
hryvnia 1 ₴
naira 1 ₦
peso 1 ₱ peso pesos
baht 1 ฿ baht
shekel 1 ₪ shekel shekels
dong 1 ₫ dong
rupee 1 rupee rupees Rs INR ₹ रुपये
celsius 1 C celsius Celsius
fahrenheit 1 F fahrenheit Fahrenheit
kelvin 1 K kelvin kelvins
ampere 1 A ampere amperes amp amps
mole 1 mol mole moles
radian 1 rad radian radians
"""
# size, definition in the units above it, names
_DERIVED = """
1/1000 m^3 L l liter liters litre litres 升
1/1000000 m^3 cc
1 kg*m/s^2 N newton newtons
1/100000 N dyn dyne dynes
1 N*m J joule joules
1/10000000 J erg ergs
523/125 J cal calorie calories
1602176634/10000000000000000000000000000 J eV electronvolt electronvolts
3600 J Wh
3600000 J kWh
1 J/s W watt watts
1 A*s coulomb coulombs
1 W/A V volt volts
1 V/A Ω Ohm ohm ohms
1 A*s/V farad farads
1 V*s Wb weber webers
1 V*s/m^2 T tesla teslas
1 V*s/A H henry henries
1 N/m^2 Pa pascal pascals
100000 Pa bar bars
101325 Pa atm
1 /s Hz hertz
1/10000000000 m Å angstrom angstroms
1000 mol/m^3 M
10000 m^2 hectare hectares
"""
_PREFIXES = {
    "T": 12, "G": 9, "M": 6, "k": 3, "h": 2, "d": -1, "c": -2, "m": -3, "µ": -6, "u": -6, "n": -9, "p": -12,
}  # fmt: skip
"""Prefix -> its exponent of ten."""
# the letters of the prefixes that are in use, and the unit; so that "pm" stays a time of day, and "us" a word
_PREFIXED = """
dµun m
mµu g
mµnp s
mcdµuk L
mcdµuk l
kMm N
kMGm J
kMGmµ W
kMGT Wh
kMmµu V
mµun A
kMGh Pa
kMGT Hz
kMGTm eV
kmµ mol
k cal
kMmµ Ω
µunp farad=F
mµ H
mµ T
mµun coulomb=C
m bar
"""
_WORD_PREFIXES = {"kilo": "k", "centi": "c", "milli": "m", "micro": "µ", "nano": "n", "mega": "M",
                  "giga": "G", "deci": "d"}  # fmt: skip
_WORDS_WITH_PREFIXES = (
    "meter metre gram liter litre watt joule volt ampere amp newton pascal hertz second ohm farad mole "
    "calorie electronvolt coulomb tesla henry bar"
)
_PIECE = re.compile(r"(?:[A-Za-z$]|[^\x00-\x7f])+|\^|-?\d+|/|[*]")
_OTHER = re.compile(r"[^A-Za-z$\x80-\U0010ffff\s^*/.(){}\d-]")
_COMPOUND = re.compile(r"[^\W\d_]+(?:(?:\s*[/*]\s*|\s+)[^\W\d_]+(?:\s*\^\s*-?\d)?)*")
_POWER_WORDS = {"square": 2, "sq": 2, "squared": 2, "cubic": 3, "cu": 3, "cubed": 3}
_IGNORED_NOUNS = frozenset(
    "unit units way ways total in of the a an per time times number value degree degrees each old long "
    "个 個 개 명 人 件 只 つ 匹 本 枚 台 种 種 次".split()
)
HEDGES = frozenset(
    "not no or and if unless maybe either neither more less least most than at about approximately "
    "around nearly almost roughly between any all some none except only plus minus times over under "
    "but else other probably perhaps possibly sometimes usually likely could might may can would "
    "should guess wrong false incorrect is are was given when for below above negative half halves "
    "thirds quarters fourths fifths sixths sevenths eighths ninths tenths factorial fewer rather "
    "instead otherwise until unknown mil oder mehr weniger etwa ungefähr nicht ou plus moins environ o más "
    "menos aproximadamente não mais più meno circa или больше меньше более менее около примерно не".split()
)
"""Words by which a phrase is not a unit: they change or negate the number, or add an alternative to it."""


HEDGING = re.compile(
    "约|約|大概|左右|以上|以下|以内|未満|未满|超过|不到|不足|至少|至多|或|又は|また|약|또는|이상|이하|미만|초과|많|적"
    "|不是|아니|から|至|到|分之|ではな|可能"
)
"""Such words of languages that do not separate words by spaces."""


def _read_tables() -> dict[str, Unit]:
    """Return the unit of every name of the tables, prefixes included."""
    named: dict[str, Unit] = {}
    for line in _BASE.strip().split("\n"):
        what, factor, *names = line.split()
        named.update(dict.fromkeys(names, Unit(((what, 1),), Fraction(factor))))
    for line in _DERIVED.strip().split("\n"):
        factor, definition, *names = line.split()
        unit = _multiply(_PIECE.findall(definition), named)
        named.update(dict.fromkeys(names, unit._replace(factor=unit.factor * Fraction(factor))))
    prefixed = {}
    for prefix, name, symbol in _prefixed_symbols():
        unit = named[name]
        prefixed[prefix + symbol] = unit._replace(factor=unit.factor * Fraction(10) ** _PREFIXES[prefix])
    for word, prefix in _WORD_PREFIXES.items():
        for base in _WORDS_WITH_PREFIXES.split():
            unit = named[base]
            for plural in ("", "s"):
                prefixed[word + base + plural] = unit._replace(
                    factor=unit.factor * Fraction(10) ** _PREFIXES[prefix]
                )
    return prefixed | named


def _prefixed_symbols() -> Iterator[tuple[str, str, str]]:
    for line in _PREFIXED.strip().split("\n"):
        prefixes, base = line.split()
        name, _, symbol = base.partition("=")
        for prefix in prefixes:
            yield prefix, name, symbol or name


def _multiply(pieces: Sequence[str], named: Mapping[str, Unit]) -> Unit:
    """Return the product of units, as in `kg*m/s^2`; pieces that are not units are ignored."""
    dimension: dict[str, int] = {}
    factor, sign, power = Fraction(1), 1, 1
    last: Unit | None = None
    last_sign = 1

    def multiply(unit: Unit, times: int) -> None:
        nonlocal factor
        for name, count in unit.dimension:
            dimension[name] = dimension.get(name, 0) + times * count
        factor *= unit.factor**times

    for place, piece in enumerate(pieces):
        if piece == "/":
            sign = -1
        elif piece in _POWER_WORDS:
            if piece.endswith("ed") and last is not None:
                multiply(last, last_sign * (_POWER_WORDS[piece] - 1))
            else:
                power = _POWER_WORDS[piece]
        elif piece.lstrip("-").isdecimal():
            if last is not None and pieces[place - 1] == "^" and abs(int(piece)) <= 9:
                multiply(last, last_sign * (int(piece) - 1))
        elif piece not in "^*":
            last = named.get(piece) or named.get(piece.lower())
            if last is None and (sign == -1 or pieces[place + 1 : place + 2] == ["/"]):
                noun = _noun(piece)
                last = Unit(((f"#{noun}", 1),), Fraction(1)) if noun else None
            last_sign = sign
            if last is not None:
                multiply(last, sign * power)
            power = 1
    return Unit(tuple(sorted((name, count) for name, count in dimension.items() if count)), factor)


def _noun(piece: str) -> str:
    """Return the name under which a noun is counted; "" for a noun without meaning, such as "units"."""
    return "" if piece.lower() in _IGNORED_NOUNS else piece.lower().removesuffix("s")


_NAMED = _read_tables()
_ABBREVIATIONS = {
    "mph": "mile / hour",
    "kph": "km / hour",
    "kmph": "km / hour",
    "kmh": "km / hour",
    "fps": "ft / sec",
}
_LETTERS = frozenset(name for name in _NAMED if len(name) == 1 and name.isascii())
_PRODUCTS = frozenset(prefix + symbol for prefix, _, symbol in _prefixed_symbols() if symbol.isascii()) - set(
    "km cm mm kg mg mL ml kW kJ kHz MHz".split()
)
"""Units that mean a product of variables if they follow a number without a space: `2nm`."""


def is_unit(word: str, *, spaced: bool = True) -> bool:
    """Return whether a word is a unit of the table. Single letters are not, because they may be variables.

    Args:
        word: Letters, or a currency sign.
        spaced: Whether white space is between the word and its number.
    """
    if word in _PRODUCTS and not spaced:
        return False
    return (word in _NAMED and word not in _LETTERS) or word.lower() in _ABBREVIATIONS or word in _POWER_WORDS


def is_unit_phrase(phrase: str) -> bool:
    """Return whether a phrase such as "m/s" or "cm^2" consists of units of the table alone."""
    if not phrase[:1].isalpha() or phrase[-1:] in "/*^":
        return False
    pieces = [piece for piece in _PIECE.findall(phrase) if piece[0].isalpha()]
    known = [piece in _NAMED or is_unit(piece) or piece == "per" for piece in pieces]
    return bool(pieces) and all(known) and not _OTHER.search(phrase)


def is_compound(phrase: str) -> bool:
    """Return whether a phrase is a compound of known units and other words, such as "g/plate"."""
    pieces = [piece for piece in _PIECE.findall(phrase) if piece[0].isalpha()]
    return (
        "/" in phrase
        and _COMPOUND.fullmatch(phrase) is not None
        and all(len(piece) > 1 or piece in _NAMED for piece in pieces)
    )


@lru_cache(maxsize=4096)
def read_unit(phrase: str) -> Unit | None:
    """Return the unit that a phrase such as "miles per hour" names; None if it has a word of `HEDGES`.

    >>> read_unit("square centimeters") == read_unit("cm^2")
    True
    >>> read_unit("or more") is None
    True
    """
    if not phrase.isascii():
        if HEDGING.search(phrase):
            return None
        phrase = phrase.replace("平方", "square ").replace("立方", "cubic ").replace("每", " / ")
    words = phrase.replace(".", " ").split()
    if any(word.strip(",()").lower() in HEDGES for word in words) or phrase.strip() in {"squared", "cubed"}:
        return None
    pieces = _PIECE.findall(
        " ".join(_ABBREVIATIONS.get(word, _ABBREVIATIONS.get(word.lower(), word)) for word in words)
    )
    unit = _multiply(["/" if piece == "per" else piece for piece in pieces], _NAMED)
    if not unit.dimension and unit.factor == 1:
        noun = next((noun for piece in pieces if piece[0].isalpha() and (noun := _noun(piece))), "")
        known = any(piece in _NAMED or piece in _POWER_WORDS for piece in pieces)
        return Unit(((f"#{noun}", 1),), Fraction(1)) if noun and not known else COUNTED
    return COUNTED if unit.dimension == (("radian", 1),) else unit

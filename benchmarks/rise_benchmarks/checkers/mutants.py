r"""Makes cases from reference answers alone: respellings, which are right, and changes, which are wrong.

All mutants of a reference are right or wrong by construction, so that nobody has to label them.
"""

import re
from collections.abc import Callable, Sequence
from random import Random

from rise_benchmarks.checkers.cases import Case

_DIGIT = re.compile(r"(?<![\d._^{\\])[2-8](?![\d}])")

_MAX_LENGTH = 200
"""Maximal number of characters of a reference that is used; references in words are not used."""
_NUMBER = re.compile(r"-?(?:\d+(?:\.\d+)?|\\d?frac\{[1-9]\d*\}\{\d+\}|(?:[1-9]\d*)?\\sqrt\{[1-9]\d*\})")
_COMMANDS = re.compile(r"\\(?!text|mbox|mathrm)[A-Za-z]+")
_WORDS = re.compile(r"[A-Za-z]{3,}")
Mutator = Callable[[str, Random], str]


def _spaced(reference: str, random: Random) -> str:
    return re.sub(r"(?<=[\d)}])([+\-=])", r" \1 ", reference)


def _display_fractions(reference: str, random: Random) -> str:
    return reference.replace("\\frac", "\\dfrac")


def _named(reference: str, random: Random) -> str:
    return f"{random.choice('uvw')} = {reference}"


def _in_dollars(reference: str, random: Random) -> str:
    return f"${reference}$"


def _with_digit_changed(reference: str, random: Random) -> str:
    places = list(_DIGIT.finditer(reference))
    if not places:
        return reference
    place = random.choice(places)
    digit = str(int(place.group()) + 1)
    return reference[: place.start()] + digit + reference[place.end() :]


def _plus_one(reference: str, random: Random) -> str:
    return f"{reference} + 1"


def _times_ten(reference: str, random: Random) -> str:
    return f"10({reference})"


def _or_another(reference: str, random: Random) -> str:
    return f"{reference} \\text{{ or }} {random.randint(1000, 9999)}"


def _not(reference: str, random: Random) -> str:
    return f"\\text{{not }} {reference}"


_MUTATORS: dict[str, tuple[Mutator, bool, bool]] = {
    "spacing": (_spaced, True, False),
    "display fractions": (_display_fractions, True, False),
    "named": (_named, True, True),
    "in dollars": (_in_dollars, True, False),
    "digit": (_with_digit_changed, False, True),
    "plus one": (_plus_one, False, True),
    "times ten": (_times_ten, False, True),
    "or another": (_or_another, False, True),
    "negated": (_not, False, True),
}
"""Kind of mutants -> how to make one, whether it is right, whether the reference must be a nonzero number."""


def mutants(references: Sequence[str], count: int, seed: int = 0) -> list[Case]:
    """Return about `count` cases, made of different references; the same for the same arguments."""
    random = Random(seed)
    known = sorted(filter(_is_formula, set(references)))
    cases: dict[tuple[str, str], Case] = {}
    for _ in range(20 * count):
        if len(cases) >= count or not known:
            break
        reference = random.choice(known)
        kind = random.choice(list(_MUTATORS))
        mutate, right, needs_number = _MUTATORS[kind]
        if needs_number and not _is_nonzero_number(reference):
            continue
        answer = mutate(reference, random)
        if answer == reference:
            continue
        cases[reference, answer] = Case(
            id=f"mutant-{len(cases):05}",
            reply=f"The final answer is \\boxed{{{answer}}}.",
            reference=reference,
            expected=right,
            kind=f"mutant: {kind}",
            group="mutant",
            source="mutants",
        )
    return list(cases.values())


def _is_formula(reference: str) -> bool:
    """Return whether a reference is short, has a digit, and has no words, boxes or empty parts."""
    words = _WORDS.search(_COMMANDS.sub(" ", reference))
    has_digit = re.search(r"\d", reference) is not None
    return len(reference) <= _MAX_LENGTH and "box" not in reference and has_digit and not words


def _is_nonzero_number(reference: str) -> bool:
    return _NUMBER.fullmatch(reference) is not None and re.search(r"[1-9]", reference) is not None

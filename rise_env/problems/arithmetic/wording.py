"""The texts of the generated problems: several sentences for each relation, so that wording varies."""

from collections.abc import Sequence

from rise_env.problems.arithmetic.steps import Draws, Step

NAMES = ("Ava", "Ben", "Cara", "Dan", "Eve", "Finn", "Gia", "Hugo", "Ivy", "Jack", "Kim", "Leo")
ITEMS = ("apples", "books", "coins", "marbles", "stamps", "shells", "pens", "cards", "beads", "plums")
OTHERS = ("keys", "hats", "kites", "cups")

START = ("{a} has {v} {items}.", "{a} starts with {v} {items}.", "There are {v} {items} in {a}'s box.")
RELATIONS: dict[str, tuple[str, ...]] = {
    # {b} has the new quantity, {a} and {c} have known ones, {n} is a number
    "more": ("{b} has {n} more {items} than {a}.", "{b} has as many {items} as {a} and {n} more."),
    "fewer": (
        "{b} has {n} fewer {items} than {a}.",
        "{b} would need {n} more {items} to have as many as {a}.",
    ),
    "times": (
        "{b} has {n} times as many {items} as {a}.",
        "For each of the {items} of {a}, {b} has {n}.",
    ),
    "share": (
        "{a} could split the {items} into {n} equal piles, and {b} has as many as one pile.",
        "{b} has as many {items} as one of {n} equal piles of those of {a}.",
    ),
    "sum": (
        "{b} has as many {items} as {a} and {c} together.",
        "Together {a} and {c} have as many {items} as {b}.",
    ),
}
TURNED: dict[str, tuple[str, ...]] = {
    # the same relations, stated from the other side
    "more": ("{a} has {n} fewer {items} than {b}.",),
    "fewer": ("{a} has {n} more {items} than {b}.",),
    "share": ("{a} has {n} times as many {items} as {b}.",),
}
DISTRACTORS = ("{x} also has {n} {others}.", "{x} is {n} years old.", "It is {n} steps to the house of {x}.")
ASK = ("How many {items} does {b} have?", "What is the number of {items} that {b} has?")

ANSWER_FIRST = "Give the answer first, then the steps."


def write_question(
    draws: Draws, start: int, steps: tuple[Step, ...], *, distractors: float, turned: float
) -> tuple[str, tuple[str, ...]]:
    """Write the question of a skeleton.

    Args:
        draws: Chooses names, things and sentences.
        start: The first quantity.
        steps: The calculations.
        distractors: Probability of one sentence that is irrelevant to the answer.
        turned: Probability that a relation is stated from the other side.

    Returns:
        The question, and the person who has each quantity.
    """
    names = list(NAMES)
    people = [names.pop(draws.below(len(names))) for _ in range(len(steps) + 1)]
    items = _pick(draws, ITEMS)
    sentences = [_pick(draws, START).format(a=people[0], v=start, items=items)]
    for person, step in zip(people[1:], steps, strict=True):
        forms = RELATIONS[step.relation]
        if draws.below(1000) < turned * 1000:
            forms = TURNED.get(step.relation, forms)
        sentence = _pick(draws, forms)
        other = people[step.number] if step.relation == "sum" else ""
        sentences.append(sentence.format(a=people[step.of], b=person, c=other, n=step.number, items=items))
    if draws.below(1000) < distractors * 1000:
        sentence = _pick(draws, DISTRACTORS).format(
            x=_pick(draws, tuple(people)), n=draws.between(3, 40), others=_pick(draws, OTHERS)
        )
        sentences.insert(1 + draws.below(len(sentences)), sentence)
    sentences.append(_pick(draws, ASK).format(b=people[-1], items=items))
    return " ".join(sentences), tuple(people)


def write_solution(
    people: Sequence[str],
    steps: Sequence[Step],
    *,
    answer: int | None = None,
    answer_first: bool = False,
) -> str:
    r"""Write the worked solution of a skeleton, such as "Ben: 12+5=17. \boxed{17}".

    Args:
        people: The person who has each quantity.
        steps: The calculations.
        answer: The number in the box; None is the value of the last step.
        answer_first: Whether the box precedes the steps.
    """
    working = " ".join(
        f"{person}: {s.expression}={s.value}." for person, s in zip(people[1:], steps, strict=True)
    )
    box = f"\\boxed{{{steps[-1].value if answer is None else answer}}}"
    return f"{box} {working}" if answer_first else f"{working} {box}"


def _pick(draws: Draws, options: tuple[str, ...]) -> str:
    return options[draws.below(len(options))]

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rise_agents.memory.events import after, event
from rise_agents.memory.forgetting import place, rehearsed, retention
from rise_agents.memory.items import Memory, place_of, remember, retained, tick, use, weakest
from rise_agents.memory.settings import MemorySettings, Policy
from rise_agents.memory.similarity import Recall, similarity
from rise_env.errors import ConfigError

POSITIVE = st.floats(0.1, 1000)


def texts(memory: Memory) -> str:
    return "".join(item.text for item in memory.items)


def streamed(policy: Policy, stream: str, capacity: int, **changes: float) -> tuple[Memory, int]:
    """Play a stream of families: a problem whose family is held uses its item, another one is remembered."""
    memory, hits = Memory(MemorySettings(policy=policy, capacity=capacity, **changes)), 0  # type: ignore[arg-type]
    for family in stream:
        held = [item.number for item in memory.items if item.text == family]
        hits += bool(held)
        memory = use(memory, held, success=True)
        memory = memory if held else remember(memory, family, family)
        memory = tick(memory)
    return memory, hits


@given(POSITIVE, POSITIVE, POSITIVE)
def test_retention_falls_with_time_and_grows_with_strength(
    time: float, later: float, strength: float
) -> None:
    assert retention(0, strength) == 1
    assert retention(time + later, strength) <= retention(time, strength)
    assert retention(time, strength) <= retention(time, strength + later)


def test_a_stronger_item_is_kept_longer_unlike_in_the_code_of_memory_bank() -> None:
    assert retention(10, 40) == pytest.approx(math.exp(-0.25))
    assert retention(10, 20) == pytest.approx(math.exp(-0.5))


def test_items_move_from_short_term_to_long_term_to_nowhere() -> None:
    assert [place(value, 0.6, 0.05) for value in (1, 0.6, 0.59, 0.05, 0.049)] == [
        "short", "short", "long", "long", "forgotten",
    ]  # fmt: skip
    memory = remember(Memory(), "a", "a")
    assert place_of(memory, memory.items[0]) == "short"
    for _ in range(11):
        memory = tick(memory)
    assert place_of(memory, memory.items[0]) == "long"
    for _ in range(49):
        memory = tick(memory)
    assert memory.items == ()


@given(st.floats(0.1, 40), st.floats(1, 10))
def test_a_rehearsed_strength_grows_to_the_most_and_not_above(strength: float, rho: float) -> None:
    assert strength <= rehearsed(strength, rho, 40) <= 40


def test_a_stream_of_eight_problems_is_kept_as_worked_out_by_hand() -> None:
    """With room for 2, fifo and lru push a out when c comes; the curve keeps it, as it was used twice."""
    assert streamed("fifo", "aaabcdad", 2)[1] == 3
    assert streamed("lru", "aaabcdad", 2)[1] == 3
    memory, hits = streamed("ebbinghaus", "aaabcdad", 2, strength_most=80)
    assert hits == 4
    assert texts(memory) == "ad"
    assert [(item.strength, item.used, item.uses) for item in memory.items] == [(80, 6, 3), (40, 7, 1)]


@given(st.text("abcdef", max_size=40), st.integers(1, 4))
def test_fifo_and_lru_keep_what_simple_references_keep(stream: str, capacity: int) -> None:
    fifo: list[str] = []
    lru: list[str] = []
    for family in stream:
        if family not in fifo:
            fifo = [*fifo, family][-capacity:]
        lru = [*(one for one in lru if one != family), family][-capacity:]
    assert set(texts(streamed("fifo", stream, capacity)[0])) == set(fifo)
    assert set(texts(streamed("lru", stream, capacity)[0])) == set(lru)


def test_the_policy_all_keeps_everything_and_none_keeps_nothing() -> None:
    assert texts(streamed("all", "abcdef" * 20, 2)[0]) == "abcdef"
    assert texts(streamed("none", "abc", 2)[0]) == ""


def test_an_item_that_failed_is_weakened_only_if_that_is_set() -> None:
    kept = use(remember(Memory(), "a", "a"), [0], success=False)
    assert kept.items[0].strength == 20
    weak = use(remember(Memory(MemorySettings(on_failure="weaken")), "a", "a"), [0], success=False)
    assert weak.items[0].strength == 10
    still = use(remember(Memory(MemorySettings(rehearse=False)), "a", "a"), [0], success=True)
    assert (still.items[0].strength, still.items[0].uses) == (20, 1)


def test_the_oldest_goes_among_equals() -> None:
    memory = remember(remember(Memory(), "a", "a"), "b", "b")
    assert weakest(memory).text == "a"


def test_similarity_is_symmetric_and_blind_to_names_and_numbers() -> None:
    one = "Ava has 5 crates of pens. How many pens does Ava have now?"
    other = "Ben has 17 crates of pens. How many pens does Ben have now?"
    third = "Ben carries 17 cards over the bridge. How many cards does Ben have now?"
    assert similarity(one, one) == pytest.approx(1)
    assert similarity(one, other) == pytest.approx(1)
    assert similarity(one, third) == pytest.approx(similarity(third, one))
    assert similarity(one, third) < 0.8
    assert similarity(one, "") == 0


def test_the_most_similar_and_best_retained_items_are_recalled() -> None:
    crates, bridge = "Ava has 5 crates of pens.", "Ben carries 9 cards over the bridge."
    memory = remember(remember(Memory(), "old", crates), "other", bridge)
    for _ in range(20):
        memory = tick(memory)
    memory = remember(memory, "new", crates)
    question = "Kim has 8 crates of pens."
    assert [item.text for item in Recall(memory).of(question)] == ["new", "old"]
    assert [item.text for item in Recall(memory, gamma=0).of(question)] == ["old", "new"]
    assert [item.text for item in Recall(memory, most=1).of(question)] == ["new"]
    assert Recall(memory, least=1.5).of(question) == []
    assert Recall(Memory()).of(question) == []
    assert retained(memory, memory.items[0]) == pytest.approx(math.exp(-1))


@given(
    st.lists(st.tuples(st.lists(st.integers(0, 5), max_size=3), st.booleans(), st.booleans()), max_size=20)
)
def test_a_replay_of_events_equals_the_memory_that_was_kept_up_to_date(
    stream: list[tuple[list[int], bool, bool]],
) -> None:
    settings = MemorySettings(capacity=3)
    events = [
        event("p", used, success=success, new=[("t", f"q{n}")] if new else [])
        for n, (used, success, new) in enumerate(stream)
    ]
    kept = Memory(settings)
    for one in events:
        kept = after(kept, [one])
    assert after(Memory(settings), events) == kept
    assert replace(kept).clock == len(stream)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"theta1": 0.05, "theta2": 0.6}, "memory.theta2 < memory.theta1"),
        ({"strength": 0}, "memory.strength > 0"),
        ({"rho": 0.5}, "memory.rho >= 1"),
        ({"strength_most": 10}, "below memory.strength"),
        ({"capacity": 0}, "memory.policy none leaves the memory out"),
        ({"generation": 0}, "at least 1"),
    ],
)
def test_a_wrong_setting_is_named(settings: dict[str, float], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        MemorySettings(**settings)  # type: ignore[arg-type]

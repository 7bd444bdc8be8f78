"""A memory of short texts: pure functions from one state to the next."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from rise_agents.memory.forgetting import Place, place, rehearsed, retention
from rise_agents.memory.settings import MemorySettings

HEADING = "Notes on earlier problems that may help:"
"""The line before the recalled texts in a prompt."""


@dataclass(frozen=True, slots=True)
class Item:
    """One remembered text."""

    number: int
    """Numbers count from 0 in the order of birth; no two items have the same."""
    text: str
    about: str
    """The problem that it came from: what later problems are compared with."""
    strength: float
    used: int
    """Time of the last use, in problems."""
    born: int
    uses: int = 0


@dataclass(frozen=True, slots=True)
class Memory:
    """The state of a memory."""

    settings: MemorySettings = field(default_factory=MemorySettings)
    items: tuple[Item, ...] = ()
    clock: int = 0
    """Number of problems so far."""
    made: int = 0
    """Number of items that were ever remembered."""


def retained(memory: Memory, item: Item) -> float:
    """Return the retention of an item now."""
    return retention(memory.clock - item.used, item.strength)


def place_of(memory: Memory, item: Item) -> Place:
    """Return whether an item is short-term, long-term or forgotten."""
    return place(retained(memory, item), memory.settings.theta1, memory.settings.theta2)


def remember(memory: Memory, text: str, about: str, *, compressed: bool = False) -> Memory:
    """Return the memory with a new item; if it is full, its weakest item goes.

    Args:
        memory: The memory.
        text: What is remembered; an empty text is not.
        about: The problem that it came from.
        compressed: Whether the text was shortened, which makes the item stronger.
    """
    settings = memory.settings
    if settings.policy == "none" or not text.strip():
        return memory
    strength = settings.strength * (settings.compressed if compressed else 1.0)
    item = Item(memory.made, text, about, strength, memory.clock, memory.clock)
    items = [*memory.items, item]
    if settings.policy != "all" and len(items) > settings.capacity:
        items.remove(weakest(replace(memory, items=tuple(items))))
    return replace(memory, items=tuple(items), made=memory.made + 1)


def weakest(memory: Memory) -> Item:
    """Return the item that goes first: by the policy, and the oldest among equals."""
    key = {
        "ebbinghaus": lambda item: (retained(memory, item), item.number),
        "lru": lambda item: (item.used, item.number),
    }.get(memory.settings.policy, lambda item: (item.number,))
    return min(memory.items, key=key)


def use(memory: Memory, numbers: Sequence[int], *, success: bool) -> Memory:
    """Return the memory after items were used in an episode; numbers of items that are gone are ignored."""
    return replace(
        memory,
        items=tuple(
            _used(memory, item, success=success) if item.number in numbers else item for item in memory.items
        ),
    )


def tick(memory: Memory) -> Memory:
    """Return the memory one problem later, without the items that are forgotten by then."""
    later = replace(memory, clock=memory.clock + 1)
    if memory.settings.policy != "ebbinghaus":
        return later
    return replace(later, items=tuple(item for item in later.items if place_of(later, item) != "forgotten"))


def digest(memory: Memory) -> str:
    """Return a hash of everything that decides what is recalled."""
    return hashlib.sha256(repr((memory.items, memory.clock)).encode("utf-8", "surrogatepass")).hexdigest()[
        :16
    ]


def as_notes(texts: Sequence[str]) -> str:
    """Return recalled texts as an agent reads them; empty if there are none."""
    return "\n".join([HEADING, *(f"- {text}" for text in texts)]) if texts else ""


def _used(memory: Memory, item: Item, *, success: bool) -> Item:
    settings = memory.settings
    item = replace(item, uses=item.uses + 1)
    if settings.policy == "lru":
        return replace(item, used=memory.clock)
    if success and settings.rehearse:
        strength = rehearsed(item.strength, settings.rho, settings.strength_most)
        return replace(item, strength=strength, used=memory.clock)
    if not success and settings.on_failure == "weaken":
        return replace(item, strength=item.strength / settings.rho)
    return item

"""A cache of attention keys and values, so that a new turn does not compute its history again.

An entry holds the states (attention keys and values of all layers) of one token sequence. Sequences are found
by hashes of their blocks of tokens: a lookup returns the entry that shares the longest run of leading blocks.
The least recently used entries are evicted first.
"""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

import torch

BLOCK = 16
"""Tokens per block. A shared prefix must be at least one block long to be found."""


@dataclass(eq=False, slots=True)
class Entry:
    """The states of one token sequence."""

    tokens: tuple[int, ...]
    states: torch.Tensor
    """[2 * layers, heads, len(tokens), head size]: keys and values, layer by layer."""
    blocks: tuple[int, ...]
    """Hashes of the sequence's blocks; see `BLOCK`."""
    shared: bool
    """Whether several sequences begin with this one, so that it stays when one of them is added."""

    @property
    def bytes(self) -> int:
        """Size of the states in bytes."""
        return self.states.numel() * self.states.element_size()


class PrefixCache:
    """Keeps the states of token sequences.

    Args:
        capacity: Maximal size of all states in bytes.
    """

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self.bytes = 0
        self._entries: OrderedDict[int, Entry] = OrderedDict()
        self._by_block: dict[int, Entry] = {}

    def find(self, tokens: Sequence[int]) -> tuple[Entry | None, int]:
        """Return the entry that shares the longest prefix with `tokens`, and how many tokens it shares."""
        entry = None
        for block in _blocks(tokens):
            if block not in self._by_block:
                break
            entry = self._by_block[block]
        if entry is None:
            return None, 0
        self._entries.move_to_end(id(entry))
        shared = 0
        for ours, theirs in zip(tokens, entry.tokens, strict=False):
            if ours != theirs:
                break
            shared += 1
        return entry, shared

    def add(
        self,
        tokens: tuple[int, ...],
        states: torch.Tensor,
        former: Entry | None = None,
        *,
        shared: bool = False,
    ) -> None:
        """Keep the states of a sequence, unless it is shorter than one block or larger than the capacity.

        Args:
            tokens: The sequence.
            states: Its states, [2 * layers, heads, len(tokens), head size].
            former: An entry that is removed if the new sequence continues it and no other one does.
            shared: Whether several sequences will continue this one.
        """
        entry = Entry(tokens, states, tuple(_blocks(tokens)), shared)
        if not entry.blocks or entry.bytes > self.capacity:
            return
        if former is not None and not former.shared and tokens[: len(former.tokens)] == former.tokens:
            self._drop(former)
        while self._entries and self.bytes + entry.bytes > self.capacity:
            self._drop(next(iter(self._entries.values())))
        self._entries[id(entry)] = entry
        self.bytes += entry.bytes
        for block in entry.blocks:
            self._by_block[block] = entry

    def clear(self) -> None:
        """Remove all entries."""
        self._entries.clear()
        self._by_block.clear()
        self.bytes = 0

    def _drop(self, entry: Entry) -> None:
        if self._entries.pop(id(entry), None) is None:
            return
        self.bytes -= entry.bytes
        for block in entry.blocks:
            if self._by_block.get(block) is entry:
                del self._by_block[block]


def _blocks(tokens: Sequence[int]) -> list[int]:
    """Return one hash per complete block: the hash of all tokens up to the end of the block."""
    found = []
    value = 0
    for end in range(BLOCK, len(tokens) + 1, BLOCK):
        value = hash((value, tuple(tokens[end - BLOCK : end])))
        found.append(value)
    return found

"""A cache whose memory is bounded in bytes, as far as the sizes that its user states are right."""

from collections.abc import Hashable
from threading import Lock
from typing import Generic, Self, TypeVar

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


class SizedCache(Generic[Key, Value]):
    """Keeps values of bounded total size, and drops those that have not been used for long.

    There are two generations of values. A value is put into the young one, also when it is found in the old
    one. When the young one has half of the size, it becomes the old one, and the old one is dropped. Threads
    may share a cache.

    Args:
        max_bytes: The largest total size of both generations.
    """

    def __init__(self, max_bytes: int) -> None:
        self.max_bytes = max_bytes
        self._young: dict[Key, tuple[Value, int]] = {}
        self._old: dict[Key, tuple[Value, int]] = {}
        self._young_bytes = 0
        self._lock = Lock()

    def get(self, key: Key) -> Value | None:
        """Return the value of a key; None if it is not in the cache."""
        entry = self._young.get(key)
        if entry is None:
            entry = self._old.get(key)
            if entry is None:
                return None
            self.put(key, *entry)
        return entry[0]

    def put(self, key: Key, value: Value, size: int) -> None:
        """Keep a value that has about `size` bytes, key included. A value of a quarter of all is not kept."""
        if 4 * size > self.max_bytes:
            return
        if 2 * (self._young_bytes + size) > self.max_bytes:
            with self._lock:
                if 2 * (self._young_bytes + size) > self.max_bytes:
                    self._old, self._young, self._young_bytes = self._young, {}, 0
        self._young[key] = value, size
        self._young_bytes += size

    def clear(self) -> None:
        """Drop all values."""
        with self._lock:
            self._young, self._old, self._young_bytes = {}, {}, 0

    def __reduce__(self) -> tuple[type[Self], tuple[int]]:
        """Pickle and copy a cache without its values: a lock cannot be pickled, and values are made again."""
        return type(self), (self.max_bytes,)

    def __len__(self) -> int:
        return len(self._young) + len(self._old)

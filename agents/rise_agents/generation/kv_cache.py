"""A key-value cache of transformers that grows without copying all its states at every token.

`DynamicCache` concatenates: each new token copies the keys and values of the whole batch, which takes a third
of the generation time on a CPU. The layers here preallocate columns and write new states into them.
"""

from typing import Any

import torch
from transformers import DynamicCache
from transformers.cache_utils import DynamicLayer

SPARE = 64
"""Number of additional columns (tokens) that are allocated when a buffer is full."""


class PreallocatedLayer(DynamicLayer):  # type: ignore[misc]  # transformers is untyped
    """A `DynamicLayer` whose `keys` and `values` are views into larger buffers."""

    keys: torch.Tensor
    values: torch.Tensor

    def __init__(self) -> None:
        super().__init__()
        self._buffers: tuple[torch.Tensor, torch.Tensor] | None = None

    def update(
        self, key_states: torch.Tensor, value_states: torch.Tensor, *args: Any, **kwargs: Any
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Append columns, and return all keys and values, each [rows, heads, columns, head size]."""
        if not self.is_initialized:
            self.lazy_initialization(key_states, value_states)
        start = self.get_seq_length()
        end = start + key_states.shape[-2]
        if self._buffers is None or self._buffers[0].shape[-2] < end:
            self._buffers = (
                _enlarged(key_states, self.keys, start, end + SPARE),
                _enlarged(value_states, self.values, start, end + SPARE),
            )
        keys, values = self._buffers
        keys[:, :, start:end] = key_states
        values[:, :, start:end] = value_states
        self.keys, self.values = keys[:, :, :end], values[:, :, :end]
        return self.keys, self.values

    def batch_select_indices(self, indices: torch.Tensor) -> None:
        """Keep only these rows."""
        super().batch_select_indices(indices)
        self._buffers = None


def preallocated_cache(config: Any) -> Any:
    """Return an empty cache for a model. Layers of other types, such as sliding windows, are not replaced."""
    cache = DynamicCache(config=config)
    cache.layers = [PreallocatedLayer() if type(layer) is DynamicLayer else layer for layer in cache.layers]
    return cache


def is_plain(cache: Any) -> bool:
    """Return whether every layer holds one column per token, so that the cache can be cut at any token."""
    return all(type(layer) is PreallocatedLayer for layer in cache.layers)


def _enlarged(like: torch.Tensor, old: torch.Tensor, start: int, columns: int) -> torch.Tensor:
    rows, heads, _, size = like.shape
    buffer = like.new_empty((rows, heads, columns, size))
    if start:
        buffer[:, :, :start] = old
    return buffer

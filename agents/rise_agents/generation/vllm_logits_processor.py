"""Samples in vLLM as `gumbel_sampling` does, so that a seed gives the same tokens as with transformers.

vLLM's own seeded sampling fails on a CPU if a prompt is computed in parts (version 0.32: "CPU Generator does
not use offset"). So `VLLMAgent` sends greedy requests with seed and sampling settings in `extra_args`. This
logits processor, which vLLM's workers import by name, adds the noise. It implements the interface of model
runner V1.
"""

from typing import Any

import numpy as np
import torch
from vllm.v1.sample.logits_processor import BatchUpdate, LogitsProcessor, MoveDirectionality

from rise_agents.generation.gumbel_sampling import gumbel, nucleus, request_keys


class SeededNoise(LogitsProcessor):  # type: ignore[misc]  # vllm is untyped
    """Divides logits by the temperature and adds Gumbel noise, in the rows of requests that carry a seed."""

    def __init__(self, vllm_config: Any, device: torch.device, is_pin_memory: bool) -> None:
        self._device = device
        self._rows: dict[int, tuple[dict[str, Any], list[int]]] = {}
        """Row -> (extra_args, token ids of the reply so far, a list that vLLM extends)."""
        self._prepare()

    def is_argmax_invariant(self) -> bool:
        """Return False: the processor changes which token has the largest logit."""
        return False

    def update_state(self, batch_update: BatchUpdate | None) -> None:
        """Track which request is in which row of the batch."""
        if batch_update is None:
            return
        rows = self._rows
        for row in batch_update.removed:
            rows.pop(row, None)
        for row, params, _, reply in batch_update.added:
            extra = params.extra_args or {}
            rows.pop(row, None)
            if "rise_seed" in extra:
                rows[row] = (extra, reply)
        for source, target, direction in batch_update.moved:
            moving, other = rows.pop(source, None), rows.pop(target, None)
            if moving is not None:
                rows[target] = moving
            if direction is MoveDirectionality.SWAP and other is not None:
                rows[source] = other
        self._prepare()

    def apply(self, logits: torch.Tensor) -> torch.Tensor:
        """Return logits [rows, tokens] whose largest element per row is the sampled token."""
        if not self._replies:
            return logits
        drawn = logits[self._places].float() / self._temperatures
        for top_p, places in self._nuclei.items():
            drawn[places] = nucleus(drawn[places], top_p)
        steps = np.array([len(reply) for reply in self._replies])
        drawn += gumbel(self._keys, steps, logits.shape[1], logits.device)
        logits[self._places] = drawn.to(logits.dtype)
        return logits

    def _prepare(self) -> None:
        """Compute what `apply` needs; it is called far more often than the requests of the batch change."""
        rows = sorted(self._rows)
        extras = [self._rows[row][0] for row in rows]
        self._replies = [self._rows[row][1] for row in rows]
        self._places = torch.tensor(rows, dtype=torch.long, device=self._device)
        self._keys = request_keys([extra["rise_seed"] for extra in extras])
        temperatures = [extra["rise_temperature"] for extra in extras]
        self._temperatures = torch.tensor(temperatures, device=self._device).unsqueeze(1)
        self._nuclei = {
            top_p: [place for place, extra in enumerate(extras) if extra["rise_top_p"] == top_p]
            for top_p in {extra["rise_top_p"] for extra in extras} - {1.0}
        }

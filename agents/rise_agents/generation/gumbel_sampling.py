"""Exact sampling whose randomness is a pure function of (request seed, step, token), without generator state.

The Gumbel-max trick: the largest of logits with independent standard Gumbel noise is a sample from their
softmax. Here the noise is a hash of (seed, step, token). So a reply depends on its own seed and not on its
place in the batch, and rounding differences change a token only if the two largest values are nearly equal.
"""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from rise_agents.types import SamplingConfig

Keys = NDArray[np.uint32]
"""[requests, 2]: two 32-bit keys per request."""

# multipliers of the 32-bit finalizer "lowbias32" (Chris Wellons, hash-prospector)
_M1, _M2 = 0x7FEB352D, 0x846CA68B - (1 << 32)
_GOLDEN = 0x9E3779B9


def request_keys(seeds: list[int]) -> Keys:
    """Return the keys of requests with these seeds, each in [0, 2**63)."""
    words = np.array(seeds, dtype=np.uint64)
    low, high = (words & 0xFFFFFFFF).astype(np.uint32), (words >> np.uint64(32)).astype(np.uint32)
    return np.stack([_mix(low ^ _mix(high)), _mix(high + _mix(low) + np.uint32(_GOLDEN))], axis=1)


def gumbel(keys: Keys, steps: NDArray[np.int64], tokens: int, device: torch.device | str) -> torch.Tensor:
    """Return standard Gumbel noise, [requests, tokens], float32.

    Args:
        keys: Keys of the requests, [requests, 2]; see `request_keys`.
        steps: Position of the next token in each request's reply, from 0, [requests].
        tokens: Size of the vocabulary.
        device: Where to compute the noise. All devices give the same noise up to rounding.
    """
    counter = steps.astype(np.uint32)
    first = torch.from_numpy(_mix(keys[:, 0] ^ _mix(counter)).view(np.int32)).to(device)
    second = torch.from_numpy(_mix(keys[:, 1] + counter * np.uint32(_GOLDEN)).view(np.int32)).to(device)
    indices = torch.arange(tokens, dtype=torch.int32, device=device)[None, :]
    noise = torch.empty((len(keys), tokens), device=device)
    # on a CPU row by row: the numbers of one row stay in the cache of the core
    rows = 1 if noise.device.type == "cpu" else len(keys)
    for start in range(0, len(keys), rows):
        part = slice(start, start + rows)
        bits = indices ^ first[part, None]
        shifted = torch.empty_like(bits)
        _finalize(bits, shifted)
        bits ^= second[part, None]
        _finalize(bits, shifted)
        # uniform in (0, 1]; values near 0 give the largest noise, and there float32 is most precise
        uniform = noise[part].copy_(bits).add_(0.5).abs_().mul_(2.0**-31)
        uniform.neg_().log1p_().neg_().log_().neg_()
    return noise


def _finalize(bits: torch.Tensor, shifted: torch.Tensor) -> None:
    """Hash 32-bit words in place. The masks turn arithmetic right shifts into logical ones.

    Args:
        bits: The words.
        shifted: Memory of the same shape for intermediate results.
    """
    bits ^= torch.bitwise_right_shift(bits, 16, out=shifted).bitwise_and_(0xFFFF)
    bits *= _M1
    bits ^= torch.bitwise_right_shift(bits, 15, out=shifted).bitwise_and_(0x1FFFF)
    bits *= _M2
    bits ^= torch.bitwise_right_shift(bits, 16, out=shifted).bitwise_and_(0xFFFF)


def _mix(words: NDArray[np.uint32]) -> NDArray[np.uint32]:
    """Hash 32-bit words as `_finalize` does, in numpy and not in place."""
    words = words ^ (words >> np.uint32(16))
    words = words * np.uint32(_M1)
    words = words ^ (words >> np.uint32(15))
    words = words * np.uint32(_M2 & 0xFFFFFFFF)
    return words ^ (words >> np.uint32(16))


class SeededSampling:
    """A logits processor that adds noise, so that greedy `generate` samples each row with its own seed.

    Args:
        sampling: Temperature and top_p. Temperature 0 is greedy.
        keys: Keys of the rows, [rows, 2]; see `request_keys`.
        start: Number of input tokens before the reply.
        logprobs: Whether to record the log-probability of each sampled token at temperature 1.
    """

    def __init__(self, sampling: SamplingConfig, keys: Keys, start: int, *, logprobs: bool = False) -> None:
        self.sampling = sampling
        self.keys = keys
        self.start = start
        self.logprobs: list[torch.Tensor] | None = [] if logprobs else None
        """Log-probabilities of the sampled tokens: one tensor [rows] per step."""

    def __call__(self, input_ids: Any, scores: Any) -> torch.Tensor:
        """Return scores [rows, tokens] whose largest element per row is the sampled token."""
        logits: torch.Tensor = scores.float()
        drawn = logits
        if self.sampling.temperature > 0:
            drawn = logits / self.sampling.temperature
            if self.sampling.top_p < 1:
                drawn = nucleus(drawn, self.sampling.top_p)
            steps = np.full(len(self.keys), input_ids.shape[1] - self.start)
            drawn = drawn + gumbel(self.keys, steps, logits.shape[-1], logits.device)
        if self.logprobs is not None:
            taken = drawn.argmax(dim=-1, keepdim=True)
            self.logprobs.append(logits.gather(1, taken)[:, 0] - logits.logsumexp(dim=-1))
        return drawn


def nucleus(logits: torch.Tensor, top_p: float) -> torch.Tensor:
    """Keep the smallest set of most likely tokens whose probabilities reach `top_p`; the others get -inf.

    Source: Holtzman et al. 2019, "The curious case of neural text degeneration", arXiv:1904.09751.

    Args:
        logits: [rows, tokens].
        top_p: Sum of probabilities to reach, in (0, 1].
    """
    ordered, order = logits.sort(dim=-1, descending=True)
    probabilities = ordered.softmax(dim=-1)
    before = probabilities.cumsum(dim=-1) - probabilities
    drop = torch.zeros_like(logits, dtype=torch.bool).scatter(1, order, before >= top_p)
    return logits.masked_fill(drop, float("-inf"))

"""The step between logits and the next token, as a logits processor for `generate`."""

from typing import Any

import numpy as np
import torch

from rise_agents.base import SamplingConfig
from rise_agents.counter_noise import Keys, gumbel


class SeededSampling:
    """Makes greedy `generate` draw exactly from the model, each row with its own random stream.

    Args:
        sampling: Temperature and top_p. Temperature 0 is greedy.
        keys: One pair per row; see `counter_noise.request_keys`.
        start: Length of the input: the reply's first token comes after it.
        logprobs: Whether to note the model's log-probability (temperature 1) of each token taken.
    """

    def __init__(self, sampling: SamplingConfig, keys: Keys, start: int, *, logprobs: bool = False) -> None:
        self.sampling = sampling
        self.keys = keys
        self.start = start
        self.logprobs: list[torch.Tensor] | None = [] if logprobs else None
        """Per step, [rows]."""

    def __call__(self, input_ids: Any, scores: Any) -> torch.Tensor:
        """Return scores [rows, tokens] whose largest is the token drawn."""
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
            self.logprobs.append(logits.log_softmax(dim=-1).gather(1, taken)[:, 0])
        return drawn


def nucleus(logits: torch.Tensor, top_p: float) -> torch.Tensor:
    """Keep the smallest set of likeliest tokens whose probabilities reach `top_p`; the rest get -inf.

    Source: Holtzman et al. 2019, "The curious case of neural text degeneration", arXiv:1904.09751.

    Args:
        logits: [rows, tokens].
        top_p: In (0, 1].
    """
    ordered, order = logits.sort(dim=-1, descending=True)
    probabilities = ordered.softmax(dim=-1)
    before = probabilities.cumsum(dim=-1) - probabilities
    drop = torch.zeros_like(logits, dtype=torch.bool).scatter(1, order, before >= top_p)
    return logits.masked_fill(drop, float("-inf"))

"""Forward passes of the model of a fit over some sequences, shared by the ranks."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from rise_trainers.data.dataset import EMPTY_EXAMPLE, Example
from rise_trainers.loss.token_statistics import token_statistics

Array = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class ForwardPasses:
    """Computes the statistics of tokens with the model as it is now.

    Every rank computes its share of the sequences, and gets the results of all of them. So all ranks have to
    call it.
    """

    collate: Callable[..., Any]
    """Makes a batch of examples."""
    micro_batch_size: int
    """The largest number of sequences per forward pass of one rank."""

    def __call__(self, trainer: Any, examples: Sequence[Example]) -> list[tuple[Array, Array]]:
        """Return log-probability and entropy of the tokens with a coefficient, for each sequence.

        Args:
            trainer: The `transformers.Trainer`, whose training has begun.
            examples: The sequences, the same on every rank.
        """
        model, args = trainer.model_wrapped, trainer.args
        ranks, size = args.world_size, self.micro_batch_size
        mine = range(args.process_index, len(examples), ranks)
        found: dict[int, tuple[Array, Array]] = {}
        training = model.training
        model.eval()
        for start in range(0, -(-len(examples) // ranks), size):  # as many passes on every rank
            places = mine[start : start + size]
            batch = self.collate([examples[place] for place in places] or [EMPTY_EXAMPLE])
            tensors = {name: value.to(args.device) for name, value in batch.items() if name != "count"}
            logprobs, entropies = (part.cpu().numpy() for part in token_statistics(model, tensors))
            ends = np.cumsum([np.count_nonzero(examples[place].coefficients) for place in places])[:-1]
            if places:
                parts = zip(np.split(logprobs, ends), np.split(entropies, ends), strict=True)
                found |= zip(places, parts, strict=True)
        model.train(training)
        if ranks > 1:
            shares: list[Any] = [None] * ranks
            torch.distributed.all_gather_object(shares, found)
            found = {place: values for share in shares for place, values in share.items()}
        return [found[place] for place in range(len(examples))]

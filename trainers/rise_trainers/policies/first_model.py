"""The log-probabilities of all trained tokens under the first model, which the KL penalty of a fit needs."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
import transformers
from numpy.typing import NDArray

from rise_trainers.data.dataset import EMPTY_EXAMPLE, Example
from rise_trainers.loss.token_statistics import token_statistics

FILE = "first-model.npz"


class FirstModelLogprobs(transformers.TrainerCallback):  # type: ignore[misc]
    """Computes them before the first step, and keeps them in the folder for a fit that is continued.

    Every rank computes the sequences of its share. Afterwards every rank has the values of all sequences, in
    `Example.reference`.

    Args:
        folder: The partial folder of the fit.
        examples: All training sequences, the same on every rank.
        collate: Makes a batch of examples.
        micro_batch_size: The largest number of sequences per forward pass.
    """

    def __init__(
        self,
        folder: Path,
        examples: Sequence[Example],
        *,
        collate: Callable[..., Any],
        micro_batch_size: int,
    ) -> None:
        self.trainer: Any = None
        """The trainer, set after it was made."""
        self._path = folder / FILE
        self._examples = examples
        self._collate = collate
        self._micro = micro_batch_size

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Fill `Example.reference`."""
        if state.global_step:  # the model has moved since: the values were kept at the first step
            with np.load(self._path, allow_pickle=False) as file:
                found = np.split(file["logprobs"], np.cumsum(file["lengths"])[:-1])
        else:
            found = self._measure(args)
            if state.is_world_process_zero:
                lengths = [len(values) for values in found]
                np.savez(self._path, logprobs=np.concatenate(found), lengths=lengths)
        for example, values in zip(self._examples, found, strict=True):
            assert example.reference is not None
            example.reference[example.coefficients != 0] = values

    def _measure(self, args: Any) -> list[NDArray[np.float32]]:
        """Return the log-probabilities of the trained tokens of every sequence."""
        model = self.trainer.model_wrapped
        training = model.training
        model.eval()
        ranks = args.world_size
        mine = range(args.process_index, len(self._examples), ranks)
        passes = -(-len(self._examples) // (self._micro * ranks))
        found: dict[int, NDArray[np.float32]] = {}
        for number in range(passes):
            places = mine[number * self._micro : (number + 1) * self._micro]
            batch = self._collate([self._examples[place] for place in places] or [EMPTY_EXAMPLE])
            tensors = {name: value.to(args.device) for name, value in batch.items() if name != "count"}
            values = token_statistics(model, tensors)[0].cpu().numpy()
            counts = [np.count_nonzero(self._examples[place].coefficients) for place in places]
            found |= zip(places, np.split(values, np.cumsum(counts)[:-1]) if counts else [], strict=True)
        model.train(training)
        if ranks > 1:
            parts: list[Any] = [None] * ranks
            torch.distributed.all_gather_object(parts, found)
            found = {place: values for part in parts for place, values in part.items()}
        return [found[place] for place in range(len(self._examples))]

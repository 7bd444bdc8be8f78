"""The log-probabilities of all trained tokens under the first model, which the KL penalty of a fit needs."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import transformers

from rise_trainers.data.dataset import Example
from rise_trainers.policies.forward_passes import ForwardPasses

FILE = "first-model.npz"


class FirstModelLogprobs(transformers.TrainerCallback):  # type: ignore[misc]
    """Computes them before the first step, and keeps them in the folder for a fit that is continued.

    They are in `Example.reference` afterwards.

    Args:
        folder: The partial folder of the fit.
        examples: All training sequences, the same on every rank.
        passes: Computes statistics of tokens.
    """

    def __init__(self, folder: Path, examples: Sequence[Example], passes: ForwardPasses) -> None:
        self.trainer: Any = None
        """The trainer, set after it was made."""
        self._path = folder / FILE
        self._examples = examples
        self._passes = passes

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Fill `Example.reference`."""
        if state.global_step:  # the model has moved since the values were kept
            with np.load(self._path, allow_pickle=False) as file:
                found = np.split(file["logprobs"], np.cumsum(file["lengths"])[:-1])
        else:
            found = [logprobs for logprobs, _ in self._passes(self.trainer, self._examples)]
            if state.is_world_process_zero:
                lengths = [len(values) for values in found]
                np.savez(self._path, logprobs=np.concatenate(found), lengths=lengths)
        for example, values in zip(self._examples, found, strict=True):
            assert example.reference is not None
            example.reference[example.coefficients != 0] = values

"""Training sequences as arrays, and their collation into batches.

Every token has a coefficient: how much its negative log likelihood counts in the loss, 0 where it is not
trained. The loss of a global batch is `sum of coefficient * nll / sum of counts`, so what a coefficient and a
count are decides how replies share the loss:

normalize   coefficient of a token          count of a sequence
"token"     weight of its reply             its trained tokens
"reply"     weight / tokens of its reply    its replies           (the released code of RISE)
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray

from rise_env.errors import ConfigError
from rise_trainers.data.tokenization import TokenSequence

Batch = dict[str, torch.Tensor]


@dataclass(frozen=True, slots=True)
class Example:
    """One training sequence."""

    ids: NDArray[np.int64]
    coefficients: NDArray[np.float32]
    """One per token; 0 where a token is not trained."""
    count: float
    """What the sequence adds to the normaliser."""

    def __len__(self) -> int:
        return len(self.ids)


FILLER = Example(np.zeros(2, dtype=np.int64), np.zeros(2, dtype=np.float32), 0.0)
"""Keeps ranks in step where a batch has fewer sequences than forward passes; trains nothing."""


def make_examples(
    sequences: Sequence[TokenSequence],
    weights: NDArray[np.float64],
    *,
    normalize: Literal["token", "reply"] = "token",
) -> list[Example]:
    """Give every trained token its coefficient; sequences whose replies all weigh nothing are left out.

    Args:
        sequences: From `tokenization.tokenize`.
        weights: One per target.
        normalize: See the head of this file.

    Raises:
        ConfigError: No token would be trained.
    """
    if normalize not in ("token", "reply"):
        raise ConfigError(f"normalize must be token or reply, got {normalize!r}")
    examples = []
    for sequence in sequences:
        coefficients = np.zeros(len(sequence.ids), dtype=np.float32)
        count = 0
        for span in sequence.spans:
            length = span.stop - span.start
            weight = float(weights[span.target])
            if weight > 0:
                coefficients[span.start : span.stop] = weight if normalize == "token" else weight / length
                count += length if normalize == "token" else 1
        if count:
            examples.append(Example(np.asarray(sequence.ids, dtype=np.int64), coefficients, float(count)))
    if not examples:
        raise ConfigError("no token would be trained: every reply has weight 0; check weights and selection")
    return examples


def collate_padded(examples: Sequence[Example], *, pad_id: int = 0) -> Batch:
    """Return a batch of rows, padded on the right to the longest."""
    shape = (len(examples), max(len(example) for example in examples))
    ids = np.full(shape, pad_id, dtype=np.int64)
    mask = np.zeros(shape, dtype=np.int64)
    coefficients = np.zeros(shape, dtype=np.float32)
    for row, example in enumerate(examples):
        ids[row, : len(example)] = example.ids
        mask[row, : len(example)] = 1
        coefficients[row, : len(example)] = example.coefficients
    batch = {
        "input_ids": torch.from_numpy(ids),
        "coefficients": torch.from_numpy(coefficients),
        "count": torch.tensor(sum(example.count for example in examples), dtype=torch.float64),
    }
    if not mask.all():
        batch["attention_mask"] = torch.from_numpy(mask)
    return batch


def collate_packed(examples: Sequence[Example]) -> Batch:
    """Return a batch of one row without padding; positions that start again at 0 keep sequences apart.

    The attention of the model must honour `position_ids`: flash attention (variable length) and
    transformers' sdpa and eager masks do.
    """
    ids = np.concatenate([example.ids for example in examples])
    coefficients = np.concatenate([example.coefficients for example in examples])
    positions = np.concatenate([np.arange(len(example)) for example in examples])
    return {
        "input_ids": torch.from_numpy(ids)[None],
        "coefficients": torch.from_numpy(coefficients)[None],
        "position_ids": torch.from_numpy(positions)[None],
        "count": torch.tensor(sum(example.count for example in examples), dtype=torch.float64),
    }

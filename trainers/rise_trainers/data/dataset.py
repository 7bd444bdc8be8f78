"""Training sequences as arrays, and their collation into batches.

The coefficient of a token is the factor of its negative log likelihood (nll) in the loss; it is 0 for tokens
that are not trained. The loss of a global batch is `sum of coefficient * nll / sum of counts`, so
coefficients and counts decide how much each reply contributes:

normalize   coefficient of a token          count of a sequence
"token"     weight of its reply             its trained tokens
"reply"     weight / tokens of its reply    its replies           (the released code of RISE)
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
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
    """[length], token ids."""
    coefficients: NDArray[np.float32]
    """[length], 0 for tokens that are not trained."""
    count: float
    """What the sequence adds to the sum of counts that normalises the loss."""
    replies: int = 0
    """Its trained replies, which `batch_size` counts."""
    trajectory: int = -1
    """The number of its trajectory in the training data, from 0."""
    penalty: NDArray[np.float32] | None = None
    """[length], the factor of each token's KL penalty; None if there is none."""
    reference: NDArray[np.float32] | None = None
    """[length], natural logarithm of each token's probability under the first model; `FirstModelLogprobs`
    computes it before the first step."""

    def __len__(self) -> int:
        return len(self.ids)


EMPTY_EXAMPLE = Example(np.zeros(2, dtype=np.int64), np.zeros(2, dtype=np.float32), 0.0)
"""A sequence that trains nothing. Every rank must take part in every forward pass, so a rank without another
sequence gets this one."""


def make_examples(
    sequences: Sequence[TokenSequence],
    weights: NDArray[np.float64],
    *,
    normalize: Literal["token", "reply"] = "token",
    trajectories: Sequence[str] | None = None,
    kl_penalty: float = 0.0,
) -> list[Example]:
    """Compute the coefficient of every token; sequences whose replies all have weight 0 are left out.

    Args:
        sequences: The sequences from `tokenization.tokenize`.
        weights: [number of targets], the weight of each reply.
        normalize: Whether tokens or replies count the same; see the docstring of this module.
        trajectories: [number of targets], the id of each reply's trajectory, whose replies are trained in one
            optimizer step; None takes every sequence as a trajectory of its own.
        kl_penalty: The factor of the mean KL penalty of a trained token or reply; see `loss.kl_penalty`.

    Raises:
        ConfigError: No token would be trained.
    """
    if normalize not in ("token", "reply"):
        raise ConfigError(f"normalize must be token or reply, got {normalize!r}")
    examples = []
    numbers: dict[str | int, int] = {}
    for place, sequence in enumerate(sequences):
        coefficients = np.zeros(len(sequence.ids), dtype=np.float32)
        count, replies = 0, 0
        for span in sequence.spans:
            length = span.stop - span.start
            weight = float(weights[span.target])
            if weight != 0:
                coefficients[span.start : span.stop] = weight if normalize == "token" else weight / length
                count += length if normalize == "token" else 1
                replies += 1
        if count:
            name = place if trajectories is None else trajectories[sequence.spans[0].target]
            number = numbers.setdefault(name, len(numbers))
            ids = np.asarray(sequence.ids, dtype=np.int64)
            example = Example(ids, coefficients, float(count), replies, number)
            if kl_penalty:
                lengths = np.ones(len(ids), dtype=np.float32)
                for span in sequence.spans:
                    if normalize == "reply":
                        lengths[span.start : span.stop] = span.stop - span.start
                factors = (kl_penalty * (coefficients != 0) / lengths).astype(np.float32)
                example = replace(example, penalty=factors, reference=np.zeros_like(factors))
            examples.append(example)
    if not examples:
        raise ConfigError("no token would be trained: every reply has weight 0; check weights and selection")
    return examples


def collate_padded(examples: Sequence[Example], *, pad_id: int = 0) -> Batch:
    """Return a batch [examples, longest length], padded on the right.

    Args:
        examples: The sequences of the batch; at least one.
        pad_id: The token id of the padding, which is neither attended to nor trained.
    """
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
    for name in _penalty_arrays(examples):
        rows = np.zeros(shape, dtype=np.float32)
        for row, example in enumerate(examples):
            rows[row, : len(example)] = _values(example, name)
        batch[name] = torch.from_numpy(rows)
    if not mask.all():
        batch["attention_mask"] = torch.from_numpy(mask)
    return batch


def collate_packed(examples: Sequence[Example]) -> Batch:
    """Return a batch [1, total length] without padding, whose positions start at 0 in every sequence.

    The attention of the model must separate the sequences by `position_ids`. Flash attention (variable
    length) and the masks of transformers for sdpa and eager attention do this.
    """
    ids = np.concatenate([example.ids for example in examples])
    coefficients = np.concatenate([example.coefficients for example in examples])
    positions = np.concatenate([np.arange(len(example)) for example in examples])
    batch = {
        "input_ids": torch.from_numpy(ids)[None],
        "coefficients": torch.from_numpy(coefficients)[None],
        "position_ids": torch.from_numpy(positions)[None],
        "count": torch.tensor(sum(example.count for example in examples), dtype=torch.float64),
    }
    for name in _penalty_arrays(examples):
        values = np.concatenate([_values(example, name) for example in examples])
        batch[name] = torch.from_numpy(values)[None]
    return batch


def _penalty_arrays(examples: Sequence[Example]) -> tuple[str, ...]:
    """Return the names of the arrays of the KL penalty, if there is one."""
    return ("penalty", "reference") if any(example.penalty is not None for example in examples) else ()


def _values(example: Example, name: str) -> NDArray[np.float32]:
    found: NDArray[np.float32] | None = getattr(example, name)
    return np.zeros(len(example), dtype=np.float32) if found is None else found  # EMPTY_EXAMPLE has none

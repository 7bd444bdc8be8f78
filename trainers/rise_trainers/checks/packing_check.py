"""Checks before training that a model keeps packed sequences apart.

A packed batch is one row in which several sequences follow each other; `position_ids` start at 0 in each of
them. Some architectures ignore these positions: their attention, convolutions or recurrent states then reach
from one sequence into the next one, and the gradients are wrong without an error. The check runs the model
that is trained, after DeepSpeed has prepared it, on its device and with its attention implementation. It
therefore covers every ZeRO stage: in stage 3 the forward pass gathers the parameters as in training.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
import transformers
from torch import Tensor

from rise_env.errors import ConfigError
from rise_trainers.data.dataset import Example, collate_packed

LENGTHS = (64, 48, 56)
"""Lengths of the sequences that are compared, in tokens."""
TOLERANCE = 5e-5
TOLERANCE_16_BIT = 8e-2
"""The largest relative difference of logits that counts as rounding, for weights in float32 and in a shorter
type. Models that keep sequences apart have at most 5e-6 and 3e-2; others have at least 3e-4, and with trained
weights more than 0.1."""


class PackingCheck(transformers.TrainerCallback):  # type: ignore[misc]
    """Runs `check_packing` on every rank when training begins.

    Args:
        examples: The training sequences; their tokens are used.
    """

    def __init__(self, examples: Sequence[Example]) -> None:
        self._examples = examples

    def on_train_begin(self, args: Any, state: Any, control: Any, model: Any = None, **_: Any) -> None:
        """Check the model that is trained.

        Raises:
            ConfigError: The model does not keep packed sequences apart.
        """
        check_packing(model, self._examples)


def check_packing(model: Any, examples: Sequence[Example]) -> None:
    """Compare the logits of packed sequences with those of the same sequences alone.

    All ranks must call this function together; they all raise or all return.

    Args:
        model: A transformers causal language model. It is in evaluation mode during the check.
        examples: The training sequences, whose tokens are used.

    Raises:
        ConfigError: The logits differ by more than rounding.
    """
    difference, limit = packing_difference(model, examples), tolerance(model)
    if torch.distributed.is_initialized():
        torch.distributed.all_reduce(difference, op=torch.distributed.ReduceOp.MAX)
    found = float(difference)
    if not found <= limit:
        raise ConfigError(
            f"packed: true does not work with model type {model.config.model_type!r}: its logits for packed "
            f"sequences differ from those of the same sequences alone by {found:.1e} (relative; rounding is "
            f"at most {limit:.0e}), so that sequences would influence each other. Set packed: false"
        )


def packing_difference(model: Any, examples: Sequence[Example]) -> Tensor:
    """Return the 2-norm of the difference of the logits over the norm of the logits, a scalar.

    A constant that is added to all logits of a position does not count: the softmax is the same without it.
    """
    sequences = _sequences(examples)
    device = next(model.parameters()).device
    packed = collate_packed(sequences)
    training = model.training
    model.eval()
    try:
        with torch.no_grad():
            together = _logits(model, packed["input_ids"].to(device), packed["position_ids"].to(device))
            alone = torch.cat(
                [_logits(model, torch.from_numpy(one.ids)[None].to(device)) for one in sequences]
            )
    finally:
        model.train(training)
    difference: Tensor = torch.linalg.norm(together - alone) / torch.linalg.norm(alone)
    return difference


def tolerance(model: Any) -> float:
    """Return the largest relative difference that counts as rounding, by the types of the weights."""
    precise = {torch.float32, torch.float64}
    return TOLERANCE if all(p.dtype in precise for p in model.parameters()) else TOLERANCE_16_BIT


def _logits(model: Any, ids: Tensor, positions: Tensor | None = None) -> Tensor:
    """Return the logits of one row, [length, vocabulary], with mean 0 at every position."""
    logits: Tensor = model(input_ids=ids, position_ids=positions, use_cache=False).logits[0].float()
    return logits - logits.mean(dim=-1, keepdim=True)


def _sequences(examples: Sequence[Example]) -> list[Example]:
    """Return sequences of tokens drawn at random from the training data.

    The training sequences themselves may begin alike. Attention that reaches into a copy of the same tokens
    would give the same result as without it, and would not be noticed.
    """
    tokens = np.unique(np.concatenate([example.ids for example in examples[:100]]))
    rng = np.random.default_rng(0)
    return [Example(rng.choice(tokens, length), np.zeros(length, np.float32), 0.0) for length in LENGTHS]

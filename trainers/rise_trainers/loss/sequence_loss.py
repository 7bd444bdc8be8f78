"""The weighted loss of a causal language model, with logits only at the positions that are trained.

While the model runs, the forward function of its output layer is replaced: it selects the hidden states that
predict trained tokens and returns their loss instead of logits.
"""

from typing import Any

import torch
from torch import Tensor

from rise_trainers.loss.checks import check_batch
from rise_trainers.loss.fused_linear import linear_weighted_nll
from rise_trainers.loss.kl_penalty import batch_penalty
from rise_trainers.loss.output_layer import (
    MODEL_INPUTS,
    changes_logits,
    output_layer,
    replaced_forward,
    text_config,
)
from rise_trainers.loss.weighted_nll import LOGITS_PER_CHUNK, chunked_weighted_nll


def sequence_loss(
    model: Any,
    batch: dict[str, Tensor],
    *,
    normalizer: Tensor | float,
    logits_per_chunk: int = LOGITS_PER_CHUNK,
) -> Tensor:
    """Return the weighted loss of one batch, differentiable.

    Args:
        model: A transformers causal language model, plain or wrapped (DeepSpeed, peft).
        batch: "input_ids" (int64) and "coefficients" (floating point), "attention_mask" or "position_ids"
            where the model needs them, and for a KL penalty "reference" and "penalty" (floating point); all
            of shape [rows, length].
        normalizer: One number for the whole global batch, that is for all micro batches of all ranks.
        logits_per_chunk: The largest number of logits in memory at once.

    Raises:
        ConfigError: A tensor has another shape or type.
    """
    check_batch(batch)
    coefficients = batch["coefficients"][:, 1:]
    trained = coefficients != 0  # negative ones belong to replies worse than the baseline
    targets = batch["input_ids"][:, 1:][trained]
    weights = coefficients[trained]
    # position t predicts token t + 1
    positions = torch.nn.functional.pad(trained, (0, 1))
    penalty = batch_penalty(batch, trained)
    inputs = {name: batch[name] for name in MODEL_INPUTS if name in batch}
    head = output_layer(model)
    if head is None or changes_logits(text_config(model)):
        logits = model(**inputs, use_cache=False).logits[positions]
        return chunked_weighted_nll(
            lambda part: part,
            logits,
            targets,
            weights,
            normalizer=normalizer,
            vocabulary=logits.shape[-1],
            penalty=penalty,
            logits_per_chunk=logits_per_chunk,
        )
    result: list[Tensor] = []

    def loss_of(plain: Any, hidden: Tensor) -> Tensor:
        states = hidden[positions]
        if type(head) is torch.nn.Linear:
            loss = linear_weighted_nll(
                states,
                head.weight,
                head.bias,
                targets,
                weights,
                normalizer=normalizer,
                penalty=penalty,
                logits_per_chunk=logits_per_chunk,
            )
        else:  # a layer with an adapter, or a quantised layer
            loss = chunked_weighted_nll(
                plain,
                states,
                targets,
                weights,
                normalizer=normalizer,
                penalty=penalty,
                vocabulary=text_config(model).vocab_size,
                logits_per_chunk=logits_per_chunk,
            )
        result.append(loss)
        return loss

    with replaced_forward(head, loss_of):
        # the replaced output layer returns the loss instead of logits
        loss: Tensor = model(**inputs, use_cache=False).logits
    if not result:
        raise RuntimeError("the model did not call its output layer, which computes the loss")
    return loss

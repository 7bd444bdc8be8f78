"""Runs a causal language model for the loss alone: logits only where a token is trained.

The output layer is given the states of trained positions only, and works on them in chunks, from inside the
model's own forward pass: there DeepSpeed has gathered its weights (ZeRO-3) and adapters apply.
"""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor

from rise_trainers.loss.fused_linear import linear_weighted_nll
from rise_trainers.loss.weighted_nll import LOGITS_PER_CHUNK, chunked_weighted_nll

MODEL_INPUTS = ("input_ids", "attention_mask", "position_ids")


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
        batch: "input_ids" and "coefficients" [rows, length]; "attention_mask" or "position_ids" where needed.
        normalizer: One for the whole global batch.
        logits_per_chunk: Most logits held at once.
    """
    coefficients = batch["coefficients"][:, 1:]
    trained = coefficients > 0
    wanted = batch["input_ids"][:, 1:][trained]
    weights = coefficients[trained]
    # position t predicts token t + 1
    positions = torch.nn.functional.pad(trained, (0, 1))
    inputs = {name: batch[name] for name in MODEL_INPUTS if name in batch}
    head = _output_layer(model)
    if head is None or _changes_logits(_config(model)):
        logits = model(**inputs, use_cache=False).logits[positions]
        return chunked_weighted_nll(
            lambda part: part, logits, wanted, weights, normalizer=normalizer, vocabulary=logits.shape[-1]
        )
    result: list[Tensor] = []

    def loss_of(plain: Any, hidden: Tensor) -> Tensor:
        states = hidden[positions]
        if type(head) is torch.nn.Linear:
            loss = linear_weighted_nll(
                states,
                head.weight,
                head.bias,
                wanted,
                weights,
                normalizer=normalizer,
                logits_per_chunk=logits_per_chunk,
            )
        else:  # an adapter or a quantised layer
            loss = chunked_weighted_nll(
                plain,
                states,
                wanted,
                weights,
                normalizer=normalizer,
                vocabulary=_config(model).vocab_size,
                logits_per_chunk=logits_per_chunk,
            )
        result.append(loss)
        return loss

    with _replaced_forward(head, loss_of):
        # the model believes these are its logits
        loss: Tensor = model(**inputs, use_cache=False).logits
    if not result:
        raise RuntimeError("the model did not use its output layer")
    return loss


@contextmanager
def _replaced_forward(head: Any, loss_of: Any) -> Iterator[None]:
    plain, own = head.forward, "forward" in vars(head)
    head.forward = lambda hidden: loss_of(plain, hidden)
    try:
        yield
    finally:
        if own:
            head.forward = plain
        else:
            del head.forward


def _unwrapped(model: Any) -> Any:
    while hasattr(model, "module"):
        model = model.module
    return model


def _output_layer(model: Any) -> Any:
    return _unwrapped(model).get_output_embeddings()


def _config(model: Any) -> Any:
    return _unwrapped(model).config.get_text_config()


def _changes_logits(config: Any) -> bool:
    """Whether the model changes its logits after the output layer (Gemma's soft cap, Cohere's scale)."""
    cap = getattr(config, "final_logit_softcapping", None)
    scales = [getattr(config, name, None) for name in ("logit_scale", "logits_scaling", "lm_head_multiplier")]
    scaled = any(scale is not None and not math.isclose(scale, 1.0) for scale in scales)
    return cap is not None or scaled

"""Replaces what a causal language model computes in its output layer, during a forward pass.

The logits of a whole batch need more memory than the model itself. So the losses select the hidden states of
the tokens that they need and compute their logits in chunks. This has to happen inside the model's forward
pass, where DeepSpeed has gathered the weights of the layer (ZeRO-3) and adapters apply.
"""

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from torch import Tensor

MODEL_INPUTS = ("input_ids", "attention_mask", "position_ids")
"""Names of the tensors of a batch that the model gets."""


@contextmanager
def replaced_forward(layer: Any, function: Callable[[Any, Tensor], Tensor]) -> Iterator[None]:
    """Let `layer(hidden)` return `function(original forward, hidden)` inside the `with` block."""
    plain, own = layer.forward, "forward" in vars(layer)
    layer.forward = lambda hidden: function(plain, hidden)
    try:
        yield
    finally:
        if own:
            layer.forward = plain
        else:
            del layer.forward


def output_layer(model: Any) -> Any:
    """Return the layer that computes the logits; None if the model does not name one.

    Args:
        model: A transformers causal language model, plain or wrapped (DeepSpeed, peft).
    """
    return _unwrapped(model).get_output_embeddings()


def text_config(model: Any) -> Any:
    """Return the configuration of the language model.

    Args:
        model: See `output_layer`.
    """
    return _unwrapped(model).config.get_text_config()


def changes_logits(config: Any) -> bool:
    """Return whether a model changes its logits after the output layer (Gemma: soft cap, Cohere: scale)."""
    names = ("final_logit_softcapping", "logits_soft_cap", "output_logit_soft_cap")
    caps = [getattr(config, name, None) for name in names]
    scales = [getattr(config, name, None) for name in ("logit_scale", "logits_scaling", "lm_head_multiplier")]
    scaled = any(scale is not None and not math.isclose(scale, 1.0) for scale in scales)
    return any(cap is not None for cap in caps) or scaled


def _unwrapped(model: Any) -> Any:
    while hasattr(model, "module"):
        model = model.module
    return model

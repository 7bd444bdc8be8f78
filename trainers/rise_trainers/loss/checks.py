"""Checks the arguments of the losses: PyTorch would broadcast some wrong shapes without an error.

Only shapes and types are read: a check never waits for the device.
"""

import torch
from torch import Tensor

from rise_env.errors import ConfigError


def check_tokens(
    rows: Tensor, targets: Tensor, coefficients: Tensor, normalizer: Tensor | float, *, name: str
) -> None:
    """Check the arguments that every loss over n tokens has.

    Args:
        rows: [n, anything], floating point: logits or hidden states.
        targets: [n], int64.
        coefficients: [n], floating point.
        normalizer: A number or a tensor without dimensions.
        name: Name of `rows` in the error message.

    Raises:
        ConfigError: A shape or a type differs from these.
    """
    if rows.ndim != 2 or targets.shape != rows.shape[:1] or coefficients.shape != rows.shape[:1]:
        raise ConfigError(
            f"{name} must be [n, width], targets [n] and coefficients [n], got shapes "
            f"{list(rows.shape)}, {list(targets.shape)} and {list(coefficients.shape)}"
        )
    if targets.dtype != torch.int64:
        raise ConfigError(f"targets must be token ids of type torch.int64, got {targets.dtype}")
    if not (rows.is_floating_point() and coefficients.is_floating_point()):
        raise ConfigError(
            f"{name} and coefficients must be floating point, got {rows.dtype} and {coefficients.dtype}"
        )
    if isinstance(normalizer, Tensor) and normalizer.ndim:
        raise ConfigError(f"normalizer must be one number, got a tensor of shape {list(normalizer.shape)}")


def check_linear(hidden: Tensor, weight: Tensor, bias: Tensor | None) -> None:
    """Check the parameters of a linear output layer.

    Args:
        hidden: [n, H].
        weight: [V, H], floating point.
        bias: [V], floating point, or None.

    Raises:
        ConfigError: A shape or a type differs from these.
    """
    fits = weight.ndim == 2 and weight.shape[1] == hidden.shape[1]
    if not fits or (bias is not None and bias.shape != weight.shape[:1]):
        raise ConfigError(
            "hidden must be [n, H], weight [V, H] and bias [V] or None, got shapes "
            f"{list(hidden.shape)}, {list(weight.shape)} and {None if bias is None else list(bias.shape)}"
        )
    if not weight.is_floating_point() or (bias is not None and not bias.is_floating_point()):
        raise ConfigError(
            f"weight and bias must be floating point, got {weight.dtype} and "
            f"{None if bias is None else bias.dtype}"
        )


def check_batch(batch: dict[str, Tensor]) -> None:
    """Check that the tensors of a batch have one entry per token.

    Args:
        batch: "input_ids" (int64) and "coefficients" (floating point), both [rows, length]; other tensors
            with dimensions have the same shape.

    Raises:
        ConfigError: A shape or a type differs from these.
    """
    ids, coefficients = batch["input_ids"], batch["coefficients"]
    shapes = {name: list(tensor.shape) for name, tensor in batch.items() if tensor.ndim}
    if ids.ndim != 2 or any(shape != list(ids.shape) for shape in shapes.values()):
        raise ConfigError(f"all tensors of a batch must have one shape [rows, length], got {shapes}")
    if ids.dtype != torch.int64 or not coefficients.is_floating_point():
        raise ConfigError(
            f"input_ids must be torch.int64 and coefficients floating point, got {ids.dtype} and "
            f"{coefficients.dtype}"
        )

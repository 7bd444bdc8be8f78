"""Wrong shapes and types are refused; broadcasting would turn them into a wrong number."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from rise_env.errors import ConfigError
from rise_trainers.loss.fused_linear import linear_weighted_nll
from rise_trainers.loss.sequence_loss import sequence_loss
from rise_trainers.loss.weighted_nll import chunked_weighted_nll, weighted_nll
from tests.rise_trainers import small_models

TARGETS = torch.zeros(4, dtype=torch.int64)
WEIGHT = torch.ones(7, 3)


def plain(rows: Tensor, targets: Tensor, coefficients: Tensor, normalizer: Any = 1.0) -> Tensor:
    return weighted_nll(rows, targets, coefficients, normalizer=normalizer)


def chunked(rows: Tensor, targets: Tensor, coefficients: Tensor, normalizer: Any = 1.0) -> Tensor:
    return chunked_weighted_nll(
        lambda states: states, rows, targets, coefficients, normalizer=normalizer, vocabulary=7
    )


def linear(rows: Tensor, targets: Tensor, coefficients: Tensor, normalizer: Any = 1.0) -> Tensor:
    return linear_weighted_nll(rows, torch.eye(7), None, targets, coefficients, normalizer=normalizer)


@pytest.mark.parametrize("loss", [plain, chunked, linear])
@pytest.mark.parametrize(
    ("rows", "targets", "coefficients", "normalizer", "message"),
    [
        pytest.param([4, 7], [4], [4, 1], None, r"\[4, 7\], \[4\] and \[4, 1\]", id="column of coefficients"),
        pytest.param([4, 7], [4], [1], None, r"and \[1\]", id="one coefficient for all"),
        pytest.param([4, 7], [3], [4], None, r"\[3\] and \[4\]", id="too few targets"),
        pytest.param([2, 4, 7], [4], [4], None, r"\[2, 4, 7\]", id="a batch of rows"),
        pytest.param([4], [4], [4], None, r"\[4\], \[4\] and \[4\]", id="no vocabulary"),
        pytest.param([4, 7], [4], [4], [4], r"normalizer .* \[4\]", id="a normalizer per token"),
    ],
)
def test_losses_name_the_shapes_that_do_not_fit(
    loss: Callable[..., Tensor],
    rows: list[int],
    targets: list[int],
    coefficients: list[int],
    normalizer: list[int] | None,
    message: str,
) -> None:
    with pytest.raises(ConfigError, match=message):
        loss(
            torch.zeros(rows),
            torch.zeros(targets, dtype=torch.int64),
            torch.ones(coefficients),
            1.0 if normalizer is None else torch.ones(normalizer),
        )


@pytest.mark.parametrize("loss", [plain, chunked, linear])
@pytest.mark.parametrize(
    ("rows", "targets", "coefficients", "message"),
    [
        (torch.int64, torch.int64, torch.float32, "logits|hidden"),
        (torch.float32, torch.int32, torch.float32, "torch.int32"),
        (torch.float32, torch.float32, torch.float32, "token ids"),
        (torch.float32, torch.int64, torch.bool, "torch.bool"),
    ],
)
def test_losses_name_the_types_that_do_not_fit(
    loss: Callable[..., Tensor],
    rows: torch.dtype,
    targets: torch.dtype,
    coefficients: torch.dtype,
    message: str,
) -> None:
    with pytest.raises(ConfigError, match=message):
        loss(torch.zeros(4, 7, dtype=rows), torch.zeros(4, dtype=targets), torch.ones(4, dtype=coefficients))


@pytest.mark.parametrize("loss", [plain, chunked, linear])
def test_a_normalizer_may_be_a_tensor_without_dimensions(loss: Callable[..., Tensor]) -> None:
    found = loss(torch.zeros(4, 7), TARGETS, torch.ones(4), torch.tensor(2.0))
    torch.testing.assert_close(found, 2 * torch.log(torch.tensor(7.0)))


@pytest.mark.parametrize(
    ("weight", "bias", "message"),
    [
        (torch.ones(7, 2), None, r"\[4, 3\], \[7, 2\] and None"),
        (torch.ones(7), None, r"\[7\] and None"),
        (WEIGHT, torch.ones(1), r"\[7, 3\] and \[1\]"),
        (WEIGHT.to(torch.int8), None, "torch.int8"),
        (WEIGHT, torch.ones(7, dtype=torch.int64), "torch.int64"),
    ],
)
def test_a_layer_that_does_not_fit_its_states_is_named(
    weight: Tensor, bias: Tensor | None, message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        linear_weighted_nll(torch.zeros(4, 3), weight, bias, TARGETS, torch.ones(4), normalizer=1.0)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"coefficients": torch.ones(2, 1)}, r"'coefficients': \[2, 1\]"),
        ({"input_ids": torch.ones(5, dtype=torch.int64)}, r"'input_ids': \[5\]"),
        ({"attention_mask": torch.ones(1, 5, dtype=torch.int64)}, r"'attention_mask': \[1, 5\]"),
        ({"input_ids": torch.ones(2, 5, dtype=torch.int32)}, "torch.int32"),
        ({"coefficients": torch.ones(2, 5, dtype=torch.int64)}, "floating point"),
    ],
)
def test_a_batch_whose_tensors_do_not_fit_each_other_is_named(
    changed: dict[str, Tensor], message: str
) -> None:
    batch = {"input_ids": torch.ones(2, 5, dtype=torch.int64), "coefficients": torch.ones(2, 5)}
    model = small_models.tiny_llama(11)
    sequence_loss(model, {**batch, "count": torch.tensor(8.0)}, normalizer=8.0)
    with pytest.raises(ConfigError, match=message):
        sequence_loss(model, {**batch, **changed}, normalizer=8.0)

import numpy as np
import pytest

from rise_env.errors import ConfigError
from rise_trainers.data.dataset import EMPTY_EXAMPLE, Example, collate_packed, collate_padded, make_examples
from rise_trainers.data.tokenization import Span, TokenSequence

SEQUENCE = TokenSequence([5, 6, 7, 8, 9], [Span(0, 1, 2), Span(1, 3, 5)])


def test_every_trained_token_gets_the_weight_of_its_reply() -> None:
    [example] = make_examples([SEQUENCE], np.array([2.0, 3.0]))
    assert example.coefficients.tolist() == [0, 2, 0, 3, 3]
    assert example.count == 3


def test_per_reply_the_weight_is_shared_by_the_tokens() -> None:
    [example] = make_examples([SEQUENCE], np.array([2.0, 3.0]), normalize="reply")
    assert example.coefficients.tolist() == [0, 2, 0, 1.5, 1.5]
    assert example.count == 2


def test_replies_of_weight_zero_neither_train_nor_count() -> None:
    [example] = make_examples([SEQUENCE], np.array([0.0, 3.0]))
    assert example.coefficients.tolist() == [0, 0, 0, 3, 3]
    assert example.count == 2


def test_replies_of_negative_weight_train_and_count() -> None:
    [example] = make_examples([SEQUENCE], np.array([-2.0, 3.0]))
    assert example.coefficients.tolist() == [0, -2, 0, 3, 3]
    assert example.count == 3


def test_a_mask_of_zeros_is_an_error() -> None:
    with pytest.raises(ConfigError, match="no token would be trained"):
        make_examples([SEQUENCE], np.zeros(2))


def example(*ids: int) -> Example:
    return Example(np.array(ids), np.arange(len(ids), dtype=np.float32), float(len(ids) - 1))


def test_padding_is_masked_and_not_trained() -> None:
    batch = collate_padded([example(1, 2, 3), example(4, 5)], pad_id=9)
    assert batch["input_ids"].tolist() == [[1, 2, 3], [4, 5, 9]]
    assert batch["attention_mask"].tolist() == [[1, 1, 1], [1, 1, 0]]
    assert batch["coefficients"].tolist() == [[0, 1, 2], [0, 1, 0]]
    assert batch["count"].item() == 3


def test_rows_of_one_length_need_no_attention_mask() -> None:
    assert "attention_mask" not in collate_padded([example(1, 2), example(3, 4)])


def test_packed_rows_start_their_positions_again() -> None:
    batch = collate_packed([example(1, 2, 3), example(4, 5)])
    assert batch["input_ids"].tolist() == [[1, 2, 3, 4, 5]]
    assert batch["position_ids"].tolist() == [[0, 1, 2, 0, 1]]
    assert batch["coefficients"].tolist() == [[0, 1, 2, 0, 1]]


def test_the_filler_trains_nothing() -> None:
    assert collate_padded([EMPTY_EXAMPLE])["count"].item() == 0
    assert not EMPTY_EXAMPLE.coefficients.any()

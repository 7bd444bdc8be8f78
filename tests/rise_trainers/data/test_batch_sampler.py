import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rise_env.errors import ConfigError
from rise_trainers.data.batch_sampler import EMPTY_INDEX, RankBatches

LENGTHS = [3, 50, 7, 9, 30, 31, 2, 8, 44, 5, 6]


def steps(lengths: list[int], *, batch_size: int, micro: int, ranks: int, epoch: int = 0) -> list[set[int]]:
    """What each optimizer step trains, over all ranks."""
    everyone = [
        RankBatches(lengths, batch_size=batch_size, micro_batch_size=micro, rank=rank, ranks=ranks, seed=4)
        for rank in range(ranks)
    ]
    for batches in everyone:
        batches.set_epoch(epoch)
    parts = [list(batches) for batches in everyone]
    accumulation = everyone[0].accumulation
    result = []
    for step in range(everyone[0].steps):
        mine = [i for part in parts for b in part[step * accumulation :][:accumulation] for i in b]
        real = [index for index in mine if index != EMPTY_INDEX]
        assert len(real) == len(set(real))
        result.append(set(real))
    assert {len(part) for part in parts} == {len(everyone[0])}
    return result


@given(
    st.lists(st.integers(2, 99), min_size=1, max_size=40),
    st.sampled_from([1, 2]),
    st.sampled_from([1, 2, 4]),
)
def test_a_step_holds_the_same_sequences_whatever_the_ranks_and_micro_batches(
    lengths: list[int], ranks: int, micro: int
) -> None:
    expected = steps(lengths, batch_size=8, micro=8, ranks=1)
    assert steps(lengths, batch_size=8, micro=micro, ranks=ranks) == expected
    assert set().union(*expected) == set(range(len(lengths)))
    assert sum(len(step) for step in expected) == len(lengths)


def test_no_forward_pass_is_larger_than_the_micro_batch() -> None:
    batches = RankBatches(LENGTHS, batch_size=8, micro_batch_size=2)
    assert max(len(batch) for batch in batches) == 2


def test_epochs_differ_and_are_repeatable() -> None:
    batches = RankBatches(LENGTHS, batch_size=4, micro_batch_size=4)
    first = list(batches)
    assert list(batches) == first
    batches.set_epoch(1)
    assert list(batches) != first


def test_sequences_that_are_padded_together_are_about_as_long() -> None:
    lengths = list(np.random.default_rng(0).integers(1, 1000, 640))
    batches = RankBatches(lengths, batch_size=64, micro_batch_size=4)
    padded = sum(len(batch) * max(lengths[i] for i in batch) for batch in batches)
    assert sum(lengths) / padded > 0.93


def test_batches_that_do_not_divide_are_refused() -> None:
    with pytest.raises(ConfigError, match="multiple"):
        RankBatches(LENGTHS, batch_size=6, micro_batch_size=4)

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from rise_trainers.data.batch_sampler import EMPTY_INDEX, RankBatches
from rise_trainers.data.optimizer_steps import StepPlan

LENGTHS = [3, 50, 7, 9, 30, 31, 2, 8, 44, 5, 6]
PLAN = StepPlan((((0, 3, 1, 8), (2, 4, 5, 6), (7, 9, 10)), ((10, 9, 8, 7), (6, 5, 4, 3), (2, 1, 0))))


def trained(plan: StepPlan, lengths: list[int], *, micro: int, ranks: int, epoch: int) -> list[set[int]]:
    """What each optimizer step trains, over all ranks."""
    passes = plan.passes(micro, ranks)
    everyone = [RankBatches(plan, lengths, passes=passes, rank=rank, ranks=ranks) for rank in range(ranks)]
    for batches in everyone:
        batches.set_epoch(epoch)
    parts = [list(batches) for batches in everyone]
    result = []
    for step in range(plan.steps_per_epoch):
        mine = [i for part in parts for batch in part[step * passes :][:passes] for i in batch]
        real = [index for index in mine if index != EMPTY_INDEX]
        assert len(real) == len(set(real))
        result.append(set(real))
    assert {len(part) for part in parts} == {len(everyone[0])}
    return result


@given(
    st.lists(st.integers(2, 99), min_size=11, max_size=11),
    st.integers(1, 3),
    st.integers(1, 5),
    st.integers(0, 1),
)
def test_every_step_trains_the_sequences_of_the_plan_whatever_the_ranks_and_micro_batches(
    lengths: list[int], ranks: int, micro: int, epoch: int
) -> None:
    found = trained(PLAN, lengths, micro=micro, ranks=ranks, epoch=epoch)
    assert found == [set(step) for step in PLAN.epochs[epoch]]


def test_no_forward_pass_is_larger_than_the_micro_batch() -> None:
    for micro in (1, 2, 3):
        batches = RankBatches(PLAN, LENGTHS, passes=PLAN.passes(micro, ranks=2), ranks=2)
        assert max(len(batch) for batch in batches) <= micro


def test_sequences_that_are_padded_together_are_about_as_long() -> None:
    lengths = np.random.default_rng(0).integers(1, 1000, 640).tolist()
    plan = StepPlan((tuple(tuple(range(start, start + 64)) for start in range(0, 640, 64)),))
    batches = RankBatches(plan, lengths, passes=plan.passes(4, ranks=1))
    padded = sum(len(batch) * max(lengths[i] for i in batch) for batch in batches)
    assert sum(lengths) / padded > 0.93

import pytest

from tests.rise_trainers import equivalence, gradients
from tests.rise_trainers.loss.reference import relative_error


@pytest.mark.parametrize("normalize", ["token", "reply"])
@pytest.mark.parametrize(("micro_batch", "passes"), [(1, 8), (2, 4), (8, 1)])
@pytest.mark.parametrize("packed", [False, True])
def test_micro_batches_accumulation_and_packing_never_change_the_gradient(
    micro_batch: int, passes: int, packed: bool, normalize: str
) -> None:
    found = gradients.one_step(micro_batch=micro_batch, passes=passes, packed=packed, normalize=normalize)
    assert relative_error(found, equivalence.expected(8, normalize)) < equivalence.LIMIT


@pytest.mark.slow
@pytest.mark.parametrize(("ranks", "stage"), equivalence.GROUPS)
def test_ranks_and_zero_stages_never_change_the_gradient(ranks: int, stage: int | None) -> None:
    found = equivalence.errors(ranks, stage)
    print("\n" + "\n".join(equivalence.line(ranks, stage, packed, found) for packed in (False, True)))
    assert set(found) == set(gradients.rows())
    assert max(found.values()) < equivalence.LIMIT

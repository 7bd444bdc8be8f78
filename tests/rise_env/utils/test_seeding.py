import random

import numpy as np
import pytest

from rise_env.utils.seeding import derive, derive_many, unchanged_random_state


def test_streams_of_neighbouring_seeds_and_paths_do_not_meet() -> None:
    seeds = {derive(a, b, c) for a in range(12) for b in range(12) for c in range(12)}
    assert len(seeds) == 12**3
    assert all(0 <= seed < 2**63 for seed in seeds)


def test_a_path_gives_the_same_seed_in_every_process() -> None:
    assert derive(0, 1) == derive(0, 1) != derive(1, 0)


@pytest.mark.parametrize("prefix", [(0, 0), (7, 2), (2**32 - 1, 1)])
@pytest.mark.parametrize("start", [0, 5, 2**31])
def test_many_seeds_computed_together_are_those_of_numpy(prefix: tuple[int, int], start: int) -> None:
    single = [np.random.SeedSequence((*prefix, start + i)).generate_state(1, np.uint64)[0] for i in range(20)]
    assert derive_many(prefix, start, 20).tolist() == single


def test_the_global_random_state_is_kept() -> None:
    before = random.getstate(), str(np.random.get_state())  # noqa: NPY002
    with unchanged_random_state():
        random.seed(1)
        np.random.seed(1)  # noqa: NPY002
    assert (random.getstate(), str(np.random.get_state())) == before  # noqa: NPY002

from rise_env.utils.seeding import derive


def test_streams_of_neighbouring_seeds_and_paths_do_not_meet() -> None:
    seeds = {derive(a, b, c) for a in range(12) for b in range(12) for c in range(12)}
    assert len(seeds) == 12**3
    assert all(0 <= seed < 2**63 for seed in seeds)


def test_a_path_gives_the_same_seed_in_every_process() -> None:
    assert derive(0, 1) == derive(0, 1) != derive(1, 0)

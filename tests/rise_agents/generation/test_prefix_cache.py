import torch

from rise_agents.generation.prefix_cache import BLOCK, PrefixCache


def states(length: int) -> torch.Tensor:
    return torch.zeros((4, 2, length, 8))  # 256 bytes per token


def sequence(length: int, start: int = 0) -> tuple[int, ...]:
    return tuple(range(start, start + length))


def test_the_longest_shared_prefix_is_found_to_the_token() -> None:
    cache = PrefixCache(1 << 20)
    cache.add(sequence(3 * BLOCK), states(3 * BLOCK))
    cache.add((*sequence(2 * BLOCK), -1, -2), states(2 * BLOCK + 2))
    asked = (*sequence(2 * BLOCK + 5), -7)
    entry, shared = cache.find((*sequence(3 * BLOCK), 9))
    assert entry is not None
    assert shared == 3 * BLOCK
    entry, shared = cache.find(asked)
    assert entry is not None
    assert shared == next(
        (i for i, (a, b) in enumerate(zip(asked, entry.tokens, strict=False)) if a != b), len(entry.tokens)
    )
    assert shared >= 2 * BLOCK


def test_nothing_shared_is_nothing_found() -> None:
    cache = PrefixCache(1 << 20)
    cache.add(sequence(BLOCK), states(BLOCK))
    assert cache.find(sequence(BLOCK, start=1)) == (None, 0)
    assert cache.find(sequence(BLOCK - 1)) == (None, 0)


def test_the_least_recently_used_goes_first() -> None:
    cache = PrefixCache(3 * BLOCK * 256)
    for start in (0, 1000, 2000):
        cache.add(sequence(BLOCK, start), states(BLOCK))
    cache.find(sequence(BLOCK, 0))
    cache.add(sequence(BLOCK, 3000), states(BLOCK))
    assert [cache.find(sequence(BLOCK, s))[1] for s in (0, 1000, 2000, 3000)] == [BLOCK, 0, BLOCK, BLOCK]
    assert cache.bytes == 3 * BLOCK * 256


def test_a_continued_sequence_replaces_its_former_entry() -> None:
    cache = PrefixCache(1 << 20)
    cache.add(sequence(BLOCK), states(BLOCK))
    former, _ = cache.find(sequence(2 * BLOCK))
    cache.add(sequence(2 * BLOCK), states(2 * BLOCK), former)
    assert cache.bytes == 2 * BLOCK * 256
    assert cache.find(sequence(BLOCK))[1] == BLOCK


def test_what_does_not_fit_is_not_kept() -> None:
    cache = PrefixCache(100)
    cache.add(sequence(BLOCK), states(BLOCK))
    assert cache.bytes == 0
    assert cache.find(sequence(BLOCK)) == (None, 0)


def test_forgetting_forgets() -> None:
    cache = PrefixCache(1 << 20)
    cache.add(sequence(BLOCK), states(BLOCK))
    cache.clear()
    assert cache.bytes == 0
    assert cache.find(sequence(BLOCK)) == (None, 0)


def test_a_shared_beginning_stays_when_one_sequence_continues_it() -> None:
    cache = PrefixCache(1 << 20)
    cache.add(sequence(2 * BLOCK), states(2 * BLOCK), shared=True)
    beginning, _ = cache.find(sequence(2 * BLOCK))
    cache.add(sequence(3 * BLOCK), states(3 * BLOCK), beginning)
    cache.add((*sequence(2 * BLOCK), *sequence(BLOCK, start=500)), states(3 * BLOCK), beginning)
    assert cache.bytes == 8 * BLOCK * 256

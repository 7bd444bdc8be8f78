from hypothesis import given
from hypothesis import strategies as st

from rise_agents.generation.batching import batches


@given(st.lists(st.integers(1, 500), max_size=60), st.integers(1, 2000), st.integers(1, 16))
def test_every_prompt_is_in_one_batch_within_the_limits(
    lengths: list[int], max_tokens: int, max_rows: int
) -> None:
    made = batches(lengths, max_tokens=max_tokens, max_rows=max_rows)
    assert sorted(i for batch in made for i in batch) == list(range(len(lengths)))
    for batch in made:
        longest = max(lengths[i] for i in batch)
        assert len(batch) <= max_rows
        assert len(batch) == 1 or longest * len(batch) <= max_tokens


def test_prompts_of_similar_length_share_a_batch() -> None:
    assert batches([5, 100, 6, 99], max_tokens=1000, max_rows=2) == [[1, 3], [2, 0]]

"""Groups prompts of similar length into batches."""

from collections.abc import Sequence


def batches(lengths: Sequence[int], *, max_tokens: int, max_rows: int) -> list[list[int]]:
    """Split prompts into batches of similar length.

    Args:
        lengths: Length of each prompt with its longest possible reply, in tokens.
        max_tokens: Maximal size of a batch, in tokens: rows times the longest length. A batch of one row may
            exceed it.
        max_rows: Maximal number of rows of a batch.

    Returns:
        The batches, as indices into `lengths`. The batch with the longest prompts comes first: if memory is
        too small, the first batch fails.
    """
    order = sorted(range(len(lengths)), key=lambda i: (-lengths[i], i))
    made: list[list[int]] = []
    rows = 0
    for i in order:
        if not made or len(made[-1]) >= rows:
            rows = max(1, min(max_rows, max_tokens // max(1, lengths[i])))
            made.append([])
        made[-1].append(i)
    return made

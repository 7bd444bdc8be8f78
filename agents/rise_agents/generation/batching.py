"""Which prompts share a batch."""

from collections.abc import Sequence


def batches(lengths: Sequence[int], *, max_tokens: int, max_rows: int) -> list[list[int]]:
    """Split prompts into batches of similar length.

    Args:
        lengths: Of each prompt with its reply, in tokens.
        max_tokens: Rows times the longest length stays at or below this; a single row may exceed it.
        max_rows: Rows per batch.

    Returns:
        Indices into `lengths`, longest first: what does not fit into memory fails at once.
    """
    order = sorted(range(len(lengths)), key=lambda i: (-lengths[i], i))
    found: list[list[int]] = []
    rows = 0
    for i in order:
        if not found or len(found[-1]) >= rows:
            rows = max(1, min(max_rows, max_tokens // max(1, lengths[i])))
            found.append([])
        found[-1].append(i)
    return found

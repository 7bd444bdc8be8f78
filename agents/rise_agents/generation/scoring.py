"""Log-probabilities of given texts under a transformers model."""

from collections.abc import Sequence
from typing import Any

import torch


def ending_logprobs(
    model: Any,
    prompts: Sequence[Sequence[int]],
    endings: Sequence[Sequence[int]],
    *,
    max_batch_tokens: int = 16384,
) -> list[float]:
    """Return the summed log-probability of the tokens of each ending after its prompt.

    Args:
        model: A transformers causal language model in eval mode.
        prompts: Token ids; each prompt has at least one.
        endings: Token ids, one sequence per prompt.
        max_batch_tokens: Maximal size of a batch, its number of rows times its longest sequence, in tokens.
            A batch of one row may exceed it.

    Returns:
        Natural logarithms, in the order of the prompts; 0 for an empty ending.
    """
    sequences = [[*prompt, *ending] for prompt, ending in zip(prompts, endings, strict=True)]
    found = [0.0] * len(sequences)
    for rows in _rows(sequences, max_batch_tokens):
        logps = _score(model, [sequences[row] for row in rows], [len(endings[row]) for row in rows])
        for row, value in zip(rows, logps, strict=True):
            found[row] = value
    return found


def _rows(sequences: Sequence[Sequence[int]], max_batch_tokens: int) -> list[list[int]]:
    """Return batches of sequences of similar length."""
    order = sorted(range(len(sequences)), key=lambda row: len(sequences[row]))
    rows: list[list[int]] = [[]]
    for row in order:
        if rows[-1] and (len(rows[-1]) + 1) * len(sequences[row]) > max_batch_tokens:
            rows.append([])
        rows[-1].append(row)
    return rows if rows[-1] else []


@torch.inference_mode()
def _score(model: Any, sequences: Sequence[Sequence[int]], lengths: Sequence[int]) -> list[float]:
    """Return the summed log-probability of the last `lengths[i]` tokens of each sequence, [rows]."""
    width = max(map(len, sequences))
    ids = torch.tensor([[*sequence, *[0] * (width - len(sequence))] for sequence in sequences])
    mask = torch.tensor([[1] * len(s) + [0] * (width - len(s)) for s in sequences])
    longest = max(lengths) + max(width - len(s) for s in sequences) + 1
    logits = model(
        input_ids=ids.to(model.device), attention_mask=mask.to(model.device), use_cache=False,
        logits_to_keep=min(longest, width),
    ).logits.float()  # fmt: skip
    first = width - logits.shape[1]
    values = []
    for row, (sequence, length) in enumerate(zip(sequences, lengths, strict=True)):
        start = len(sequence) - length
        # position t predicts token t + 1
        at = torch.log_softmax(logits[row, start - 1 - first : len(sequence) - 1 - first], dim=-1)
        targets = torch.tensor(sequence[start:], device=at.device)
        values.append(float(at.gather(1, targets[:, None]).sum()))
    return values

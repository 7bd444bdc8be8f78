"""The log-probability of tokens and the entropy of what was predicted, without a gradient."""

from typing import Any

import torch
from torch import Tensor

from rise_trainers.loss.checks import check_batch
from rise_trainers.loss.output_layer import (
    MODEL_INPUTS,
    changes_logits,
    output_layer,
    replaced_forward,
    text_config,
)
from rise_trainers.loss.weighted_nll import LOGITS_PER_CHUNK


@torch.no_grad()
def token_statistics(
    model: Any, batch: dict[str, Tensor], *, logits_per_chunk: int = LOGITS_PER_CHUNK
) -> tuple[Tensor, Tensor]:
    """Return the log-probability of each selected token, and the entropy of its prediction.

    Args:
        model: A transformers causal language model, plain or wrapped (DeepSpeed, peft).
        batch: As for `sequence_loss`; the tokens whose coefficient is not 0 are selected.
        logits_per_chunk: The largest number of logits in memory at once.

    Returns:
        Two tensors [n], float32, natural logarithms: the n selected tokens, row by row.

    Raises:
        ConfigError: A tensor has another shape or type.
    """
    check_batch(batch)
    selected = batch["coefficients"][:, 1:] != 0
    targets = batch["input_ids"][:, 1:][selected]
    positions = torch.nn.functional.pad(selected, (0, 1))  # position t predicts token t + 1
    inputs = {name: batch[name] for name in MODEL_INPUTS if name in batch}
    head, config = output_layer(model), text_config(model)
    found: list[tuple[Tensor, Tensor]] = []
    rows = max(1, logits_per_chunk // config.vocab_size)
    if head is None or changes_logits(config):
        logits = model(**inputs, use_cache=False).logits[positions]
        parts = zip(torch.split(logits, rows), torch.split(targets, rows), strict=True)
        found = [_of_logits(*part) for part in parts]
        return torch.cat([logprobs for logprobs, _ in found]), torch.cat([values for _, values in found])

    def of_states(plain: Any, hidden: Tensor) -> Tensor:
        parts = zip(torch.split(hidden[positions], rows), torch.split(targets, rows), strict=True)
        found.extend(_of_logits(plain(states), part) for states, part in parts)
        return hidden

    with replaced_forward(head, of_states):
        model(**inputs, use_cache=False)
    if not found:
        raise RuntimeError("the model did not call its output layer, which computes the statistics")
    return torch.cat([logprobs for logprobs, _ in found]), torch.cat([entropies for _, entropies in found])


def _of_logits(logits: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
    logps = logits.float().log_softmax(dim=-1)
    entropies = -(logps.exp() * logps.clamp_min(torch.finfo(torch.float32).min)).sum(dim=-1)
    return logps.gather(1, targets[:, None])[:, 0], entropies

"""Batched generation with transformers that reuses attention states and removes finished rows.

Two things are added to a plain call of `generate`. First, a prefix cache holds the states (attention keys and
values) of earlier sequences, so that only the new part of a conversation is computed. The beginning that all
prompts of a batch share, such as a system prompt with worked examples, is computed once. Second, `generate`
is called for a few tokens at a time, and finished rows are removed from the batch between two calls. A single
call would compute all rows until the longest one ends. A call also ends once a quarter of its rows are
finished.

There is no `torch.compile` here. It fails on this cache, whose states are views of larger buffers. With a
cache rewritten for it, rollouts of the embedded model on a CPU took 4 to 6 percent less time, after one to
two minutes of compiling: three quarters of a step are attention and matrix products. The compiled step of
transformers needs a `StaticCache`, which can neither reuse prefixes nor remove finished rows; it reached a
third of this decoder's tokens per second. On a GPU, where a compiled step pays off, use `VLLMAgent`.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch

from rise_agents.generation.gumbel_sampling import SeededSampling, request_keys
from rise_agents.generation.kv_cache import is_plain, preallocated_cache
from rise_agents.generation.prefix_cache import BLOCK, Entry, PrefixCache
from rise_agents.types import SamplingConfig

SEGMENT = 32
"""Tokens that are generated between two checks for finished rows."""

SHARED = 32
"""Smallest number of leading tokens of all prompts of a batch that are computed once for all rows."""


@dataclass(frozen=True, slots=True)
class GenerationRequest:
    """One sequence to continue."""

    prompt: tuple[int, ...]
    """Token ids."""
    seed: int
    max_tokens: int
    """Maximal length of the reply, in tokens."""


@dataclass(frozen=True, slots=True)
class Generation:
    """The continuation of one sequence."""

    tokens: tuple[int, ...]
    """Token ids, including the stop token if there is one."""
    stopped: bool
    """Whether the continuation ends with a stop token."""
    logprobs: tuple[float, ...] | None
    """Natural logarithm of each token's probability; None if they were not recorded."""
    cached: int
    """Number of prompt tokens whose states came from the prefix cache."""


class ManyFinished:
    """A stopping criterion of transformers that ends a call for all rows once a quarter of them are finished.

    Args:
        stops: Tokens that end a reply.
        rows: Number of rows of the batch.
    """

    def __init__(self, stops: Sequence[int], rows: int) -> None:
        self._stops = torch.tensor(stops)
        self._finished = torch.zeros(rows, dtype=torch.bool)

    def __call__(self, input_ids: torch.Tensor, scores: Any, **kwargs: Any) -> torch.Tensor:
        """Return for each row whether the call ends, [rows]; it is the same for all rows."""
        last = input_ids[:, -1]
        self._finished = self._finished.to(last.device) | torch.isin(last, self._stops.to(last.device))
        return torch.full_like(self._finished, bool(4 * self._finished.sum() >= len(last)))


class Decoder:
    """Continues batches of token sequences with one model. `TransformersAgent` uses it.

    Args:
        model: A causal language model of transformers. Its generation config is replaced.
        stops: Tokens that end a reply.
        logprobs: Whether to record the log-probabilities of replies.
        prefix_bytes: Size of the prefix cache in bytes; 0 disables it.
    """

    def __init__(self, model: Any, stops: Sequence[int], *, logprobs: bool, prefix_bytes: int) -> None:
        from transformers import GenerationConfig

        self.model = model
        self.stops = tuple(stops)
        pad = stops[0] if stops else 0
        # the model's own sampling settings (top_k, repetition penalty, ...) must not apply as well
        model.generation_config = GenerationConfig(
            do_sample=False, pad_token_id=pad, eos_token_id=list(stops) or None
        )
        self._pad = pad
        self._logprobs = logprobs
        self._prefixes = PrefixCache(prefix_bytes) if prefix_bytes else None

    def run(self, requests: Sequence[GenerationRequest], sampling: SamplingConfig) -> list[Generation]:
        """Continue each request, in one batch with padding on the left; results are in the same order."""
        with torch.inference_mode():
            return self._run(requests, sampling)

    def clear_prefixes(self) -> None:
        """Free the states in the prefix cache."""
        if self._prefixes is not None:
            self._prefixes.clear()

    def close(self) -> None:
        """Free the model and the prefix cache."""
        self.clear_prefixes()
        self.model = None

    def _run(self, requests: Sequence[GenerationRequest], sampling: SamplingConfig) -> list[Generation]:
        self._compute_shared([request.prompt for request in requests])
        if self._prefixes is not None and (repeated := self._repeated(requests)):
            self._run(repeated, sampling)  # puts the states of these prompts into the prefix cache
        found = [self._find(request.prompt) for request in requests]
        layout = _layout([request.prompt for request in requests], [n for _, n in found], self._pad)
        ids, mask = (part.to(self.model.device) for part in layout)
        cache = self._filled_cache(found)
        start = ids.shape[1]
        rows = list(range(len(requests)))
        keys = request_keys([request.seed for request in requests])
        tokens: list[list[int]] = [[] for _ in requests]
        logprobs: list[list[float]] = [[] for _ in requests]
        stopped = [False] * len(requests)
        while rows:
            done = ids.shape[1] - start
            budget = max(requests[row].max_tokens for row in rows) - done
            sample = SeededSampling(sampling, keys[rows], start, logprobs=self._logprobs)
            output = self.model.generate(
                input_ids=ids,
                attention_mask=mask,
                past_key_values=cache,
                logits_processor=[sample],
                stopping_criteria=[ManyFinished(self.stops, len(rows))],
                max_new_tokens=min(budget, SEGMENT),
                return_dict_in_generate=True,
            )
            cache = output.past_key_values
            new = output.sequences[:, ids.shape[1] :]
            values = torch.stack(sample.logprobs, dim=1).tolist() if sample.logprobs else None
            keep = []
            for place, (row, drawn) in enumerate(zip(rows, new.tolist(), strict=True)):
                end = next((i for i, token in enumerate(drawn) if token in self.stops), None)
                left = requests[row].max_tokens - done
                taken = drawn[: min(left, len(drawn) if end is None else end + 1)]
                tokens[row] += taken
                if values is not None:
                    logprobs[row] += values[place][: len(taken)]
                stopped[row] = end is not None and end < left
                if not stopped[row] and left > len(drawn):
                    keep.append(place)
            mask = torch.cat([mask, mask.new_ones(new.shape)], dim=1)
            self._store_finished(requests, rows, keep, found, tokens, cache, mask)
            if not keep:
                break
            ids, mask, rows = output.sequences[keep], mask[keep], [rows[place] for place in keep]
            if len(keep) < new.shape[0]:
                cache.batch_select_indices(torch.tensor(keep, device=ids.device))
        return [
            Generation(
                tuple(tokens[row]),
                stopped[row],
                tuple(logprobs[row]) if self._logprobs else None,
                found[row][1],
            )
            for row in range(len(requests))
        ]

    def _compute_shared(self, prompts: Sequence[tuple[int, ...]]) -> None:
        """Add the states of the tokens with which all prompts begin to the prefix cache."""
        if self._prefixes is None or len(prompts) < 2:
            return
        first, last = min(prompts), max(prompts)  # in lexicographic order
        length = next((i for i, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), len(first))
        shared = first[:length]
        _, known = self._prefixes.find(shared)
        if len(shared) - known < SHARED:
            return
        output = self.model.generate(
            input_ids=torch.tensor([shared], device=self.model.device),
            past_key_values=preallocated_cache(self.model.config),
            max_new_tokens=1,
            return_dict_in_generate=True,
        )
        if is_plain(output.past_key_values):
            self._prefixes.add(shared, _states(output.past_key_values, 0, slice(0, len(shared))), shared=True)

    def _repeated(self, requests: Sequence[GenerationRequest]) -> list[GenerationRequest]:
        """Return a request for one token for every prompt that several requests share and no cache holds."""
        counts = Counter(request.prompt for request in requests)
        shared = [prompt for prompt, count in counts.items() if count > 1]
        return [
            GenerationRequest(prompt, 0, 1)
            for prompt in shared
            if self._find(prompt)[1] < len(prompt) - BLOCK
        ]

    def _find(self, prompt: Sequence[int]) -> tuple[Entry | None, int]:
        if self._prefixes is None:
            return None, 0
        entry, shared = self._prefixes.find(prompt)
        return entry, min(shared, len(prompt) - 1)  # the last token is always computed: it gives the logits

    def _filled_cache(self, found: Sequence[tuple[Entry | None, int]]) -> Any:
        """Return a cache for the model that holds the states found for each row, right aligned."""
        cache = preallocated_cache(self.model.config)
        width = max(shared for _, shared in found)
        known = next((entry for entry, shared in found if entry is not None and shared), None)
        if known is None:
            return cache
        parts, heads, _, size = known.states.shape
        states = known.states.new_zeros((parts, len(found), heads, width, size))
        for row, (entry, shared) in enumerate(found):
            if entry is not None and shared:
                states[:, row, :, width - shared :] = entry.states[:, :, :shared]
        for layer in range(parts // 2):
            cache.update(states[2 * layer], states[2 * layer + 1], layer)
        return cache

    def _store_finished(
        self,
        requests: Sequence[GenerationRequest],
        rows: Sequence[int],
        keep: Sequence[int],
        found: Sequence[tuple[Entry | None, int]],
        tokens: Sequence[Sequence[int]],
        cache: Any,
        mask: torch.Tensor,
    ) -> None:
        """Add to the prefix cache the states of the rows that are finished."""
        if self._prefixes is None:
            return
        if not is_plain(cache):  # states of sliding windows or recurrent layers cannot be cut at a token
            self._prefixes = None
            return
        going_on = set(keep)
        for place, row in enumerate(rows):
            if place in going_on:
                continue
            # the model never read the last token, so it has no state
            sequence = (*requests[row].prompt, *tokens[row][:-1])
            columns = mask[place].nonzero()[: len(sequence), 0]
            self._prefixes.add(sequence, _states(cache, place, columns), found[row][0])


def _states(cache: Any, row: int, columns: Any) -> torch.Tensor:
    """Return a copy of the states of some columns of a row, [2 * layers, heads, columns, head size]."""
    parts = [part[row][:, columns] for layer in cache.layers for part in (layer.keys, layer.values)]
    return torch.stack(parts)


def _layout(
    prompts: Sequence[Sequence[int]], known: Sequence[int], pad: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return token ids and attention mask of the left-padded prompts, each [rows, columns].

    Args:
        prompts: Token ids.
        known: Number of leading tokens of each prompt whose states are known. They are in the first columns,
            and the new tokens in the columns after them; both parts are right aligned.
        pad: Token id for padding.
    """
    width = max(known)
    total = width + max(len(prompt) - n for prompt, n in zip(prompts, known, strict=True))
    ids = torch.full((len(prompts), total), pad, dtype=torch.long)
    mask = torch.zeros_like(ids)
    for row, (prompt, n) in enumerate(zip(prompts, known, strict=True)):
        for first, last, part in (
            (width - n, width, prompt[:n]),
            (total - len(prompt) + n, total, prompt[n:]),
        ):
            ids[row, first:last] = torch.tensor(part, dtype=torch.long)
            mask[row, first:last] = 1
    return ids, mask

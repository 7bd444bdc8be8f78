"""Plays with any causal language model that transformers can load, on a CPU or a GPU.

The reference back end: simple, everywhere, and what the faster ones are tested against.
"""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch

from rise_agents.generation.batching import batches
from rise_agents.generation.chat_template import encode, load_tokenizer, stop_tokens
from rise_agents.generation.generate import Decoder, Request
from rise_agents.generation.model_fingerprint import model_name
from rise_agents.types import Reply, SamplingConfig
from rise_env.errors import ConfigError, DataNotFoundError
from rise_env.types import Conversation, Usage

DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}


class TransformersAgent:
    """Answers with a causal language model.

    Args:
        model: Folder or hub id.
        dtype: "auto" is bfloat16 on a GPU and float32 on a CPU.
        device: "auto" is the first GPU where there is one.
        revision: Of the hub repository.
        chat_template: File of a Jinja template, for a model that brings none.
        max_concurrent_requests: Rows per batch.
        max_batch_tokens: Tokens per batch: rows times the longest prompt with its reply. Halved, and kept
            so, when the device runs out of memory.
        logprobs: Whether replies carry the log-probabilities of their tokens.
        prefix_cache_mb: MiB of attention states kept from past replies, so that the next turn does not
            compute its history again; 0 keeps none.

    Raises:
        DataNotFoundError: There is no such model.
        ConfigError: A setting is unknown, or the model has no chat template.
    """

    def __init__(
        self,
        model: str,
        *,
        dtype: Literal["auto", "float32", "bfloat16", "float16"] = "auto",
        device: str = "auto",
        revision: str | None = None,
        chat_template: str | None = None,
        max_concurrent_requests: int = 256,
        max_batch_tokens: int = 65536,
        logprobs: bool = False,
        prefix_cache_mb: int = 1024,
    ) -> None:
        if dtype not in ("auto", *DTYPES):
            raise ConfigError(f"dtype must be auto or one of {', '.join(DTYPES)}, got {dtype!r}")
        if max_concurrent_requests < 1 or max_batch_tokens < 1:
            raise ConfigError(
                f"batches need room, got {max_concurrent_requests} rows and {max_batch_tokens} tokens"
            )
        if device == "auto":
            device = "cuda" if torch.cuda.is_available() else "cpu"
        if dtype == "auto":
            dtype = "float32" if device == "cpu" else "bfloat16"
        self.tokenizer = load_tokenizer(model, revision=revision, chat_template=chat_template)
        loaded = _load_model(model, DTYPES[dtype], device, revision)
        self.name = model_name(model, getattr(loaded.config, "_commit_hash", None))
        self.context = int(getattr(loaded.config, "max_position_embeddings", 0) or 1 << 30)
        """Longest prompt with its reply, in tokens."""
        self.max_concurrent_requests = max_concurrent_requests
        self.max_batch_tokens = max_batch_tokens
        stops = stop_tokens(self.tokenizer, loaded.generation_config)
        self._decoder = Decoder(loaded, stops, logprobs=logprobs, prefix_bytes=prefix_cache_mb << 20)

    def act(
        self,
        conversations: Sequence[Conversation],
        sampling: SamplingConfig,
        seeds: Sequence[int] | None = None,
    ) -> list[Reply]:
        """Answer each conversation; see `Agent.act`. One without room for a reply gets an empty, cut one."""
        if seeds is None:
            seeds = np.random.default_rng().integers(2**63, size=len(conversations)).tolist()
        prompts = encode(self.tokenizer, conversations)
        room = [min(sampling.max_new_tokens, self.context - len(prompt)) for prompt in prompts]
        replies = {i: Reply(text="", finish="length") for i in range(len(prompts)) if room[i] < 1}
        waiting = [i for i in range(len(prompts)) if room[i] >= 1]
        while waiting:
            lengths = [len(prompts[i]) + room[i] for i in waiting]
            rows = batches(lengths, max_tokens=self.max_batch_tokens, max_rows=self.max_concurrent_requests)[
                0
            ]
            batch = [waiting[row] for row in rows]
            requests = [Request(tuple(prompts[i]), seeds[i], room[i]) for i in batch]
            try:
                answered = self._answer(requests, sampling)
            except torch.cuda.OutOfMemoryError:
                if len(batch) == 1:
                    raise
                self._decoder.forget()
                torch.cuda.empty_cache()
                self.max_batch_tokens = max(lengths) * (len(batch) // 2)
                continue
            replies.update(zip(batch, answered, strict=True))
            waiting = [i for i in waiting if i not in replies]
        return [replies[i] for i in range(len(prompts))]

    def close(self) -> None:
        """Free the model and what is kept of past conversations."""
        self._decoder.close()
        if torch.cuda.is_available():
            torch.cuda.empty_cache()

    def _answer(self, requests: Sequence[Request], sampling: SamplingConfig) -> list[Reply]:
        began = time.perf_counter()
        results = self._decoder.run(requests, sampling)
        latency = time.perf_counter() - began
        texts = self.tokenizer.batch_decode(
            [result.tokens[: -1 if result.stopped else None] for result in results],
            skip_special_tokens=True,
            clean_up_tokenization_spaces=False,
        )
        return [
            Reply(
                text=text,
                finish="stop" if result.stopped else "length",
                token_ids=result.tokens,
                logprobs=result.logprobs,
                usage=Usage(
                    prompt_tokens=len(request.prompt),
                    completion_tokens=len(result.tokens),
                    cached_tokens=result.cached,
                ),
                latency=latency,
            )
            for request, result, text in zip(requests, results, texts, strict=True)
        ]


def tiny_agent(**settings: Any) -> TransformersAgent:
    """Return the embedded tiny model, ready to play; `settings` are those of `TransformersAgent`."""
    folder = Path(__file__).parents[1] / "tiny"
    if not (folder / "config.json").is_file():
        raise DataNotFoundError(f"the embedded model is missing: there is no {folder / 'config.json'}")
    return TransformersAgent(str(folder), **settings)


def _load_model(model: str, dtype: torch.dtype, device: str, revision: str | None) -> Any:
    from transformers import AutoModelForCausalLM

    try:
        loaded = AutoModelForCausalLM.from_pretrained(model, dtype=dtype, revision=revision)
    except (OSError, ValueError) as error:
        reason = str(error).strip().split("\n")[0]
        raise DataNotFoundError(f"no causal language model at {model!r}: {reason}") from error
    return loaded.to(device).eval()

"""An agent with any causal language model that transformers can load, on a CPU or a GPU.

It is the reference back end: simple and portable, and the other local back ends are tested against it.
torch is imported when an agent is made: wrong settings are refused without it.
"""

import time
from collections.abc import Mapping, Sequence
from functools import partial
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import numpy as np

from rise_agents.chat.beginnings import scoring_tokens, split_beginning
from rise_agents.chat.chat_settings import DEFAULT_DATE, Thinking
from rise_agents.chat.loading import load_chat
from rise_agents.chat.model_fingerprint import model_name
from rise_agents.embedded import EMBEDDED
from rise_agents.generation.batching import batches
from rise_agents.generation.model_checks import check_at_least, check_device, check_local_model
from rise_agents.generation.model_settings import (
    MAX_CONCURRENT_REQUESTS,
    Dtype,
    ModelSettings,
    shared_settings,
)
from rise_agents.parallel.gpu_assignment import first_device
from rise_agents.types import Reply, SamplingConfig
from rise_env.types import Conversation, Usage
from rise_env.utils.settings import Changeable

if TYPE_CHECKING:
    from rise_agents.generation.generate import GenerationRequest

for _library in ("torch", "transformers"):
    if find_spec(_library) is None:  # as their imports would say
        raise ModuleNotFoundError(f"No module named {_library!r}", name=_library)


class TransformersAgent:
    """Answers with a causal language model in this process.

    Args:
        model: Folder, or repository id on the Hugging Face hub.
        dtype: See `ModelSettings`.
        device: A torch device; "auto" is the first visible GPU, or the CPU if there is none. To play on
            several GPUs, run several agents: the setting `workers` ray:N of the commands.
        revision: See `ModelSettings`.
        adapter: See `ModelSettings`.
        chat_template: See `ModelSettings`.
        template_options: See `ChatSettings`, as for the next two.
        thinking: See `ChatSettings`.
        date: See `ChatSettings`.
        attention: Attention implementation of transformers: sdpa, eager, flash_attention_2, ...; None lets it
            choose. On a CPU, short conversations in bfloat16 are faster with eager.
        max_concurrent_requests: Maximal number of rows in a batch.
        max_batch_tokens: Maximal number of tokens in a batch: rows times the longest prompt with its reply.
            If the device runs out of memory, the limit becomes half the size of the failed batch, for it and
            all later ones.
        logprobs: See `ModelSettings`.
        prefix_cache_mb: Size of the prefix cache in MiB. It keeps the attention keys and values of earlier
            conversations, so that the next turn does not compute its history again; 0 disables it.

    Raises:
        DataNotFoundError: There is no such model.
        ConfigError: A setting is unknown, or the model has no chat template.
    """

    continues = True
    """See `ContinuingAgent`."""

    def __init__(
        self,
        model: str,
        *,
        dtype: Dtype = "auto",
        device: str = "auto",
        revision: str | None = None,
        adapter: str | None = None,
        chat_template: str | None = None,
        template_options: Mapping[str, Any] | None = None,
        thinking: Thinking = "template",
        date: str = DEFAULT_DATE,
        attention: str | None = None,
        max_concurrent_requests: Changeable[int] = MAX_CONCURRENT_REQUESTS,
        max_batch_tokens: Changeable[int] = 65536,
        logprobs: bool = True,
        prefix_cache_mb: Changeable[int] = 1024,
    ) -> None:
        from rise_agents.generation.generate import Decoder
        from rise_agents.generation.model_loading import adapter_name, load_model

        settings = ModelSettings(
            model=model,
            dtype=dtype,
            revision=revision,
            adapter=adapter,
            chat_template=chat_template,
            template_options=template_options or {},
            thinking=thinking,
            date=date,
            max_concurrent_requests=max_concurrent_requests,
            logprobs=logprobs,
        )
        check_at_least(1, max_batch_tokens=max_batch_tokens)
        check_at_least(0, prefix_cache_mb=prefix_cache_mb)
        check_device(device)
        if device == "auto":
            device = first_device()
        self.chat = load_chat(model, settings.chat, revision=revision)
        loaded = load_model(settings, device, attention)
        self.name = model_name(model, getattr(loaded.config, "_commit_hash", None))
        applied = adapter_name(adapter)
        self.format = self.chat.format(self.name, revision=revision, adapter=applied)
        """How the model reads conversations and writes replies."""
        if applied is not None:
            self.name += "+" + applied.rpartition("@")[2]
        self.context = int(getattr(loaded.config, "max_position_embeddings", 0) or 1 << 30)
        """Maximal length of a prompt with its reply, in tokens."""
        self.max_concurrent_requests = max_concurrent_requests
        self.max_batch_tokens = max_batch_tokens
        stops = self.chat.stop_tokens
        self._decoder = Decoder(loaded, stops, logprobs=logprobs, prefix_bytes=prefix_cache_mb << 20)

    @classmethod
    def check_settings(
        cls,
        model: str,
        *,
        device: str = "auto",
        attention: str | None = None,
        max_batch_tokens: int = 1,
        prefix_cache_mb: int = 0,
        **settings: Any,
    ) -> None:
        """Check the settings and the model's files without loading weights; see `registry.check_agent`.

        Raises:
            ConfigError, DataNotFoundError: See the class.
        """
        check_at_least(1, max_batch_tokens=max_batch_tokens)
        check_at_least(0, prefix_cache_mb=prefix_cache_mb)
        check_device(device)
        check_local_model(shared_settings(model, settings))

    def act(
        self,
        conversations: Sequence[Conversation],
        sampling: SamplingConfig,
        seeds: Sequence[int] | None = None,
    ) -> list[Reply]:
        """Answer each conversation; see `Agent.act`.

        A conversation that leaves no room for a reply in the model's context gets an empty reply with finish
        "length".
        """
        import torch

        from rise_agents.generation.generate import GenerationRequest

        if seeds is None:
            seeds = np.random.default_rng().integers(2**63, size=len(conversations)).tolist()
        prompts = self.chat.encode(conversations)
        continued = [split_beginning(conversation)[1] is not None for conversation in conversations]
        room = [min(sampling.max_new_tokens, self.context - len(prompt)) for prompt in prompts]
        replies = {i: Reply(text="", finish="length") for i in range(len(prompts)) if room[i] < 1}
        waiting = [i for i in range(len(prompts)) if room[i] >= 1]
        while waiting:
            lengths = [len(prompts[i]) + room[i] for i in waiting]
            rows, *_ = batches(
                lengths, max_tokens=self.max_batch_tokens, max_rows=self.max_concurrent_requests
            )
            batch = [waiting[row] for row in rows]
            requests = [GenerationRequest(tuple(prompts[i]), seeds[i], room[i]) for i in batch]
            try:
                batch_replies = self._answer(requests, sampling, [continued[i] for i in batch])
            except torch.cuda.OutOfMemoryError:
                if len(batch) == 1:
                    raise
                self._decoder.clear_prefixes()
                torch.cuda.empty_cache()
                self.max_batch_tokens = max(lengths) * (len(batch) // 2)
                continue
            replies.update(zip(batch, batch_replies, strict=True))
            waiting = [i for i in waiting if i not in replies]
        return [replies[i] for i in range(len(prompts))]

    def forget(self) -> None:
        """Empty the prefix cache."""
        self._decoder.clear_prefixes()

    def close(self) -> None:
        """Free the model and the prefix cache."""
        import torch

        self._decoder.close()
        if torch.cuda.is_available():
            torch.cuda.empty_cache()

    def logprobs_of(
        self, conversations: Sequence[Conversation], texts: Sequence[Sequence[str]]
    ) -> list[list[float]]:
        """Return the log-probability of each text; see `ScoringAgent.logprobs_of`."""
        from rise_agents.generation.scoring import ending_logprobs

        prompts, endings = scoring_tokens(self.chat, conversations, texts)
        values = iter(
            ending_logprobs(
                self._decoder.model, prompts, endings, max_batch_tokens=min(16384, self.max_batch_tokens)
            )
        )
        return [[next(values) for _ in some] for some in texts]

    def prompt_tokens(self, conversations: Sequence[Conversation]) -> list[int]:
        """See `TokenizingAgent.prompt_tokens`."""
        return [len(prompt) for prompt in self.chat.encode(conversations)]

    def tokens_before(self, reply: Reply, characters: int) -> int:
        """See `TokenizingAgent.tokens_before`."""
        return self.chat.tokens_before(reply.token_ids or (), reply.text, characters)

    def _answer(
        self, requests: Sequence["GenerationRequest"], sampling: SamplingConfig, continued: Sequence[bool]
    ) -> list[Reply]:
        began = time.perf_counter()
        results = self._decoder.run(requests, sampling)
        latency = time.perf_counter() - began
        parts = [
            self.chat.read(result.tokens, request.prompt, continued=goes_on)
            for request, result, goes_on in zip(requests, results, continued, strict=True)
        ]
        return [
            Reply(
                text=text,
                reasoning=reasoning,
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
            for request, result, (reasoning, text) in zip(requests, results, parts, strict=True)
        ]


tiny_agent = partial(TransformersAgent, EMBEDDED["tiny"])
"""Makes the agent "tiny" with the embedded model. It takes the settings of `TransformersAgent`."""
tiny_notes_agent = partial(TransformersAgent, EMBEDDED["tiny-notes"])
"""Makes the agent "tiny-notes" with the embedded model that reads notes, as "tiny" does."""

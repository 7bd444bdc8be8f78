"""An agent with vLLM inside this process: the fast local back end, with automatic prefix caching."""

import contextlib
import gc
import itertools
import time
from collections import deque
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from typing import Any, Literal

import numpy as np

from rise_agents.chat.beginnings import scoring_tokens, split_beginning
from rise_agents.chat.chat_settings import DEFAULT_DATE, Thinking
from rise_agents.chat.loading import load_chat
from rise_agents.chat.model_fingerprint import model_name
from rise_agents.generation.model_checks import check_at_least, check_local_model
from rise_agents.generation.model_loading import adapter_name
from rise_agents.generation.model_settings import (
    MAX_CONCURRENT_REQUESTS,
    Dtype,
    ModelSettings,
    shared_settings,
)
from rise_agents.generation.vllm_engine import (
    check_memory,
    check_sampler,
    engine_arguments,
    import_vllm,
    lora_request,
    start_engine,
)
from rise_agents.generation.vllm_scoring import vllm_ending_logprobs
from rise_agents.parallel.data_parallel import DataParallelAgent
from rise_agents.parallel.gpu_assignment import on_cpu, replica_environments
from rise_agents.types import OnReply, Reply, SamplingConfig, StreamRequests
from rise_env.types import Conversation, Usage
from rise_env.utils.extras import missing_library
from rise_env.utils.settings import Changeable

_ENCODE_BATCH = 32
"""Maximal number of prompts that are tokenized together, while the engine works on the ones before."""

_NumberedRequest = tuple[int, tuple[Conversation, int]]
"""A request's number with its conversation and seed."""


class VLLMAgent:
    """Answers with `vllm.LLM`. It is a `StreamingAgent`.

    To use engines on several machines, run several agents: `rise collect --workers ray:N`.

    Args:
        model: Folder, or repository id on the Hugging Face hub.
        dtype: See `ModelSettings`.
        tensor_parallel_size: Number of GPUs that share one copy of the model.
        data_parallel_size: Number of engines on this machine. Each has its own copy of the model, its own
            `tensor_parallel_size` GPUs and its own `max_concurrent_requests`.
        memory: Fraction of the GPU's memory that vLLM may use; None is 0.9. On a CPU: GiB for the attention
            cache; None is 4.
        max_length: Maximal length of a prompt with its reply, in tokens; None is the model's own.
        max_concurrent_requests: See `ModelSettings`.
        adapter: Folder of a LoRA adapter to apply; None is the model alone.
        revision: See `ModelSettings`.
        chat_template: See `ModelSettings`.
        template_options: See `ChatSettings`, as for the next two.
        thinking: See `ChatSettings`.
        date: See `ChatSettings`.
        logprobs: See `ModelSettings`.
        sampler: "rise" samples the same tokens as `TransformersAgent` for the same seeds, "vllm" uses vLLM's
            own sampler; "auto" is "rise" on a CPU and "vllm" on a GPU.
        eager: Skip compilation and CUDA graphs: vLLM starts faster and generates more slowly.
        extra: Further arguments of `vllm.LLM`.

    Raises:
        MissingDependencyError: vLLM is not installed.
        DataNotFoundError: There is no such model or adapter.
        ConfigError: A setting is wrong, or the model has no chat template.
        AgentError: vLLM's worker processes did not start.
    """

    continues = True
    """See `ContinuingAgent`."""

    def __init__(
        self,
        model: str,
        *,
        dtype: Dtype = "auto",
        tensor_parallel_size: Changeable[int] = 1,
        data_parallel_size: Changeable[int] = 1,
        memory: Changeable[float | None] = None,
        max_length: int | None = None,
        max_concurrent_requests: Changeable[int] = MAX_CONCURRENT_REQUESTS,
        adapter: str | None = None,
        revision: str | None = None,
        chat_template: str | None = None,
        template_options: Mapping[str, Any] | None = None,
        thinking: Thinking = "template",
        date: str = DEFAULT_DATE,
        logprobs: bool = True,
        sampler: Literal["auto", "rise", "vllm"] = "auto",
        eager: Changeable[bool] = False,
        extra: dict[str, Any] | None = None,
    ) -> None:
        # the settings of each replica, read before this function has other local variables
        of_replica = {k: v for k, v in locals().items() if k not in ("self", "model", "data_parallel_size")}
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
        check_sampler(sampler, extra)
        check_memory(memory)
        self._replicas: DataParallelAgent | None = None
        environments = None
        if data_parallel_size != 1:
            environments = replica_environments(data_parallel_size, tensor_parallel_size)
        self.chat = load_chat(model, settings.chat, revision=revision)
        if environments is not None:
            self._start_replicas(model, of_replica, environments)
            return
        self._own_sampler = sampler == "rise" or (sampler == "auto" and on_cpu())
        arguments = engine_arguments(
            settings,
            tensor_parallel_size=tensor_parallel_size,
            memory=memory,
            max_length=max_length,
            adapter=adapter,
            own_sampler=self._own_sampler,
            eager=eager,
        )
        self._vllm = import_vllm()
        self._lora = None if adapter is None else lora_request(adapter)
        self._llm = start_engine(self._vllm, model, arguments, extra or {})
        config = self._llm.llm_engine.model_config
        self.context = int(config.max_model_len)
        """Maximal length of a prompt with its reply, in tokens."""
        self.name = model_name(model, getattr(config.hf_config, "_commit_hash", None))
        applied = adapter_name(adapter)
        self.format = self.chat.format(self.name, revision=revision, adapter=applied)
        """How the model reads conversations and writes replies."""
        if applied is not None:
            self.name += "+" + applied.rpartition("@")[2]
        self._logprobs = logprobs
        self.max_concurrent_requests = max_concurrent_requests + max_concurrent_requests // 4
        """Limit of a stream: more than the engine processes, so that some requests wait in its queue."""
        self._request_ids = itertools.count()
        self._final_only = self._vllm.sampling_params.RequestOutputKind.FINAL_ONLY

    def _start_replicas(
        self, model: str, settings: dict[str, Any], environments: Sequence[dict[str, str]]
    ) -> None:
        attributes = ("context", "format")
        self._replicas = DataParallelAgent(f"vllm:{model}", settings, environments, attributes=attributes)
        self.name = self._replicas.name
        self.max_concurrent_requests = self._replicas.max_concurrent_requests
        self.context = self._replicas.attributes["context"]
        self.format = self._replicas.attributes["format"]

    @classmethod
    def check_settings(
        cls,
        model: str,
        *,
        tensor_parallel_size: int = 1,
        data_parallel_size: int = 1,
        sampler: str = "auto",
        memory: float | None = None,
        max_length: int | None = None,
        eager: bool = False,
        extra: dict[str, Any] | None = None,
        **settings: Any,
    ) -> None:
        """Check the settings and the model's files without starting vLLM; see `registry.check_agent`.

        Raises:
            ConfigError, DataNotFoundError, MissingDependencyError: See the class.
        """
        check_at_least(1, tensor_parallel_size=tensor_parallel_size, data_parallel_size=data_parallel_size)
        check_at_least(1, max_length=1 if max_length is None else max_length)
        check_sampler(sampler, extra)
        check_memory(memory)
        if find_spec("vllm") is None:
            raise missing_library("vllm", f"agent 'vllm:{model}'")
        if data_parallel_size * tensor_parallel_size > 1:
            replica_environments(data_parallel_size, tensor_parallel_size)
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
        if self._replicas is not None:
            return self._replicas.act(conversations, sampling, seeds)
        if seeds is None:
            seeds = np.random.default_rng().integers(2**63, size=len(conversations)).tolist()
        prompts = self.chat.encode(conversations)
        room = [min(sampling.max_new_tokens, self.context - len(prompt)) for prompt in prompts]
        fitting = [i for i in range(len(prompts)) if room[i] >= 1]
        began = time.perf_counter()
        outputs = (
            self._llm.generate(
                [{"prompt_token_ids": prompts[i]} for i in fitting],
                [self._params(sampling, seeds[i], room[i]) for i in fitting],
                lora_request=self._lora,
                use_tqdm=False,
            )
            if fitting
            else []
        )
        latency = time.perf_counter() - began
        replies = {
            i: self._reply(output, latency, continued=split_beginning(conversations[i])[1] is not None)
            for i, output in zip(fitting, outputs, strict=True)
        }
        return [replies.get(i, Reply(text="", finish="length")) for i in range(len(prompts))]

    def logprobs_of(
        self, conversations: Sequence[Conversation], texts: Sequence[Sequence[str]]
    ) -> list[list[float]]:
        """Return the log-probability of each text; see `ScoringAgent.logprobs_of`."""
        if self._replicas is not None:
            return self._replicas.logprobs_of(conversations, texts)
        tokens = scoring_tokens(self.chat, conversations, texts)
        values = iter(vllm_ending_logprobs(self._vllm, self._llm, self._lora, *tokens))
        return [[next(values) for _ in some] for some in texts]

    def prompt_tokens(self, conversations: Sequence[Conversation]) -> list[int]:
        """See `TokenizingAgent.prompt_tokens`."""
        return [len(prompt) for prompt in self.chat.encode(conversations)]

    def tokens_before(self, reply: Reply, characters: int) -> int:
        """See `TokenizingAgent.tokens_before`."""
        return self.chat.tokens_before(reply.token_ids or (), reply.text, characters)

    def stream(self, requests: StreamRequests, sampling: SamplingConfig, on_reply: OnReply) -> None:
        """Answer requests and the requests that `on_reply` adds; see `StreamingAgent.stream`.

        The engine gets only a few more requests than it can process at a time; the others wait here. Added
        requests go before initial ones, because their prefixes are still cached. When fewer initial requests
        are left than the engine can hold, these go first: otherwise their episodes would start last and run
        alone at the end, in almost empty batches.
        """
        if self._replicas is not None:
            self._replicas.stream(requests, sampling, on_reply)
            return
        engine = self._llm.llm_engine
        initial = deque(requests.items())
        added: deque[_NumberedRequest] = deque()
        running: dict[str, tuple[int, float, bool]] = {}
        try:
            while initial or added or running:
                done: list[tuple[int, Reply]] = []
                while (initial or added) and len(running) < self.max_concurrent_requests:
                    few_left = initial and len(initial) < self.max_concurrent_requests
                    queue = initial if few_left or not added else added
                    count = min(len(queue), self.max_concurrent_requests - len(running), _ENCODE_BATCH)
                    done += self._add_requests([queue.popleft() for _ in range(count)], sampling, running)
                if running:
                    for output in engine.step():
                        if output.finished:
                            number, began, continued = running.pop(output.request_id)
                            latency = time.perf_counter() - began
                            done.append((number, self._reply(output, latency, continued=continued)))
                for number, reply in done:
                    added += on_reply(number, reply).items()
        finally:
            if running:  # an exception ended the loop
                engine.abort_request(list(running))

    def _add_requests(
        self,
        requests: Sequence[_NumberedRequest],
        sampling: SamplingConfig,
        running: dict[str, tuple[int, float, bool]],
    ) -> list[tuple[int, Reply]]:
        """Add requests to the engine; return empty replies to those that leave no room for a reply.

        Args:
            requests: Number, conversation and seed of each request.
            sampling: How to sample the replies.
            running: Request id of the engine -> (number, start time in seconds, whether the conversation
                ends with the beginning of the reply). The added requests are entered.
        """
        full = []
        prompts = self.chat.encode([conversation for _, (conversation, _) in requests])
        for (number, (conversation, seed)), prompt in zip(requests, prompts, strict=True):
            room = min(sampling.max_new_tokens, self.context - len(prompt))
            if room < 1:
                full.append((number, Reply(text="", finish="length")))
                continue
            request_id = str(next(self._request_ids))
            params = self._params(sampling, seed, room)
            params.output_kind = self._final_only
            self._llm.llm_engine.add_request(
                request_id, {"prompt_token_ids": prompt}, params, lora_request=self._lora
            )
            continued = split_beginning(conversation)[1] is not None
            running[request_id] = (number, time.perf_counter(), continued)
        return full

    def forget(self) -> None:
        """Empty the prefix cache; with several engines, it has no effect."""
        if self._replicas is None:
            self._llm.reset_prefix_cache()

    def close(self) -> None:
        """Stop the engine's processes and free the device. Calling it twice is harmless."""
        if self._replicas is not None:
            self._replicas.close()
            return
        llm, self._llm = self._llm, None
        if llm is None:
            return
        llm.llm_engine.engine_core.shutdown()
        del llm
        gc.collect()
        with contextlib.suppress(ImportError):
            import torch

            if torch.cuda.is_available():
                torch.cuda.empty_cache()

    def _params(self, sampling: SamplingConfig, seed: int, room: int) -> Any:
        settings: dict[str, Any] = {
            "max_tokens": room,
            "stop_token_ids": list(self.chat.stop_tokens),
            "ignore_eos": True,  # it is one of the stop tokens, which stay in the reply's token ids
            "detokenize": False,
            "logprobs": 0 if self._logprobs else None,
        }
        if sampling.temperature == 0:
            return self._vllm.SamplingParams(temperature=0.0, **settings)
        if not self._own_sampler:
            return self._vllm.SamplingParams(
                temperature=sampling.temperature, top_p=sampling.top_p, seed=seed, **settings
            )
        extra = {
            "rise_seed": seed,
            "rise_temperature": sampling.temperature,
            "rise_top_p": sampling.top_p,
        }
        return self._vllm.SamplingParams(temperature=0.0, extra_args=extra, **settings)

    def _reply(self, output: Any, latency: float, *, continued: bool) -> Reply:
        completion = output.outputs[0]
        tokens = tuple(completion.token_ids)
        stopped = bool(tokens) and tokens[-1] in self.chat.stop_tokens
        reasoning, text = self.chat.read(tokens, output.prompt_token_ids, continued=continued)
        values = None
        if self._logprobs:
            by_token = zip(completion.logprobs, tokens, strict=True)
            values = tuple(float(candidates[token].logprob) for candidates, token in by_token)
        return Reply(
            text=text,
            reasoning=reasoning,
            finish="stop" if stopped else "length",
            token_ids=tokens,
            logprobs=values,
            usage=Usage(
                prompt_tokens=len(output.prompt_token_ids),
                completion_tokens=len(tokens),
                cached_tokens=output.num_cached_tokens or 0,
            ),
            latency=latency,
        )

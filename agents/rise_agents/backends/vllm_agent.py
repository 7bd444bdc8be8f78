"""Plays with vLLM inside this process: the fast back end, with a prefix cache over turns and draws."""

import contextlib
import gc
import itertools
import os
import time
from collections import deque
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np

from rise_agents.generation.chat_template import encode, load_tokenizer, stop_tokens
from rise_agents.generation.model_fingerprint import fingerprint, model_name
from rise_agents.parallel.data_parallel import DataParallelAgent
from rise_agents.parallel.gpu_assignment import devices, on_cpu
from rise_agents.types import OnReply, Reply, Requests, SamplingConfig
from rise_env.errors import AgentError, ConfigError, DataNotFoundError, MissingDependencyError
from rise_env.types import Conversation, Usage

_PROCESSOR = "rise_agents.generation.vllm_logits_processor:SeededNoise"

_AT_ONCE = 32
"""Prompts that are written out together: the engine begins with them while the next ones are written."""


class VLLMAgent:
    """Answers with `vllm.LLM`.

    To use engines on several machines, run several agents: `rise collect --workers ray:N`.

    Args:
        model: Folder or hub id.
        dtype: "auto" is the model's own on a GPU; float32 on a CPU.
        tensor_parallel_size: GPUs that share one model.
        data_parallel_size: Engines with a copy of the model each, which share the work; every one takes
            `tensor_parallel_size` GPUs of this machine and answers `max_concurrent_requests` at a time.
        memory: Share of the GPU's memory that vLLM may take; on a CPU, GiB for the attention cache.
        max_length: Longest prompt with its reply; None is the model's own.
        max_concurrent_requests: Requests in flight.
        adapter: Folder of a LoRA adapter to play with.
        revision: Of the hub repository.
        chat_template: File of a Jinja template, for a model that brings none.
        logprobs: Whether replies carry the log-probabilities of their tokens.
        sampler: Who draws: "rise" draws the same tokens as `TransformersAgent`, "vllm" uses vLLM's own
            seeds; "auto" is "rise" on a CPU, "vllm" on a GPU.
        eager: Skip compilation and CUDA graphs: starts sooner, runs slower.
        extra: Further arguments of `vllm.LLM`.

    Raises:
        MissingDependencyError: vLLM is not installed.
        DataNotFoundError: There is no such model or adapter.
        ConfigError: A setting is wrong, or the model has no chat template.
        AgentError: vLLM's processes did not start.
    """

    def __init__(
        self,
        model: str,
        *,
        dtype: Literal["auto", "float32", "bfloat16", "float16"] = "auto",
        tensor_parallel_size: int = 1,
        data_parallel_size: int = 1,
        memory: float | None = None,
        max_length: int | None = None,
        max_concurrent_requests: int = 256,
        adapter: str | None = None,
        revision: str | None = None,
        chat_template: str | None = None,
        logprobs: bool = False,
        sampler: Literal["auto", "rise", "vllm"] = "auto",
        eager: bool = False,
        extra: dict[str, Any] | None = None,
    ) -> None:
        given = {k: v for k, v in locals().items() if k not in ("self", "model", "data_parallel_size")}
        if sampler not in ("auto", "rise", "vllm"):
            raise ConfigError(f"sampler must be auto, rise or vllm, got {sampler!r}")
        if "data_parallel_size" in (extra or {}):
            raise ConfigError("data_parallel_size is a setting of its own: take it out of `extra`")
        self._replicas: DataParallelAgent | None = None
        if data_parallel_size != 1:
            shares = devices(data_parallel_size, tensor_parallel_size)
            self._replicas = DataParallelAgent(f"vllm:{model}", given, shares, known=("context", "stops"))
            self.name = self._replicas.name
            self.max_concurrent_requests = self._replicas.max_concurrent_requests
            self.context = self._replicas.attributes["context"]
            self.stops = self._replicas.attributes["stops"]
            return
        self.tokenizer = load_tokenizer(model, revision=revision, chat_template=chat_template)
        cpu = on_cpu()
        if cpu:
            os.environ.setdefault("VLLM_CPU_KVCACHE_SPACE", f"{memory or 4:g}")  # vLLM has no argument for it
        os.environ.setdefault("VLLM_LOGGING_LEVEL", "ERROR")  # on stdout, and with tracebacks of no harm
        try:
            import vllm
        except ModuleNotFoundError as error:
            raise MissingDependencyError(
                f"{error.name} is not installed: pip install 'rise-env[vllm]'"
            ) from error
        self._vllm = vllm
        self._ours = sampler == "rise" or (sampler == "auto" and cpu)
        settings: dict[str, Any] = {
            "dtype": "float32" if dtype == "auto" and cpu else dtype,
            "tensor_parallel_size": tensor_parallel_size,
            "max_model_len": max_length,
            "max_num_seqs": max_concurrent_requests,
            "revision": revision,
            "enforce_eager": eager,
            "enable_prefix_caching": True,
            "skip_tokenizer_init": True,
            "disable_log_stats": True,
            "seed": 0,
        }
        if cpu:
            settings["block_size"] = 32  # the least it takes; 128 would keep little of short turns
        else:
            settings["gpu_memory_utilization"] = memory or 0.9
        if self._ours:
            settings["logits_processors"] = [_PROCESSOR]
        self._lora = None if adapter is None else _adapter(adapter, settings)
        try:
            self._llm = vllm.LLM(model, **settings, **(extra or {}))
        except (OSError, ValueError) as error:
            reason = str(error).strip().split("\n")[0]
            raise DataNotFoundError(f"vLLM cannot load {model!r}: {reason}") from error
        except RuntimeError as error:  # of a worker process; its own log says more
            raise AgentError(
                f"vLLM did not start with {model!r}: {error} (a script needs `if __name__ == '__main__':` "
                "around its work; VLLM_LOGGING_LEVEL=INFO says more)"
            ) from error
        config = self._llm.llm_engine.model_config
        self.context = int(config.max_model_len)
        """Longest prompt with its reply, in tokens."""
        self.stops = _stops(self.tokenizer, model, revision)
        self.name = model_name(model, getattr(config.hf_config, "_commit_hash", None))
        if adapter is not None:
            self.name += f"+{fingerprint(Path(adapter))}"
        self._logprobs = logprobs
        self.max_concurrent_requests = max_concurrent_requests + max_concurrent_requests // 4
        """Streamed requests; a few wait in the engine, so that it is never short of work."""
        self._numbers = itertools.count()
        """Of streamed requests."""
        self._final_only = vllm.sampling_params.RequestOutputKind.FINAL_ONLY

    def act(
        self,
        conversations: Sequence[Conversation],
        sampling: SamplingConfig,
        seeds: Sequence[int] | None = None,
    ) -> list[Reply]:
        """Answer each conversation; see `Agent.act`. One without room for a reply gets an empty, cut one."""
        if self._replicas is not None:
            return self._replicas.act(conversations, sampling, seeds)
        if seeds is None:
            seeds = np.random.default_rng().integers(2**63, size=len(conversations)).tolist()
        prompts = encode(self.tokenizer, conversations)
        room = [min(sampling.max_new_tokens, self.context - len(prompt)) for prompt in prompts]
        asked = [i for i in range(len(prompts)) if room[i] >= 1]
        began = time.perf_counter()
        outputs = (
            self._llm.generate(
                [{"prompt_token_ids": prompts[i]} for i in asked],
                [self._params(sampling, seeds[i], room[i]) for i in asked],
                lora_request=self._lora,
                use_tqdm=False,
            )
            if asked
            else []
        )
        latency = time.perf_counter() - began
        replies = {i: self._reply(output, latency) for i, output in zip(asked, outputs, strict=True)}
        return [replies.get(i, Reply(text="", finish="length")) for i in range(len(prompts))]

    def stream(
        self,
        requests: Requests,
        sampling: SamplingConfig,
        on_reply: OnReply,
    ) -> None:
        """Answer conversations and what follows from the answers; see `StreamingAgent.stream`.

        The engine is given little more than it can work on. What follows from an answer overtakes what is yet
        to begin, while the engine still holds its beginning; but the last to begin do so early, so that
        they are not played alone at the end.
        """
        if self._replicas is not None:
            self._replicas.stream(requests, sampling, on_reply)
            return
        engine = self._llm.llm_engine
        fresh = deque(requests.items())
        following: deque[tuple[int, tuple[Conversation, int]]] = deque()
        flying: dict[str, tuple[int, float]] = {}
        try:
            while fresh or following or flying:
                done: list[tuple[int, Reply]] = []
                while (fresh or following) and len(flying) < self.max_concurrent_requests:
                    last = fresh and len(fresh) < self.max_concurrent_requests
                    queue = fresh if last or not following else following
                    some = min(len(queue), self.max_concurrent_requests - len(flying), _AT_ONCE)
                    done += self._begin([queue.popleft() for _ in range(some)], sampling, flying)
                if flying:
                    for output in engine.step():
                        if output.finished:
                            key, began = flying.pop(output.request_id)
                            done.append((key, self._reply(output, time.perf_counter() - began)))
                for key, reply in done:
                    following += on_reply(key, reply).items()
        finally:
            if flying:  # something was raised
                engine.abort_request(list(flying))

    def _begin(
        self,
        requests: Sequence[tuple[int, tuple[Conversation, int]]],
        sampling: SamplingConfig,
        flying: dict[str, tuple[int, float]],
    ) -> list[tuple[int, Reply]]:
        """Hand requests to the engine; return the replies to those without room for one."""
        full = []
        prompts = encode(self.tokenizer, [conversation for _, (conversation, _) in requests])
        for (key, (_, seed)), prompt in zip(requests, prompts, strict=True):
            room = min(sampling.max_new_tokens, self.context - len(prompt))
            if room < 1:
                full.append((key, Reply(text="", finish="length")))
                continue
            name = str(next(self._numbers))
            params = self._params(sampling, seed, room)
            params.output_kind = self._final_only
            self._llm.llm_engine.add_request(
                name, {"prompt_token_ids": prompt}, params, lora_request=self._lora
            )
            flying[name] = (key, time.perf_counter())
        return full

    def close(self) -> None:
        """Stop the engine's processes and free the device."""
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
            "stop_token_ids": list(self.stops),
            "ignore_eos": True,  # the stop tokens hold it; whichever comes stays in the reply's tokens
            "detokenize": False,
            "logprobs": 0 if self._logprobs else None,
        }
        if sampling.temperature == 0:
            return self._vllm.SamplingParams(temperature=0.0, **settings)
        if not self._ours:
            return self._vllm.SamplingParams(
                temperature=sampling.temperature, top_p=sampling.top_p, seed=seed, **settings
            )
        extra = {
            "rise_seed": seed,
            "rise_temperature": sampling.temperature,
            "rise_top_p": sampling.top_p,
        }
        return self._vllm.SamplingParams(temperature=0.0, extra_args=extra, **settings)

    def _reply(self, output: Any, latency: float) -> Reply:
        made = output.outputs[0]
        tokens = tuple(made.token_ids)
        stopped = bool(tokens) and tokens[-1] in self.stops
        values = None
        if self._logprobs:
            values = tuple(float(at[token].logprob) for at, token in zip(made.logprobs, tokens, strict=True))
        return Reply(
            text=self.tokenizer.decode(tokens[: -1 if stopped else None], skip_special_tokens=True),
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


def _stops(tokenizer: Any, model: str, revision: str | None) -> tuple[int, ...]:
    from transformers import GenerationConfig

    try:
        config = GenerationConfig.from_pretrained(model, revision=revision)
    except OSError:  # a model without one: the tokenizer knows
        config = GenerationConfig()
    return stop_tokens(tokenizer, config)


def _adapter(adapter: str, settings: dict[str, Any]) -> Any:
    import json

    from vllm.lora.request import LoRARequest

    config = Path(adapter) / "adapter_config.json"
    if not config.is_file():
        raise DataNotFoundError(f"there is no LoRA adapter in {adapter}: no {config}")
    rank = int(json.loads(config.read_text()).get("r", 8))
    settings |= {"enable_lora": True, "max_lora_rank": max(8, 1 << (rank - 1).bit_length())}
    return LoRARequest("adapter", 1, str(Path(adapter).resolve()))

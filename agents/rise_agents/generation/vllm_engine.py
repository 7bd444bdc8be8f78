"""Starts vLLM for `VLLMAgent`: makes its arguments, reads its LoRA adapter and converts its errors."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rise_agents.chat.loading import adapter_config
from rise_agents.generation.dtype_choice import cpu_dtype
from rise_agents.generation.model_settings import ModelSettings
from rise_agents.parallel.gpu_assignment import on_cpu
from rise_env.errors import AgentError, ConfigError, DataNotFoundError
from rise_env.utils.extras import missing_library

_PROCESSOR = "rise_agents.generation.vllm_logits_processor:SeededNoise"

_CPU_BLOCK_SIZE = 32
"""Tokens per block of the prefix cache on a CPU: the smallest number that vLLM accepts there. Only whole
blocks are cached, so vLLM's default of 128 would cache only a small part of short turns."""


def import_vllm() -> Any:
    """Import vLLM.

    Raises:
        MissingDependencyError: It is not installed.
    """
    os.environ.setdefault("VLLM_LOGGING_LEVEL", "ERROR")  # vLLM logs to stdout, which the commands use
    try:
        import vllm
    except ModuleNotFoundError as error:
        raise missing_library(error.name or "vllm") from error
    return vllm


def engine_arguments(
    settings: ModelSettings,
    *,
    tensor_parallel_size: int,
    memory: float | None,
    max_length: int | None,
    adapter: str | None,
    own_sampler: bool,
    eager: bool,
) -> dict[str, Any]:
    """Return the arguments of `vllm.LLM` besides the model.

    Args:
        settings: Settings of the model.
        tensor_parallel_size: See `VLLMAgent`.
        memory: See `VLLMAgent`. On a CPU it becomes an environment variable, so call this before vLLM is
            imported.
        max_length: See `VLLMAgent`.
        adapter: See `VLLMAgent`.
        own_sampler: Whether RISE's logits processor samples instead of vLLM.
        eager: See `VLLMAgent`.

    Raises:
        DataNotFoundError: The configuration of the model cannot be read.
    """
    cpu = on_cpu()
    arguments: dict[str, Any] = {
        "dtype": _dtype(settings) if cpu else settings.dtype,
        "tensor_parallel_size": tensor_parallel_size,
        "max_model_len": max_length,
        "max_num_seqs": settings.max_concurrent_requests,
        "revision": settings.revision,
        "enforce_eager": eager,
        "enable_prefix_caching": True,
        "skip_tokenizer_init": True,
        "disable_log_stats": True,
        "seed": 0,
    }
    if cpu:
        os.environ.setdefault("VLLM_CPU_KVCACHE_SPACE", f"{memory or 4:g}")
        arguments["block_size"] = _CPU_BLOCK_SIZE
    else:
        arguments["gpu_memory_utilization"] = memory or 0.9
    if own_sampler:
        arguments["logits_processors"] = [_PROCESSOR]
    if adapter is not None:
        arguments |= {"enable_lora": True, "max_lora_rank": _max_lora_rank(adapter)}
    return arguments


def _dtype(settings: ModelSettings) -> str:
    try:
        return cpu_dtype(settings)
    except (OSError, ValueError) as error:
        reason = str(error).strip().split("\n")[0]
        raise DataNotFoundError(f"vLLM cannot load {settings.model!r}: {reason}") from error


def start_engine(vllm: Any, model: str, arguments: dict[str, Any], extra: dict[str, Any]) -> Any:
    """Return `vllm.LLM(model, **arguments, **extra)`.

    Raises:
        DataNotFoundError: vLLM cannot load the model.
        AgentError: A worker process of vLLM failed.
    """
    try:
        return vllm.LLM(model, **arguments, **extra)
    except (OSError, ValueError) as error:
        reason = str(error).strip().split("\n")[0]
        raise DataNotFoundError(f"vLLM cannot load {model!r}: {reason}") from error
    except RuntimeError as error:  # only the log of the worker process has the reason
        raise AgentError(
            f"vLLM did not start with {model!r}: {error} (a script needs `if __name__ == '__main__':` "
            "around its work; VLLM_LOGGING_LEVEL=INFO shows the reason)"
        ) from error


def check_sampler(sampler: str, extra: Mapping[str, Any] | None) -> None:
    """Raise ConfigError for an unknown sampler, or further arguments that are settings of the agent."""
    if sampler not in ("auto", "rise", "vllm"):
        raise ConfigError(f"sampler must be auto, rise or vllm, got {sampler!r}")
    if "data_parallel_size" in (extra or {}):
        raise ConfigError("extra must not hold data_parallel_size: it is a setting of this agent")


def check_memory(memory: float | None) -> None:
    """Raise ConfigError unless the setting `memory` is positive, and on a GPU a fraction."""
    if memory is None:
        return
    if not memory > 0:
        raise ConfigError(f"memory must be above 0, got {memory}")
    if memory > 1 and not on_cpu():
        raise ConfigError(f"memory is the fraction of the GPU's memory that vLLM may use, got {memory}")


def lora_request(adapter: str) -> Any:
    """Return the argument `lora_request` of vLLM's requests.

    Raises:
        DataNotFoundError: The folder holds no adapter.
    """
    from vllm.lora.request import LoRARequest

    adapter_config(adapter)
    return LoRARequest("adapter", 1, str(Path(adapter).resolve()))


def _max_lora_rank(adapter: str) -> int:
    """Return the adapter's rank rounded up to a value that vLLM accepts: a power of two from 8."""
    rank = int(adapter_config(adapter).get("r", 8))
    return max(8, 1 << (rank - 1).bit_length())

"""Where vLLM runs: on a CPU or on GPUs, and which of them each of several engines gets."""

import os

from rise_env.errors import ConfigError


def on_cpu() -> bool:
    """Whether there is no GPU."""
    import torch

    return not torch.cuda.is_available()


def devices(engines: int, per_engine: int) -> list[dict[str, str]]:
    """Return the environment of each engine's process: which devices it sees.

    Raises:
        ConfigError: There are fewer GPUs.
    """
    if engines < 1:
        raise ConfigError(f"data_parallel_size must be at least 1, got {engines}")
    if on_cpu():
        # vLLM binds its threads to cores: engines would all choose the same ones
        return [{"VLLM_CPU_OMP_THREADS_BIND": "nobind"}] * engines
    import torch

    named = os.environ.get("CUDA_VISIBLE_DEVICES")
    known = named.split(",") if named else [str(i) for i in range(torch.cuda.device_count())]
    if engines * per_engine > len(known):
        raise ConfigError(
            f"data_parallel_size {engines} with tensor_parallel_size {per_engine} needs "
            f"{engines * per_engine} GPUs, there are {len(known)}"
        )
    groups = [known[i * per_engine : (i + 1) * per_engine] for i in range(engines)]
    return [{"CUDA_VISIBLE_DEVICES": ",".join(group)} for group in groups]

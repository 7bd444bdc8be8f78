"""Assigns the GPUs of this machine to the replicas of a model."""

import os

from rise_env.errors import ConfigError


def on_cpu() -> bool:
    """Return whether there is no GPU, so that models run on the CPU."""
    import torch

    return not torch.cuda.is_available()


def replica_environments(replicas: int, gpus_per_replica: int) -> list[dict[str, str]]:
    """Return the environment variables of each replica's process, which select its GPUs.

    Args:
        replicas: Number of replicas.
        gpus_per_replica: Number of GPUs that one replica uses.

    Returns:
        One mapping per replica. The GPUs are taken in order from CUDA_VISIBLE_DEVICES, or from all GPUs of
        the machine if it is unset. Without a GPU, a setting of vLLM for CPUs is returned instead.

    Raises:
        ConfigError: `replicas` is below 1, or there are too few GPUs.
    """
    if replicas < 1:
        raise ConfigError(f"data_parallel_size must be at least 1, got {replicas}")
    if on_cpu():
        # by default vLLM pins its threads to cores, and all replicas would choose the same cores
        return [{"VLLM_CPU_OMP_THREADS_BIND": "nobind"}] * replicas
    import torch

    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    gpus = visible.split(",") if visible else [str(i) for i in range(torch.cuda.device_count())]
    if replicas * gpus_per_replica > len(gpus):
        raise ConfigError(
            f"data_parallel_size {replicas} with tensor_parallel_size {gpus_per_replica} needs "
            f"{replicas * gpus_per_replica} GPUs, there are {len(gpus)}: lower one of the two"
        )
    groups = [gpus[i * gpus_per_replica : (i + 1) * gpus_per_replica] for i in range(replicas)]
    return [{"CUDA_VISIBLE_DEVICES": ",".join(group)} for group in groups]

"""Assigns the GPUs of this machine to the replicas of a model."""

import logging
import os

from rise_agents.engines.visible_devices import VARIABLE, devices_of_one_process, visible_devices
from rise_env.errors import ConfigError

_log = logging.getLogger(__name__)


def on_cpu() -> bool:
    """Return whether there is no GPU, so that models run on the CPU."""
    import torch

    return not torch.cuda.is_available()


def first_device() -> str:
    """Return "cuda", which is the first visible GPU, or "cpu"; log how many GPUs are left unused."""
    import torch

    if on_cpu():
        return "cpu"
    gpus = torch.cuda.device_count()
    if gpus > 1:
        _log.warning(
            "the agent plays on the first of %d visible GPUs; with the setting workers ray:%d, %d copies of "
            "it play on all of them (set device to cuda:0 to play on one without this message)",
            *(gpus, gpus, gpus),
        )
    return "cuda"


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

    named = visible_devices(os.environ)
    gpus = [str(i) for i in range(torch.cuda.device_count())] if named is None else named
    if replicas * gpus_per_replica > len(gpus):
        raise ConfigError(
            f"data_parallel_size {replicas} with tensor_parallel_size {gpus_per_replica} needs "
            f"{replicas * gpus_per_replica} GPUs, there are {len(gpus)}: lower one of the two"
        )
    groups = [gpus[i * gpus_per_replica : (i + 1) * gpus_per_replica] for i in range(replicas)]
    if len(devices_of_one_process(groups[0])) < gpus_per_replica:
        raise ConfigError(
            f"tensor_parallel_size is {gpus_per_replica}, but a process can use only one MIG device "
            f"({VARIABLE} is {os.environ[VARIABLE]}): set tensor_parallel_size to 1"
        )
    return [{VARIABLE: ",".join(group)} for group in groups]

"""All checks of a fit that need neither its data nor the weights of its model. Nothing is written."""

import contextlib
import sys
from collections.abc import Sequence
from typing import Any

from rise_env.trajectories.output_folder import check_output_folder
from rise_trainers.checks.deepspeed_file import effective
from rise_trainers.checks.fit_machine import check_devices, check_libraries
from rise_trainers.checks.resources import check_disk, check_memory, fit_disk_bytes, machine_memory
from rise_trainers.fitting.config import FitConfig
from rise_trainers.fitting.paths import model_path, partial_folder
from rise_trainers.loop.memory import adapter_parameters, count_parameters, estimate_memory


def check_before_fit(config: FitConfig) -> list[str]:
    """Check the output folder, libraries, devices and the model's small files; return notes for the log.

    Raises:
        ConfigError: A setting is wrong for this model or this machine.
        DataNotFoundError: A file of the model is missing.
        MissingDependencyError: A library is missing.
    """
    check_output_folder(config.output, setting="output")
    check_libraries(config)
    gpus = check_devices(config) if config.hostfile is None else []
    from rise_trainers.checks.model_files import check_model_files, load_model_config

    notes = check_model_files(config)
    if config.hostfile is not None:  # the command may start on a machine without GPUs, and with another disk
        return notes
    model_config = load_model_config(model_path(config.model), config.revision)
    return notes + check_resources(config, model_config, gpus)


def check_resources(config: FitConfig, model_config: Any, gpus: Sequence[int]) -> list[str]:
    """Compare the memory and the disk that a fit needs with those of this machine, and return notes.

    Args:
        config: The settings of the fit.
        model_config: The transformers configuration of its model.
        gpus: Memory of each GPU in bytes; empty where the fit trains on the CPU.

    Raises:
        ConfigError: There is too little of one of them.
    """
    fit = effective(config)
    parameters, _ = count_parameters(model_config)
    trained = parameters if fit.lora is None else adapter_parameters(fit, model_config.get_text_config())
    check_disk(fit_disk_bytes(fit, parameters, trained, steps=1), partial_folder(config.output))
    with contextlib.redirect_stdout(sys.stderr):  # DeepSpeed prints while it is imported
        needed = estimate_memory(fit, model_config)
    return check_memory(fit, needed, gpus, machine_memory())

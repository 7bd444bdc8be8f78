"""All checks of a fit that need neither its data nor the weights of its model. Nothing is written."""

from rise_env.trajectories.output_folder import check_output_folder
from rise_trainers.checks.fit_machine import check_devices, check_libraries
from rise_trainers.fitting.config import FitConfig


def check_before_fit(config: FitConfig) -> list[str]:
    """Check the output folder, libraries, devices and the model's small files; return notes for the log.

    Raises:
        ConfigError: A setting is wrong for this model or this machine.
        DataNotFoundError: A file of the model is missing.
        MissingDependencyError: A library is missing.
    """
    check_output_folder(config.output, setting="output")
    check_libraries(config)
    if config.hostfile is None:  # the command may start on a machine without GPUs
        check_devices(config)
    from rise_trainers.checks.model_files import check_model_files

    return check_model_files(config)

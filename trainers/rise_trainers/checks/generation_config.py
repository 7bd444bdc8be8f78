"""Mends the generation config of a model that transformers would load but refuse to save."""

import copy
from typing import Any

from rise_env.errors import ConfigError


def mend_generation_config(config: Any) -> list[str]:
    """Make a generation config valid, in place, and return sentences for the log.

    Models such as Vicuna and the first versions of Llama 2 have a temperature without `do_sample`. It is set
    to true: the file describes sampling.

    Args:
        config: The `transformers.GenerationConfig` of a model, or None.

    Raises:
        ConfigError: The config is invalid in another way.
    """
    if config is None or _fault(config) is None:
        return []
    mended = copy.deepcopy(config)
    mended.do_sample = True
    fault = _fault(mended)
    if fault is not None:
        raise ConfigError(
            f"the generation_config.json of the model is invalid: {fault}. The fitted model could not be "
            "saved. Correct this file in the model's folder"
        )
    config.do_sample = True
    return [
        "the generation_config.json of the model has settings of sampling: do_sample is set to true in it"
    ]


def _fault(config: Any) -> str | None:
    """Return what transformers finds wrong, or None."""
    try:
        config.validate(strict=True)
    except ValueError as error:
        lines = [line.strip(" -") for line in str(error).splitlines()]
        return next((line for line in lines if line.startswith("`")), lines[0]).rstrip(".")
    return None

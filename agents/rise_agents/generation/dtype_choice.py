"""Chooses the number format of a model's weights on a CPU, for the setting `dtype="auto"`.

Processors with AVX512-BF16 or AMX multiply matrices in bfloat16 about twice as fast as in float32, and the
weights take half the memory. Small models do not gain: their matrices are too small. docs/agents.md has
measurements.
"""

import logging
from typing import Any

from rise_agents.generation.model_settings import ModelSettings

_log = logging.getLogger(__name__)

MIN_PARAMETERS = 30_000_000
"""Number of parameters from which a model is faster in bfloat16."""

FAST_BFLOAT16 = ("amx_bf16", "avx512_bf16")
"""Names that `torch.cpu.get_capabilities` has for instructions that multiply in bfloat16."""


def cpu_dtype(settings: ModelSettings) -> str:
    """Return the format of the weights on a CPU, and log why `dtype="auto"` chose it.

    Args:
        settings: Settings of the model. Its configuration is read, but not its weights.

    Raises:
        OSError: The model has no configuration.
        ValueError: transformers does not know the model.
    """
    if settings.dtype != "auto":
        return settings.dtype
    instructions = fast_instructions()
    if not instructions:
        _log.info("dtype auto: float32, because the processor has no %s", " or ".join(FAST_BFLOAT16))
        return "float32"
    parameters = count_parameters(settings)
    dtype = choose(parameters, instructions)
    _log.log(
        # another format than the reference changes replies a little: say so without being asked
        logging.INFO if dtype == "float32" else logging.WARNING,
        "dtype auto: %s for %s, because it has %.0f million parameters (bfloat16 from %.0f million on) and "
        "the processor has %s; set dtype to choose yourself",
        *(dtype, settings.model, parameters / 1e6, MIN_PARAMETERS / 1e6, " and ".join(instructions)),
    )
    return dtype


def choose(parameters: int, instructions: list[str]) -> str:
    """Return "bfloat16" for a large model on a processor that multiplies in bfloat16, else "float32"."""
    return "bfloat16" if instructions and parameters >= MIN_PARAMETERS else "float32"


def fast_instructions() -> list[str]:
    """Return those of `FAST_BFLOAT16` that the processor has; none if this version of torch cannot tell."""
    import torch

    capabilities: dict[str, Any] = getattr(torch.cpu, "get_capabilities", dict)()
    return [name for name in FAST_BFLOAT16 if capabilities.get(name)]


def count_parameters(settings: ModelSettings) -> int:
    """Return the number of parameters of a model, without loading its weights."""
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    config = AutoConfig.from_pretrained(settings.model, revision=settings.revision)
    with torch.device("meta"):
        model = AutoModelForCausalLM.from_config(config)
    return sum(parameter.numel() for parameter in model.parameters())

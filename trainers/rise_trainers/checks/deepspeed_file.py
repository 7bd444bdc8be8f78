"""Checks and completes a DeepSpeed configuration of the user's own, before anything is loaded.

The file decides the ZeRO stage and the offloading. What it leaves out and a fit needs is added. Where it
contradicts the settings of the fit, a fit would train with other numbers than it says, or save no weights.
"""

import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from rise_env.errors import ConfigError, DataNotFoundError
from rise_trainers.fitting.config import FitConfig

_AUTO = "auto"
_ADDED: dict[str, Any] = {
    "bf16": {"enabled": _AUTO},
    "gradient_clipping": _AUTO,
    "gradient_accumulation_steps": _AUTO,
    "train_micro_batch_size_per_gpu": _AUTO,
    "train_batch_size": _AUTO,
    "zero_allow_untested_optimizer": True,
    "steps_per_print": 2**31 - 1,
}
"""What a file need not say. "auto" takes the value of the fit's setting."""
_CPU_OPTIMIZER = {
    "type": "AdamW",
    "params": {"lr": _AUTO, "betas": _AUTO, "eps": _AUTO, "weight_decay": _AUTO},
}
"""Optimizer states in CPU memory need an optimizer of DeepSpeed."""
_DTYPES: dict[str, Literal["float32", "bfloat16"]] = {"fp32": "float32", "bf16": "bfloat16"}


def read_deepspeed_file(config: FitConfig) -> dict[str, Any]:
    """Return the DeepSpeed configuration of `config.deepspeed`, completed.

    Raises:
        DataNotFoundError: There is no such file.
        ConfigError: The file is no JSON mapping, or contradicts the settings of the fit.
    """
    path = Path(str(config.deepspeed))
    if not path.is_file():
        raise DataNotFoundError(f"there is no file {path}: correct the setting deepspeed")
    try:
        found = json.loads(path.read_text())
    except ValueError as error:
        raise ConfigError(f"{path} is not valid JSON: {error}") from None
    if not isinstance(found, dict) or not isinstance(found.get("zero_optimization", {}), dict):
        raise ConfigError(f"{path} is no DeepSpeed configuration: it must be a mapping of settings")
    try:
        return completed(config, found)
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from None


def completed(config: FitConfig, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return a DeepSpeed configuration with what a fit needs.

    Args:
        config: The settings of the fit.
        given: The configuration.

    Raises:
        ConfigError: It contradicts the settings of the fit.
    """
    zero = dict(given.get("zero_optimization", {}))
    with_zero(config, given)
    _check_numbers(config, given)
    if "scheduler" in given:
        raise ConfigError(
            "it has a scheduler, which would replace that of the fit: delete it, and use the settings "
            "scheduler and warmup"
        )
    if zero.get("stage") == 3 and not zero.setdefault("stage3_gather_16bit_weights_on_model_save", True):
        raise ConfigError(
            "stage3_gather_16bit_weights_on_model_save is false, so that no weights would be saved: set it "
            "to true"
        )
    result = {**_ADDED, **given, "zero_optimization": zero}
    if _offloads(zero):
        result.setdefault("optimizer", _CPU_OPTIMIZER)
    return result


def with_zero(config: FitConfig, given: Mapping[str, Any]) -> FitConfig:
    """Return the fit with the ZeRO stage and the offloading of a DeepSpeed configuration.

    Raises:
        ConfigError: They contradict other settings of the fit.
    """
    zero = given.get("zero_optimization", {})
    stage = zero.get("stage", 0)
    if stage not in (0, 1, 2, 3):
        raise ConfigError(f"zero_optimization.stage must be 0, 1, 2 or 3, got {stage!r}")
    accumulated = given.get("data_types", {}).get("grad_accum_dtype")
    if accumulated is not None and accumulated not in _DTYPES:
        raise ConfigError(f"data_types.grad_accum_dtype must be fp32 or bf16, got {accumulated!r}")
    return dataclasses.replace(
        config,
        deepspeed=None,
        zero_stage=stage,
        offload=_offloads(zero),
        grad_accum_dtype=_DTYPES[accumulated] if accumulated else config.grad_accum_dtype,
    )


def effective(config: FitConfig) -> FitConfig:
    """Return the fit with the ZeRO stage and the offloading of its own DeepSpeed file, if that is here."""
    if config.deepspeed is None or not Path(config.deepspeed).is_file():
        return config
    return with_zero(config, read_deepspeed_file(config))


def _offloads(zero: Mapping[str, Any]) -> bool:
    return bool((zero.get("offload_optimizer") or {}).get("device", "none") != "none")


def _check_numbers(config: FitConfig, given: Mapping[str, Any]) -> None:
    """Raise ConfigError where the file has a number that the settings of the fit decide."""
    _check(given, "train_micro_batch_size_per_gpu", config.micro_batch_size, "micro_batch_size")
    _check(given, "gradient_clipping", config.max_grad_norm, "max_grad_norm")
    for name in ("gradient_accumulation_steps", "train_batch_size"):
        _check(given, name, None, "batch_size")
    parameters = (given.get("optimizer") or {}).get("params") or {}
    _check(parameters, "lr", config.learning_rate, "learning_rate")
    _check(parameters, "weight_decay", config.weight_decay, "weight_decay")
    if (given.get("fp16") or {}).get("enabled", False) is True:
        raise ConfigError("fp16 is enabled, but a fit trains in float32 or bfloat16: delete fp16")
    enabled = (given.get("bf16") or {}).get("enabled", False if "bf16" in given else _AUTO)
    if enabled != _AUTO and enabled != (config.dtype == "bfloat16"):
        raise ConfigError(
            f'bf16.enabled is {enabled!r}, but the setting dtype is {config.dtype!r}: write "auto"'
        )


def _check(given: Mapping[str, Any], name: str, value: float | None, setting: str) -> None:
    found = given.get(name, _AUTO)
    if found not in (_AUTO, value):
        said = "" if value is None else f", which is {value:g},"
        raise ConfigError(f'{name} is {found!r}, but the setting {setting}{said} decides it: write "auto"')

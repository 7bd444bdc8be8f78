"""Checks of a fit's model from its small files, before the weights are loaded."""

import copy
from collections.abc import Sequence
from typing import Any

import torch
import transformers

from rise_agents.chat.loading import (
    adapter_config,
    check_weight_files,
    load_generation_config,
    load_tokenizer,
)
from rise_env.errors import ConfigError, DataNotFoundError
from rise_env.utils.suggestions import did_you_mean
from rise_trainers.checks.generation_config import mend_generation_config
from rise_trainers.checks.size_check import check_model
from rise_trainers.fitting.config import FitConfig
from rise_trainers.fitting.paths import model_path

ALL_LINEAR = "all-linear"
_NOT_PACKABLE = frozenset(
    {"bloom", "falcon_h1", "mamba", "mamba2", "mpt", "opt", "qwen3_5", "qwen3_5_text", "qwen3_next"}
)
"""Types of models whose positions or recurrent states do not begin again within a row, whatever their
attention is. `packing_check` finds all others when the model is loaded."""


def check_model_files(config: FitConfig) -> list[str]:
    """Check configuration, tokenizer, generation config, attention and adapters; return notes for the log.

    Raises:
        ConfigError: The model cannot be trained or saved with these settings.
        DataNotFoundError: A file of the model is missing.
    """
    path = model_path(config.model)
    model_config = load_model_config(path, config.revision)
    if config.packed and config.micro_batch_size > 1:
        check_packable(model_config)
    check_weight_files(path)
    if config.adapter is not None:
        adapter_config(config.adapter)
    tokenizer = load_tokenizer(path, revision=config.revision)
    notes = check_model(model_config, tokenizer, max_length=config.max_length)
    notes += mend_generation_config(copy.deepcopy(load_generation_config(path, config.revision)))
    if config.attention is not None or config.lora is not None:
        model = empty_model(model_config, config.attention)
        if config.lora is not None:
            check_targets(model, config.lora.targets)
    return notes


def check_packable(model_config: Any) -> None:
    """Check that a model is of no type that is known to mix packed sequences.

    Args:
        model_config: The transformers configuration of the model.

    Raises:
        ConfigError: It is of such a type.
    """
    kind = model_config.model_type
    if kind in _NOT_PACKABLE or (kind == "falcon" and model_config.alibi):
        raise ConfigError(
            f"packed: true does not work with model type {kind!r}, which does not begin again where a "
            "sequence begins, so that packed sequences would influence each other. Set packed: false"
        )


def load_model_config(model: str, revision: str | None = None) -> Any:
    """Return the transformers configuration of a model.

    Raises:
        DataNotFoundError: There is none, or transformers does not know this type of model.
    """
    try:
        return transformers.AutoConfig.from_pretrained(model, revision=revision)
    except (OSError, ValueError) as error:
        raise DataNotFoundError(
            f"cannot read the configuration of the model {model!r} ({str(error).strip().splitlines()[0]}): "
            "give a model folder or a hub id"
        ) from error


def empty_model(model_config: Any, attention: str | None = None) -> Any:
    """Return a model without weights: all its tensors are on the device "meta".

    Raises:
        ConfigError: The model cannot be made with this attention implementation.
    """
    chosen = {} if attention is None else {"attn_implementation": attention}
    try:
        with torch.device("meta"):
            return transformers.AutoModelForCausalLM.from_config(copy.deepcopy(model_config), **chosen)
    except (ImportError, ValueError) as error:
        reason = " ".join(str(error).split())[:200]
        if attention is None:
            raise ConfigError(
                f"transformers cannot make a causal language model of this type: {reason}"
            ) from error
        raise ConfigError(
            f"attention is {attention!r}, which does not work with model type {model_config.model_type!r}: "
            f"{reason}"
        ) from error


def check_targets(model: Any, targets: Sequence[str]) -> None:
    """Check that every entry of `lora.targets` names layers of a model.

    Args:
        model: The model, with or without weights.
        targets: Names of layers, or the one entry "all-linear".

    Raises:
        ConfigError: An entry names none.
    """
    if list(targets) == [ALL_LINEAR]:
        return
    linear = [name for name, module in model.named_modules() if isinstance(module, torch.nn.Linear)]
    names = [name for name, _ in model.named_modules() if name]
    for target in targets:
        if target == ALL_LINEAR:
            raise ConfigError(f'lora.targets {list(targets)}: "{ALL_LINEAR}" stands alone')
        if not any(name == target or name.endswith(f".{target}") for name in names):
            known = sorted({name.rpartition(".")[2] for name in linear})
            raise ConfigError(
                f"lora.targets has {target!r}, and the model has no such layer; {did_you_mean(target, known)}"
            )

"""Loads the model and tokenizer of a fit, adds low-rank adapters (LoRA) and merges them into the weights."""

from pathlib import Path
from typing import Any

import torch
import transformers

from rise_env.errors import ConfigError, DataNotFoundError
from rise_env.utils.extras import missing_library
from rise_trainers.checks.generation_config import mend_generation_config
from rise_trainers.fitting.config import FitConfig, LoraSettings
from rise_trainers.fitting.paths import model_path


def load_model(config: FitConfig) -> Any:
    """Return the model to train.

    With `dtype` bfloat16, DeepSpeed keeps float32 copies of the weights that it trains.

    Raises:
        DataNotFoundError: The model cannot be loaded.
        ConfigError: `lora.targets` names no layers of the model.
    """
    try:
        model = transformers.AutoModelForCausalLM.from_pretrained(
            model_path(config.model),
            revision=config.revision,
            dtype=dtype_of(config),
            attn_implementation=config.attention,
            quantization_config=quantization(config.lora),
        )
        if config.adapter is not None:
            model = merged(model, config.adapter)
    except (OSError, ValueError) as error:
        raise DataNotFoundError(
            f"cannot load a model from {config.model!r} ({str(error).splitlines()[0]}): "
            "give a model folder or a hub id"
        ) from error
    if config.lora is None:
        return model
    return with_adapters(model, config.lora, seed=config.seed, checkpointing=config.gradient_checkpointing)


def dtype_of(config: FitConfig) -> torch.dtype:
    """Return the type of the weights when the model is loaded and saved."""
    return torch.bfloat16 if config.dtype == "bfloat16" else torch.float32


def with_adapters(model: Any, settings: LoraSettings, *, seed: int = 0, checkpointing: bool = False) -> Any:
    """Return the model with adapters. Only the adapters are trained.

    Args:
        model: The loaded model, quantised or not.
        settings: The settings of the adapters.
        seed: Seed of the adapters' first weights.
        checkpointing: Whether activations are recomputed in the backward pass. The outputs of the frozen
            embeddings are then set to require a gradient, without which nothing would be trained.

    Raises:
        ConfigError: `settings.targets` names no layers of the model.
    """
    import peft

    targets = list(settings.targets)
    config = peft.LoraConfig(
        r=settings.rank,
        lora_alpha=settings.alpha,
        lora_dropout=settings.dropout,
        target_modules=targets[0] if targets == ["all-linear"] else targets,
        task_type="CAUSAL_LM",
    )
    if settings.bits is not None:
        model = peft.prepare_model_for_kbit_training(model, use_gradient_checkpointing=checkpointing)
    elif checkpointing:
        model.enable_input_require_grads()
    torch.manual_seed(seed)
    try:
        return peft.get_peft_model(model, config)
    except ValueError as error:
        raise ConfigError(f"lora.targets {targets} do not fit the model: {error}") from error


def quantization(settings: LoraSettings | None) -> Any:
    """Return the bitsandbytes configuration for the frozen weights, or None.

    Raises:
        MissingDependencyError: bitsandbytes is not installed.
    """
    if settings is None or settings.bits is None:
        return None
    import importlib.util

    if importlib.util.find_spec("bitsandbytes") is None:
        raise missing_library("bitsandbytes", "lora.bits")
    return transformers.BitsAndBytesConfig(
        load_in_4bit=settings.bits == 4,
        load_in_8bit=settings.bits == 8,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=torch.bfloat16,
    )


def merge_adapters(config: FitConfig, adapters: Path, into: Path) -> None:
    """Save the first model with the adapters merged into its weights.

    Args:
        config: The settings of the fit that trained the adapters.
        adapters: Folder of the adapters.
        into: Folder of the merged model.
    """
    from transformers.integrations.deepspeed import unset_hf_deepspeed_config

    unset_hf_deepspeed_config()  # otherwise ZeRO-3 would shard the base model
    model = transformers.AutoModelForCausalLM.from_pretrained(
        model_path(config.model), revision=config.revision, dtype=dtype_of(config)
    )
    for folder in (config.adapter, str(adapters)):
        if folder is not None:
            model = merged(model, folder)
    mend_generation_config(model.generation_config)
    model.save_pretrained(into)


def merged(model: Any, adapter: str) -> Any:
    """Return the model with a LoRA adapter merged into its weights."""
    import peft

    return peft.PeftModel.from_pretrained(model, adapter).merge_and_unload()

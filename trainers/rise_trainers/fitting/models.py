"""Loads tokenizer and model of a fit; puts low-rank adapters on a model and merges them into its weights."""

from pathlib import Path
from typing import Any

import torch
import transformers

from rise_env.errors import ConfigError, DataNotFoundError, MissingDependencyError
from rise_trainers.fitting.config import FitConfig, LoraSettings
from rise_trainers.fitting.paths import model_path


def load_tokenizer(config: FitConfig) -> Any:
    """Return the tokenizer of the model."""
    try:
        return transformers.AutoTokenizer.from_pretrained(model_path(config.model))
    except (OSError, ValueError) as error:
        raise DataNotFoundError(f"no tokenizer at {config.model!r}: {str(error).splitlines()[0]}") from error


def load_model(config: FitConfig) -> Any:
    """Return the model to train; DeepSpeed keeps master weights in float32 where it trains in bfloat16."""
    try:
        model = transformers.AutoModelForCausalLM.from_pretrained(
            model_path(config.model),
            dtype=dtype_of(config),
            attn_implementation=config.attention,
            quantization_config=quantization(config.lora),
        )
        if config.lora is None:
            return model
        return with_adapters(model, config.lora, checkpointing=config.gradient_checkpointing)
    except (OSError, ValueError) as error:
        raise DataNotFoundError(f"no model at {config.model!r}: {str(error).splitlines()[0]}") from error


def dtype_of(config: FitConfig) -> torch.dtype:
    """Return the type that the model is loaded and saved in."""
    return torch.bfloat16 if config.dtype == "bfloat16" else torch.float32


def with_adapters(model: Any, settings: LoraSettings, *, checkpointing: bool = False) -> Any:
    """Return the model with adapters; only they are trained.

    Args:
        model: Loaded, quantised or not.
        settings: Of the adapters.
        checkpointing: Activations are made again in the backward pass: frozen inputs need a gradient.
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
    try:
        return peft.get_peft_model(model, config)
    except ValueError as error:
        raise ConfigError(f"lora.targets {targets} do not fit the model: {error}") from error


def quantization(settings: LoraSettings | None) -> Any:
    """Return how to load the frozen weights: None, or a bitsandbytes configuration.

    Raises:
        MissingDependencyError: bitsandbytes is not installed.
    """
    if settings is None or settings.bits is None:
        return None
    import importlib.util

    if importlib.util.find_spec("bitsandbytes") is None:
        raise MissingDependencyError("lora.bits needs bitsandbytes: pip install 'rise-env[qlora]'")
    return transformers.BitsAndBytesConfig(
        load_in_4bit=settings.bits == 4,
        load_in_8bit=settings.bits == 8,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=torch.bfloat16,
    )


def merge_adapters(base: str, adapters: Path, into: Path, *, dtype: Any) -> None:
    """Write the base model with the adapters merged into its weights."""
    import peft
    from transformers.integrations.deepspeed import unset_hf_deepspeed_config

    unset_hf_deepspeed_config()  # ZeRO-3 would shard the base model again
    model = transformers.AutoModelForCausalLM.from_pretrained(base, dtype=dtype)
    merged = peft.PeftModel.from_pretrained(model, str(adapters)).merge_and_unload()
    merged.save_pretrained(into)

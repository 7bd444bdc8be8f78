"""Loads tokenizer and model of a fit."""

from typing import Any

import torch
import transformers

from rise_env.errors import DataNotFoundError
from rise_trainers import lora
from rise_trainers.fit import FitConfig, model_path


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
            quantization_config=lora.quantization(config.lora),
        )
        if config.lora is None:
            return model
        return lora.with_adapters(model, config.lora, checkpointing=config.gradient_checkpointing)
    except (OSError, ValueError) as error:
        raise DataNotFoundError(f"no model at {config.model!r}: {str(error).splitlines()[0]}") from error


def dtype_of(config: FitConfig) -> torch.dtype:
    """Return the type that the model is loaded and saved in."""
    return torch.bfloat16 if config.dtype == "bfloat16" else torch.float32

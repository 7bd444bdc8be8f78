"""Low-rank adapters through peft: put on before a fit, merged or saved after it."""

from pathlib import Path
from typing import Any

from rise_env.errors import ConfigError, MissingDependencyError
from rise_trainers.fit_config import LoraSettings


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
    import torch
    import transformers

    return transformers.BitsAndBytesConfig(
        load_in_4bit=settings.bits == 4,
        load_in_8bit=settings.bits == 8,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=torch.bfloat16,
    )


def merge(base: str, adapters: Path, into: Path, *, dtype: Any) -> None:
    """Write the base model with the adapters merged into its weights."""
    import peft
    import transformers
    from transformers.integrations.deepspeed import unset_hf_deepspeed_config

    unset_hf_deepspeed_config()  # ZeRO-3 would shard the base model again
    model = transformers.AutoModelForCausalLM.from_pretrained(base, dtype=dtype)
    merged = peft.PeftModel.from_pretrained(model, str(adapters)).merge_and_unload()
    merged.save_pretrained(into)

"""Loads a causal language model for `TransformersAgent`, with a LoRA adapter where one is set."""

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch

from rise_agents.chat.loading import adapter_config
from rise_agents.chat.model_fingerprint import fingerprint
from rise_agents.generation.dtype_choice import cpu_dtype
from rise_agents.generation.model_settings import ModelSettings
from rise_env.errors import DataNotFoundError
from rise_env.utils.extras import missing_library


def load_model(settings: ModelSettings, device: str, attention: str | None = None) -> Any:
    """Return the model on the device, in eval mode, with the adapter merged into its weights.

    Args:
        settings: The model and its number format.
        device: A torch device.
        attention: Attention implementation of transformers; None lets it choose.

    Raises:
        DataNotFoundError: There is no such model or adapter.
        MissingDependencyError: An adapter is set, and peft is not installed.
    """
    from transformers import AutoModelForCausalLM

    if settings.adapter is not None:
        _check_adapter(settings.adapter)
    try:
        if device == "cpu":
            dtype = cpu_dtype(settings)
        else:
            dtype = "bfloat16" if settings.dtype == "auto" else settings.dtype
        loaded = AutoModelForCausalLM.from_pretrained(
            settings.model,
            dtype=getattr(torch, dtype),
            revision=settings.revision,
            attn_implementation=attention,
        )
    except (OSError, ValueError) as error:
        reason = str(error).strip().split("\n")[0]
        raise DataNotFoundError(
            f"cannot load a causal language model from {settings.model!r} ({reason}): "
            "give a model folder or a hub id"
        ) from error
    if settings.adapter is not None:
        loaded = _with_adapter(loaded, settings.adapter)
    return loaded.to(device).eval()


def adapter_name(adapter: str | None) -> str | None:
    """Return the name of an adapter's folder with a hash of its files; None for no adapter."""
    return None if adapter is None else f"{Path(adapter).resolve().name}@{fingerprint(Path(adapter))}"


def _check_adapter(adapter: str) -> None:
    """Raise an error if there is no adapter, or nothing to load it with."""
    adapter_config(adapter)
    if find_spec("peft") is None:
        raise missing_library("peft", "adapter")


def _with_adapter(model: Any, adapter: str) -> Any:
    import peft

    return peft.PeftModel.from_pretrained(model, adapter).merge_and_unload()

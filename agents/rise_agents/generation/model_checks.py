"""Checks the settings of an agent with a local model before the weights are loaded."""

from importlib.util import find_spec
from typing import Any

from rise_agents.chat.chat import Chat
from rise_agents.chat.loading import adapter_config, check_weight_files, load_chat
from rise_agents.generation.model_settings import ModelSettings
from rise_env.errors import ConfigError
from rise_env.utils.extras import missing_library


def check_local_model(settings: ModelSettings) -> Chat:
    """Check adapter, weight files, tokenizer and chat template of a model; return how it reads conversations.

    Raises:
        ConfigError: The model has no chat template, or the template cannot write a plain conversation.
        DataNotFoundError: There is no such model or adapter, or the folder of the model has no weights.
        MissingDependencyError: An adapter is set, and peft is not installed.
    """
    if settings.adapter is not None:
        adapter_config(settings.adapter)
        if find_spec("peft") is None:
            raise missing_library("peft", "adapter")
    check_weight_files(settings.model)
    return load_chat(settings.model, settings.chat, revision=settings.revision)


def check_device(device: str) -> None:
    """Raise ConfigError unless torch has this device on this machine; "auto" is always right."""
    if device == "auto":
        return
    import torch

    try:
        kind = torch.device(device).type
    except RuntimeError:
        raise ConfigError(
            f"device is {device!r}, which is no device of torch: use auto, cpu or cuda"
        ) from None
    if kind == "cuda" and not torch.cuda.is_available():
        raise ConfigError(f"device is {device!r}, but torch finds no GPU here: use auto or cpu")


def check_at_least(least: int, **values: Any) -> None:
    """Raise ConfigError if a value is below `least`."""
    for name, value in values.items():
        if value < least:
            raise ConfigError(f"{name} must be at least {least}, got {value}")

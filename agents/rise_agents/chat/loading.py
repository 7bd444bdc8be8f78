"""Loads what a model says about its conversations: tokenizer, chat template, generation config."""

import json
from pathlib import Path
from typing import Any

from rise_agents.chat.chat import Chat
from rise_agents.chat.chat_settings import ChatSettings
from rise_env.errors import DataNotFoundError

_WEIGHTS = ("*.safetensors", "*.bin", "*.gguf")


def load_chat(model: str, settings: ChatSettings | None = None, *, revision: str | None = None) -> Chat:
    """Return how a model reads conversations and writes replies.

    Args:
        model: Folder, or repository id on the Hugging Face hub.
        settings: The settings that differ from the model's own.
        revision: Branch, tag or commit of the hub repository; None is its main branch.

    Raises:
        ConfigError: The model has no chat template, or the template cannot write a plain conversation.
        DataNotFoundError: There is no such model or template.
    """
    settings = settings or ChatSettings()
    tokenizer = load_tokenizer(model, revision=revision, chat_template=settings.chat_template)
    return Chat(tokenizer, load_generation_config(model, revision), settings)


def load_tokenizer(model: str, *, revision: str | None = None, chat_template: str | None = None) -> Any:
    """Return the transformers tokenizer of a model, with the chat template that is set.

    Args:
        model: See `load_chat`.
        revision: See `load_chat`.
        chat_template: See `ChatSettings`.

    Raises:
        DataNotFoundError: There is no such model or template.
    """
    from transformers import AutoTokenizer

    try:
        tokenizer = AutoTokenizer.from_pretrained(model, revision=revision)
    except (OSError, ValueError) as error:
        reason = str(error).strip().split("\n")[0]
        raise DataNotFoundError(
            f"cannot load a tokenizer from {model!r} ({reason}): give a model folder or a hub id"
        ) from error
    if chat_template is not None:
        tokenizer.chat_template = read_template(chat_template)
    return tokenizer


def read_template(chat_template: str) -> str:
    """Return the text of a template that is given as the path of a file or as the text itself.

    Raises:
        DataNotFoundError: It is no template, and there is no such file.
    """
    if "{{" in chat_template or "{%" in chat_template:
        return chat_template
    path = Path(chat_template)
    if not path.is_file():
        raise DataNotFoundError(
            f"there is no file {chat_template}: chat_template must be the path of a Jinja file"
        )
    return path.read_text()


def adapter_config(adapter: str) -> dict[str, Any]:
    """Return the settings of a LoRA adapter.

    Raises:
        DataNotFoundError: The folder holds no adapter.
    """
    path = Path(adapter) / "adapter_config.json"
    if not path.is_file():
        raise DataNotFoundError(f"there is no LoRA adapter in {adapter}: the file {path} is missing")
    config: dict[str, Any] = json.loads(path.read_text())
    return config


def check_weight_files(model: str) -> None:
    """Raise DataNotFoundError if a folder has the configuration of a model, and no weights.

    Args:
        model: A folder, or a hub id, for which nothing is checked.
    """
    folder = Path(model)
    if not (folder / "config.json").is_file():
        return
    if not any(next(folder.glob(pattern), None) for pattern in _WEIGHTS):
        raise DataNotFoundError(
            f"the folder {model} has a config.json and no weights: copy the *.safetensors files of the model "
            "into it, or name another folder"
        )


def load_generation_config(model: str, revision: str | None = None) -> Any:
    """Return the generation config of a model; where it has none, the one that its model config implies.

    `transformers` does the same when it loads the weights, so that all back ends stop at the same tokens.
    """
    from transformers import AutoConfig, GenerationConfig

    try:
        return GenerationConfig.from_pretrained(model, revision=revision)
    except OSError:
        pass
    try:
        return GenerationConfig.from_model_config(AutoConfig.from_pretrained(model, revision=revision))
    except (OSError, ValueError):
        return GenerationConfig()

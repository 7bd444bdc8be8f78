"""Loads tokenizers, converts conversations to token ids, and finds the tokens that end a reply."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rise_env.errors import ConfigError, DataNotFoundError
from rise_env.types import Conversation


def load_tokenizer(model: str, *, revision: str | None = None, chat_template: str | None = None) -> Any:
    """Return the transformers tokenizer of a model, with a chat template.

    Args:
        model: See `ModelSettings`, as for the other arguments.
        revision: See `ModelSettings`.
        chat_template: See `ModelSettings`.

    Raises:
        ConfigError: The model has no chat template, and `chat_template` is None.
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
        path = Path(chat_template)
        if not path.is_file():
            raise DataNotFoundError(
                f"there is no file {chat_template}: chat_template must be the path of a Jinja file"
            )
        tokenizer.chat_template = path.read_text()
    if not tokenizer.chat_template:
        raise ConfigError(f"{model!r} has no chat template: give one with chat_template=FILE.jinja")
    return tokenizer


def encode(tokenizer: Any, conversations: Sequence[Conversation]) -> list[list[int]]:
    """Return each conversation as token ids: all messages, and the tokens that start the next reply."""
    texts = [
        tokenizer.apply_chat_template(list(conversation), tokenize=False, add_generation_prompt=True)
        for conversation in conversations
    ]
    if not texts:
        return []
    ids: list[list[int]] = tokenizer(texts, add_special_tokens=False)["input_ids"]
    return ids


def stop_tokens(tokenizer: Any, generation_config: Any) -> tuple[int, ...]:
    """Return the tokens that end a reply: those of the generation config and of the tokenizer."""
    configured = generation_config.eos_token_id
    found = [configured] if isinstance(configured, int) else list(configured or ())
    if tokenizer.eos_token_id is not None:
        found.append(tokenizer.eos_token_id)
    return tuple(dict.fromkeys(int(token) for token in found))

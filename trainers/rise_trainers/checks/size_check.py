"""Checks that model, tokenizer and settings fit together, before the fit starts."""

from typing import Any

from rise_env.errors import ConfigError


def check_model(model_config: Any, tokenizer: Any, *, max_length: int) -> list[str]:
    """Compare the sizes of model and tokenizer, and return warnings for the log.

    Args:
        model_config: The transformers configuration of the model.
        tokenizer: The tokenizer of the model.
        max_length: The largest length of a training sequence, in tokens.

    Raises:
        ConfigError: The tokenizer has more tokens than the model has embeddings.
    """
    config = model_config.get_text_config()
    notes = []
    if len(tokenizer) > config.vocab_size:
        raise ConfigError(
            f"the tokenizer has {len(tokenizer)} tokens, but the model has {config.vocab_size} embeddings: "
            "resize the embeddings of the model"
        )
    positions = getattr(config, "max_position_embeddings", None)
    if positions is not None and max_length > positions:
        notes.append(f"max_length {max_length} exceeds the {positions} positions of the model")
    if tokenizer.pad_token_id is None:
        notes.append("the tokenizer has no pad token: its end token is used, which does not change the loss")
    return notes

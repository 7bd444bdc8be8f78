import pytest
from transformers import LlamaConfig

from rise_env.errors import ConfigError
from rise_trainers.checks.size_check import check_model
from tests.rise_trainers import small_models


def test_a_tokenizer_larger_than_the_model_is_refused() -> None:
    tokenizer = small_models.tokenizer()
    with pytest.raises(ConfigError, match="resize"):
        check_model(LlamaConfig(vocab_size=len(tokenizer) - 1), tokenizer, max_length=10)
    assert check_model(LlamaConfig(vocab_size=len(tokenizer)), tokenizer, max_length=10) == []


def test_a_missing_pad_token_and_too_long_sequences_are_said() -> None:
    tokenizer = small_models.tokenizer()
    tokenizer.pad_token = None
    config = LlamaConfig(vocab_size=1000, max_position_embeddings=100)
    notes = check_model(config, tokenizer, max_length=101)
    assert len(notes) == 2
    assert any("pad token" in note for note in notes)
    assert any("101" in note for note in notes)

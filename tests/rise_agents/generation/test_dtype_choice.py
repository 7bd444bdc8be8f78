import logging
from pathlib import Path

import pytest

from rise_agents.backends.transformers_agent import TransformersAgent
from rise_agents.generation import dtype_choice
from rise_agents.generation.model_settings import ModelSettings
from rise_trainers.fitting.paths import model_path

LARGE = dtype_choice.MIN_PARAMETERS


@pytest.mark.parametrize(
    ("parameters", "instructions", "expected"),
    [
        (LARGE, ["avx512_bf16"], "bfloat16"),
        (LARGE, ["amx_bf16", "avx512_bf16"], "bfloat16"),
        (LARGE - 1, ["avx512_bf16"], "float32"),
        (LARGE, [], "float32"),
    ],
)
def test_large_models_use_bfloat16_where_the_processor_multiplies_in_it(
    parameters: int, instructions: list[str], expected: str
) -> None:
    assert dtype_choice.choose(parameters, instructions) == expected


@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "float16"])
def test_a_format_that_is_set_is_used_without_reading_the_model(dtype: str) -> None:
    settings = ModelSettings(model="/no/such/model", dtype=dtype)  # type: ignore[arg-type]
    assert dtype_choice.cpu_dtype(settings) == dtype


def test_parameters_are_counted_without_loading_weights() -> None:
    agent = TransformersAgent(model_path("tiny"), device="cpu")
    counted = dtype_choice.count_parameters(ModelSettings(model=model_path("tiny")))
    assert counted == sum(parameter.numel() for parameter in agent._decoder.model.parameters())


def test_the_log_says_what_was_chosen_and_why(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, random_model: Path
) -> None:
    monkeypatch.setattr(dtype_choice, "fast_instructions", lambda: ["avx512_bf16"])
    caplog.set_level(logging.INFO)
    settings = ModelSettings(model=str(random_model))
    assert dtype_choice.cpu_dtype(settings) == "float32"
    assert "float32 for" in caplog.text
    monkeypatch.setattr(dtype_choice, "MIN_PARAMETERS", 1000)
    caplog.clear()
    assert dtype_choice.cpu_dtype(settings) == "bfloat16"
    [record] = caplog.records
    assert record.levelno == logging.WARNING
    assert "the processor has avx512_bf16" in record.getMessage()

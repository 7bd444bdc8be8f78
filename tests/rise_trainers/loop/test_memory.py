from typing import Any

import pytest
from transformers import LlamaConfig

from rise_trainers.fitting.config import FitConfig, LoraSettings
from rise_trainers.loop.memory import GIB, count_parameters, estimate_memory

SEVEN_B = LlamaConfig(vocab_size=32000, hidden_size=4096, intermediate_size=11008, num_hidden_layers=32)


def config(**settings: Any) -> FitConfig:
    defaults = {"data": ("s",), "model": "m", "output": "o", "dtype": "bfloat16", "batch_size": 64}
    return FitConfig(**{**defaults, **settings})


def test_parameters_are_counted_without_loading_weights() -> None:
    total, largest = count_parameters(SEVEN_B)
    assert total == 6_738_415_616
    assert largest == 32000 * 4096


def test_stage_0_holds_sixteen_bytes_per_parameter_on_each_device() -> None:
    plain = config(zero_stage=0, grad_accum_dtype="bfloat16")
    assert estimate_memory(plain, SEVEN_B).states == pytest.approx(16 * 6_738_415_616 / GIB)


def test_gradients_added_up_in_float32_need_four_bytes_more_per_parameter() -> None:
    precise, short = (
        estimate_memory(config(zero_stage=1, grad_accum_dtype=dtype), SEVEN_B).states
        for dtype in ("float32", "bfloat16")
    )
    assert precise - short == pytest.approx(4 * 6_738_415_616 / GIB)


def test_every_stage_needs_less_on_each_of_eight_devices() -> None:
    states = [
        estimate_memory(config(zero_stage=stage, ranks=8, grad_accum_dtype="bfloat16"), SEVEN_B).states
        for stage in (0, 1, 3)
    ]
    assert states == sorted(states, reverse=True)
    assert states[2] < states[0] / 4


def test_offloading_moves_states_to_the_host() -> None:
    here = estimate_memory(config(zero_stage=3, ranks=4), SEVEN_B)
    there = estimate_memory(config(zero_stage=3, ranks=4, offload=True), SEVEN_B)
    assert there.states < here.states / 5
    assert there.host > here.states


def test_checkpointing_keeps_fewer_activations() -> None:
    plain = estimate_memory(config(), SEVEN_B).activations
    assert estimate_memory(config(gradient_checkpointing=True), SEVEN_B).activations < plain / 5


def test_adapters_need_little_beside_the_frozen_weights() -> None:
    frozen = 2 * 6_738_415_616 / GIB
    assert estimate_memory(config(lora=LoraSettings()), SEVEN_B).states == pytest.approx(frozen, rel=0.1)
    assert estimate_memory(config(lora=LoraSettings(bits=4)), SEVEN_B).states < frozen / 2.5


def test_the_logits_of_a_large_vocabulary_stay_in_their_chunk() -> None:
    huge = LlamaConfig(vocab_size=128_256, hidden_size=256, intermediate_size=512, num_hidden_layers=2)
    whole = 4 * 4096 * 128_256 / GIB
    assert estimate_memory(config(max_length=4096, micro_batch_size=1), huge).logits < whole / 4

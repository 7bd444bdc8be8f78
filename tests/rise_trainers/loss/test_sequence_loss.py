from typing import Any

import numpy as np
import pytest
import torch

from rise_trainers.data.dataset import collate_packed, collate_padded, make_examples
from rise_trainers.data.encoding import ChatTokenizer
from rise_trainers.data.targets import Selection, select_targets
from rise_trainers.data.tokenization import tokenize
from rise_trainers.loss.sequence_loss import sequence_loss
from tests.rise_trainers import small_models
from tests.rise_trainers.loss.reference import reference_gradient, relative_error

TOKENIZER = small_models.tokenizer()
CHAT = ChatTokenizer(small_models.chat(TOKENIZER))
TARGETS = select_targets(small_models.trajectories(6), Selection())
WEIGHTS = np.random.default_rng(0).random(len(TARGETS)) + 0.1


def model(**more: Any) -> Any:
    return small_models.tiny_llama(len(TOKENIZER), **more)


def gradient(
    collate: Any, *, weights: Any = WEIGHTS, normalize: Any = "token", layout: Any = "auto", **settings: Any
) -> dict[str, torch.Tensor]:
    sequences = tokenize(CHAT, TARGETS, max_length=1000, layout=layout).sequences
    examples = make_examples(sequences, weights, normalize=normalize)
    llama = model()
    count = sum(example.count for example in examples)
    sequence_loss(llama, collate(examples), normalizer=count, **settings).backward()
    return {name: p.grad for name, p in llama.named_parameters()}


@pytest.mark.parametrize("collate", [collate_padded, collate_packed])
@pytest.mark.parametrize("normalize", ["token", "reply"])
@pytest.mark.parametrize("layout", ["auto", "per_turn"])
def test_padded_packed_and_both_layouts_give_the_reference_gradient(
    collate: Any, normalize: str, layout: str
) -> None:
    _, expected = reference_gradient(model(), CHAT, TARGETS, WEIGHTS, normalize)
    assert relative_error(gradient(collate, normalize=normalize, layout=layout), expected) < 1e-5


@pytest.mark.parametrize("collate", [collate_padded, collate_packed])
@pytest.mark.parametrize("chunk", [7000, 1 << 25])
def test_negative_weights_give_the_reference_gradient(collate: Any, chunk: int) -> None:
    signed = WEIGHTS - 0.6
    assert signed.min() < 0 < signed.max()
    _, expected = reference_gradient(model(), CHAT, TARGETS, signed)
    assert relative_error(gradient(collate, weights=signed, logits_per_chunk=chunk), expected) < 1e-5


def test_chunks_of_logits_give_the_reference_gradient() -> None:
    _, expected = reference_gradient(model(), CHAT, TARGETS, WEIGHTS)
    assert relative_error(gradient(collate_padded, logits_per_chunk=7000), expected) < 1e-5


def test_a_model_that_changes_its_logits_is_scored_on_them() -> None:
    from transformers import Gemma2Config, Gemma2ForCausalLM

    config = Gemma2Config(
        vocab_size=len(TOKENIZER),
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=1,
        head_dim=16,
        final_logit_softcapping=0.5,
    )
    with torch.random.fork_rng():
        torch.manual_seed(0)
        gemma = Gemma2ForCausalLM(config).eval()
    expected, _ = reference_gradient(gemma, CHAT, TARGETS, WEIGHTS)
    examples = make_examples(tokenize(CHAT, TARGETS, max_length=1000).sequences, WEIGHTS)
    batch = collate_padded(examples)
    loss = sequence_loss(gemma, batch, normalizer=sum(example.count for example in examples))
    assert loss.item() == pytest.approx(expected, rel=1e-5)


def test_scoring_leaves_the_output_layer_as_it_was() -> None:
    llama = model()
    examples = make_examples(tokenize(CHAT, TARGETS, max_length=1000).sequences, WEIGHTS)
    sequence_loss(llama, collate_padded(examples), normalizer=1.0)
    assert "forward" not in vars(llama.lm_head)
    assert llama(torch.tensor([[1, 2]])).logits.shape == (1, 2, len(TOKENIZER))

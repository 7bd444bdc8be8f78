import importlib.util
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM

from rise_agents import load_agent
from rise_env.errors import ConfigError, MissingDependencyError
from rise_trainers.data.dataset import collate_padded, make_examples
from rise_trainers.data.encoding import ChatTokenizer
from rise_trainers.data.targets import Selection, select_targets
from rise_trainers.data.tokenization import tokenize
from rise_trainers.fitting.config import FitConfig, LoraSettings
from rise_trainers.fitting.fit import fit
from rise_trainers.fitting.models import load_model, merge_adapters, quantization, with_adapters
from rise_trainers.fitting.prepare_data import first_agent
from rise_trainers.loss.sequence_loss import sequence_loss
from tests.rise_trainers import small_models


def adapted(targets: tuple[str, ...] = ("all-linear",), **more: Any) -> Any:
    return with_adapters(
        small_models.tiny_llama(small_models.VOCABULARY), LoraSettings(rank=2, targets=targets), **more
    )


def batch() -> dict[str, torch.Tensor]:
    chosen = select_targets(small_models.trajectories(4), Selection())
    found = tokenize(ChatTokenizer(small_models.chat(small_models.tokenizer())), chosen, max_length=1000)
    return collate_padded(make_examples(found.sequences, np.ones(len(chosen))))


@pytest.mark.parametrize("targets", [("all-linear",), ("q_proj", "lm_head")])
def test_only_adapters_get_a_gradient_wherever_they_sit(targets: tuple[str, ...]) -> None:
    model = adapted(targets)
    sequence_loss(model, batch(), normalizer=10.0).backward()
    trained = {name for name, p in model.named_parameters() if p.grad is not None}
    assert trained == {name for name, _ in model.named_parameters() if "lora_" in name}


def test_adapters_train_with_checkpointed_activations() -> None:
    model = adapted(checkpointing=True)
    model.gradient_checkpointing_enable(gradient_checkpointing_kwargs={"use_reentrant": False})
    model.train()
    sequence_loss(model, batch(), normalizer=10.0).backward()
    assert any(p.grad is not None and p.grad.any() for _, p in model.named_parameters())


def test_the_first_weights_of_the_adapters_are_those_of_the_seed() -> None:
    first, same, other = (
        [p.detach().clone() for name, p in adapted(seed=seed).named_parameters() if "lora_A" in name]
        for seed in (5, 5, 6)
    )
    assert all(torch.equal(a, b) for a, b in zip(first, same, strict=True))
    assert not any(torch.equal(a, b) for a, b in zip(first, other, strict=True))


def test_layers_that_the_model_does_not_have_are_refused() -> None:
    with pytest.raises(ConfigError, match="nowhere"):
        adapted(("nowhere",))


def test_merged_adapters_answer_like_the_adapted_model(tmp_path: Path) -> None:
    base = small_models.save_model(tmp_path / "base")
    model = with_adapters(AutoModelForCausalLM.from_pretrained(base), LoraSettings(rank=2))
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for name, p in model.named_parameters():
            if "lora_" in name:
                p.copy_(torch.randn(p.shape, generator=generator) * 0.1)
    model.save_pretrained(tmp_path / "adapters")
    config = small_models.fit_config(tmp_path, model=str(base))
    merge_adapters(config, tmp_path / "adapters", tmp_path / "merged")
    merged = AutoModelForCausalLM.from_pretrained(tmp_path / "merged")
    ids = torch.tensor([[5, 6, 7, 8]])
    torch.testing.assert_close(merged(ids).logits, model(ids).logits, atol=1e-5, rtol=1e-5)


def test_a_fit_starts_from_the_model_with_its_adapter_and_so_does_an_agent(tmp_path: Path) -> None:
    base = small_models.save_model(tmp_path / "base")
    model = with_adapters(AutoModelForCausalLM.from_pretrained(base), LoraSettings(rank=2))
    with torch.no_grad():
        for name, p in model.named_parameters():
            if "lora_B" in name:
                p.fill_(0.1)
    model.save_pretrained(tmp_path / "adapters")
    config = small_models.fit_config(tmp_path, model=str(base), adapter=str(tmp_path / "adapters"))
    ids = torch.tensor([[5, 6, 7, 8]])
    torch.testing.assert_close(load_model(config)(ids).logits, model(ids).logits, atol=1e-5, rtol=1e-5)
    adapted_agent, plain = (
        load_agent(f"transformers:{base}", dtype="float32", adapter=adapter)
        for adapter in (str(tmp_path / "adapters"), None)
    )
    assert first_agent(config) == adapted_agent.name != plain.name
    assert adapted_agent.format.adapter.startswith("adapters@")


@pytest.mark.slow
@pytest.mark.parametrize("stage", [0, 2, 3])
def test_a_fit_of_adapters_leaves_a_whole_model(tmp_path: Path, stage: int) -> None:
    config = small_models.fit_config(tmp_path, zero_stage=stage, lora=LoraSettings(rank=2))
    fit(config)
    check_adapted(config)


@pytest.mark.slow
@pytest.mark.parametrize("ranks", [1, 2])
def test_a_fit_leaves_a_folder_of_adapters_that_are_not_merged(tmp_path: Path, ranks: int) -> None:
    lora = LoraSettings(rank=2, merge=False)
    config = small_models.fit_config(tmp_path, zero_stage=ranks + 1, ranks=ranks, lora=lora)
    fit(config)
    adapters = load_file(Path(config.output) / "adapter_model.safetensors")
    assert adapters
    assert all("lora_" in name for name in adapters)
    assert any(tensor.any() for name, tensor in adapters.items() if "lora_B" in name)


@pytest.mark.slow
@pytest.mark.parametrize("bits", [4, 8])
def test_adapters_train_on_quantised_weights_and_merge_into_whole_ones(tmp_path: Path, bits: Any) -> None:
    pytest.importorskip("bitsandbytes", reason="bitsandbytes is not installed: pip install '.[qlora]'")
    small_models.save_model(tmp_path / "model", width=64)  # quantised in blocks of 64
    config = small_models.fit_config(tmp_path, zero_stage=2, lora=LoraSettings(rank=2, bits=bits))
    fit(config)
    check_adapted(config)


def test_quantised_weights_without_their_library_are_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    find = importlib.util.find_spec
    hidden = "bitsandbytes"
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None if name == hidden else find(name))
    with pytest.raises(MissingDependencyError, match="pip install"):
        quantization(LoraSettings(bits=4))


def check_adapted(config: FitConfig) -> None:
    """Check that a fit changed what has adapters, left the rest, and left no adapters behind."""
    before = AutoModelForCausalLM.from_pretrained(config.model)
    after = AutoModelForCausalLM.from_pretrained(config.output)
    assert {p.dtype for p in after.parameters()} == {torch.float32}
    assert torch.equal(before.lm_head.weight, after.lm_head.weight)
    changed = before.model.layers[0].mlp.up_proj.weight - after.model.layers[0].mlp.up_proj.weight
    assert changed.any()
    assert torch.linalg.matrix_rank(changed, tol=1e-6) <= 2
    assert not list(Path(config.output).glob("adapter*"))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"zero_stage": 3}, "adapter needs zero_stage 0, 1 or 2"),
        ({"lora": LoraSettings(merge=False)}, "adapter needs lora.merge true"),
    ],
)
def test_an_adapter_that_could_not_be_merged_or_would_be_lost_is_refused(
    tmp_path: Path, settings: dict[str, Any], message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        small_models.fit_config(tmp_path, adapter="somewhere", **settings)


def test_layers_that_do_not_exist_are_not_reported_as_a_missing_model(tmp_path: Path) -> None:
    config = small_models.fit_config(tmp_path, lora=LoraSettings(targets=("nowhere",)))
    with pytest.raises(ConfigError, match=r"lora.targets \['nowhere'\] do not fit the model"):
        load_model(config)

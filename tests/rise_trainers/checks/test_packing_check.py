from pathlib import Path

import numpy as np
import pytest
import torch

from rise_env.errors import ConfigError
from rise_trainers.checks.model_files import check_packable
from rise_trainers.checks.packing_check import check_packing
from rise_trainers.data.dataset import Batch, Example, collate_packed, collate_padded
from rise_trainers.fitting.fit import fit
from rise_trainers.loss.sequence_loss import sequence_loss
from tests.rise_trainers import architectures, small_models
from tests.rise_trainers.loss.reference import relative_error

LIMIT = 1e-5


def examples() -> list[Example]:
    """Return sequences whose second half is trained."""
    rng = np.random.default_rng(1)
    ids = [rng.integers(3, architectures.VOCABULARY, length) for length in (30, 20, 25)]
    return [
        Example(row, (np.arange(len(row)) >= len(row) // 2).astype(np.float32), float(len(row) // 2))
        for row in ids
    ]


def gradient(model: torch.nn.Module, batches: list[Batch]) -> dict[str, torch.Tensor]:
    model.zero_grad()
    model.eval()  # no dropout
    for batch in batches:
        sequence_loss(model, batch, normalizer=37.0).backward()
    return {
        name: torch.zeros_like(p) if p.grad is None else p.grad.clone()
        for name, p in model.named_parameters()
    }


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("kind", architectures.SETTINGS)
def test_an_architecture_is_trained_packed_exactly_or_refused(kind: str, dtype: torch.dtype) -> None:
    model = architectures.small_model(kind)
    if dtype is torch.float32:
        alone = gradient(model, [collate_padded([example]) for example in examples()])
        assert relative_error(gradient(model, [collate_padded(examples())]), alone) < LIMIT
        packed = relative_error(gradient(model, [collate_packed(examples())]), alone)
        assert (packed < LIMIT) == (kind in architectures.PACKABLE)
    model = model.to(dtype).train()
    if kind in architectures.PACKABLE:
        check_packing(model, examples())
    else:
        with pytest.raises(ConfigError, match=rf"model type '{kind}'.* packed: false"):
            check_packing(model, examples())
    assert model.training


@pytest.mark.parametrize("kind", architectures.SETTINGS)
def test_the_types_that_are_refused_before_a_model_is_loaded_are_those_that_fail(kind: str) -> None:
    config = architectures.small_config(kind)
    if kind in architectures.PACKABLE or kind == "gpt_oss":  # depends on its attention
        check_packable(config)
    else:
        with pytest.raises(ConfigError, match=rf"model type '{kind}'.* packed: false"):
            check_packable(config)


def test_a_leak_of_a_model_with_usual_random_weights_is_found() -> None:
    model = architectures.small_model("falcon_h1", initializer_range=0.02)
    with pytest.raises(ConfigError, match="falcon_h1"):
        check_packing(model, examples())


@pytest.mark.slow
@pytest.mark.parametrize(("ranks", "stage"), [(1, 0), (2, 3)])
def test_a_fit_is_refused_by_all_ranks_before_its_first_step(tmp_path: Path, ranks: int, stage: int) -> None:
    tokenizer = small_models.tokenizer()
    model = architectures.small_model("gpt_oss", vocab_size=len(tokenizer))
    model.save_pretrained(tmp_path / "model")
    tokenizer.save_pretrained(tmp_path / "model")
    config = small_models.fit_config(tmp_path, packed=True, ranks=ranks, zero_stage=stage)
    lines: list[object] = []
    with pytest.raises(ConfigError, match="gpt_oss"):
        fit(config, progress=lines.append)
    assert lines == []


@pytest.mark.slow
def test_a_model_that_keeps_sequences_apart_is_fitted_packed(tmp_path: Path) -> None:
    config = small_models.fit_config(tmp_path, packed=True, ranks=2, zero_stage=3)
    lines: list[dict[str, object]] = []
    fit(config, progress=lines.append)
    assert lines[-1]["kind"] == "end"

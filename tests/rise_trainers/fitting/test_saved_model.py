"""What a fit leaves of a model whose output layer is tied and whose generation config cannot be saved."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM

from rise_trainers.fitting.config import LoraSettings
from rise_trainers.fitting.fit import fit
from tests.rise_trainers import small_models

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(
    "settings",
    [
        pytest.param({"zero_stage": 0}, id="stage 0"),
        pytest.param({"zero_stage": 0, "max_grad_norm": 0.0}, id="stage 0, not clipped"),
        pytest.param({"zero_stage": 1}, id="stage 1"),
        pytest.param({"zero_stage": 3, "ranks": 2}, id="stage 3"),
        pytest.param({"zero_stage": 1, "lora": LoraSettings(rank=2)}, id="merged adapters"),
    ],
)
def test_a_tied_output_layer_is_saved_once_and_every_step_has_a_gradient_norm(
    settings: dict[str, Any], tmp_path: Path
) -> None:
    small_models.save_model(tmp_path / "model", tie_word_embeddings=True)
    (tmp_path / "model" / "generation_config.json").write_text(json.dumps({"temperature": 0.9}))
    lines: list[dict[str, Any]] = []
    fit(small_models.fit_config(tmp_path, save_every=1, **settings), progress=lines.append)
    before, after = (load_file(tmp_path / name / "model.safetensors") for name in ("model", "fitted"))
    assert {name: (t.shape, t.dtype) for name, t in after.items()} == {
        name: (t.shape, t.dtype) for name, t in before.items()
    }
    model = AutoModelForCausalLM.from_pretrained(tmp_path / "fitted")
    assert torch.equal(model.lm_head.weight, after["model.embed_tokens.weight"])
    assert any(not torch.equal(after[name], before[name]) for name in after)
    norms = [line["grad_norm"] for line in lines if line["kind"] == "step"]
    assert len(norms) == 4
    assert all(norm > 0 for norm in norms)
    assert any("do_sample" in note for note in lines[0]["notes"])


def test_stage_0_logs_the_norm_of_stage_1(tmp_path: Path) -> None:
    norms = []
    for stage in (0, 1):
        lines: list[dict[str, Any]] = []
        config = small_models.fit_config(
            tmp_path, zero_stage=stage, output=str(tmp_path / str(stage)), max_grad_norm=0.1
        )
        fit(config, progress=lines.append)
        norms.append([line["grad_norm"] for line in lines if line["kind"] == "step"])
    assert norms[0] == pytest.approx(norms[1], rel=1e-4)
    assert max(norms[0]) > 0.1

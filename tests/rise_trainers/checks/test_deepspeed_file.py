import json
from pathlib import Path
from typing import Any

import pytest

from rise_env.errors import ConfigError
from rise_trainers.checks.deepspeed_file import completed, read_deepspeed_file
from rise_trainers.fitting.config import FitConfig


def fit(**settings: Any) -> FitConfig:
    return FitConfig(data=("store",), model="tiny", output="out", **settings)


def test_what_a_file_leaves_out_is_added() -> None:
    found = completed(fit(), {"zero_optimization": {"stage": 3}})
    assert found["zero_optimization"] == {"stage": 3, "stage3_gather_16bit_weights_on_model_save": True}
    assert found["bf16"] == {"enabled": "auto"}
    assert found["gradient_clipping"] == found["train_batch_size"] == "auto"
    assert "optimizer" not in found


def test_offloaded_optimizer_states_get_the_optimizer_of_deepspeed() -> None:
    found = completed(fit(), {"zero_optimization": {"stage": 2, "offload_optimizer": {"device": "cpu"}}})
    assert found["optimizer"]["type"] == "AdamW"


def test_what_a_file_says_is_kept() -> None:
    given = {
        "zero_optimization": {"stage": 2, "reduce_bucket_size": 1000},
        "gradient_clipping": 1.0,
        "train_micro_batch_size_per_gpu": 4,
        "optimizer": {"type": "AdamW", "params": {"lr": 1e-5}},
        "wall_clock_breakdown": True,
    }
    found = completed(fit(), given)
    assert {name: found[name] for name in given} == given


@pytest.mark.parametrize(
    ("given", "settings", "message"),
    [
        ({"train_micro_batch_size_per_gpu": 8}, {}, "micro_batch_size, which is 4, decides it"),
        ({"optimizer": {"params": {"lr": 1}}}, {}, "lr is 1, but the setting learning_rate"),
        (
            {"zero_optimization": {"stage": 1}, "bf16": {}},
            {"dtype": "bfloat16"},
            "bf16.enabled is False",
        ),
        ({"data_types": {"grad_accum_dtype": "fp16"}}, {}, "must be fp32 or bf16"),
        ({"zero_optimization": {"stage": 3}}, {"adapter": "x"}, "stage 3 cannot merge it"),
        ({"zero_optimization": {"stage": 1, "offload_optimizer": {"device": "cpu"}}}, {}, "offload needs"),
    ],
)
def test_a_file_that_contradicts_the_settings_is_refused(
    given: dict[str, Any], settings: dict[str, Any], message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        completed(fit(**settings), given)


def test_the_message_names_the_file(tmp_path: Path) -> None:
    path = tmp_path / "own.json"
    path.write_text(json.dumps([1]))
    with pytest.raises(ConfigError, match=r"own.json is no DeepSpeed configuration"):
        read_deepspeed_file(fit(deepspeed=str(path)))
    path.write_text(json.dumps({"scheduler": {}}))
    with pytest.raises(ConfigError, match=r"own.json: it has a scheduler"):
        read_deepspeed_file(fit(deepspeed=str(path)))

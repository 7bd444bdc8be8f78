import json
from pathlib import Path
from typing import Any

import pytest
from transformers import AutoModelForCausalLM

from rise_env.errors import ConfigError
from rise_trainers.checks.generation_config import mend_generation_config
from tests.rise_trainers import small_models


def load(folder: Path, settings: dict[str, Any]) -> Any:
    """Return a model whose generation_config.json has these settings."""
    small_models.save_model(folder)
    (folder / "generation_config.json").write_text(json.dumps(settings))
    return AutoModelForCausalLM.from_pretrained(folder)


@pytest.mark.parametrize(
    "settings", [{"do_sample": False, "temperature": 0.9}, {"temperature": 0.9, "top_p": 0.6}]
)
def test_a_model_that_describes_sampling_without_do_sample_can_be_saved(
    settings: dict[str, Any], tmp_path: Path
) -> None:
    model = load(tmp_path / "model", settings)
    with pytest.raises(ValueError, match="invalid"):
        model.save_pretrained(tmp_path / "before")
    [note] = mend_generation_config(model.generation_config)
    assert "do_sample is set to true" in note
    model.save_pretrained(tmp_path / "after")
    saved = json.loads((tmp_path / "after" / "generation_config.json").read_text())
    assert saved["do_sample"] is True
    assert saved["temperature"] == 0.9


def test_a_valid_config_is_left_as_it_is(tmp_path: Path) -> None:
    model = load(tmp_path, {"do_sample": True, "temperature": 0.6})
    before = model.generation_config.to_dict()
    assert mend_generation_config(model.generation_config) == []
    assert model.generation_config.to_dict() == before
    assert mend_generation_config(None) == []


def test_a_config_that_is_wrong_in_another_way_is_refused(tmp_path: Path) -> None:
    model = load(tmp_path, {"early_stopping": True})
    with pytest.raises(ConfigError, match=r"`early_stopping`.*Correct this file"):
        mend_generation_config(model.generation_config)

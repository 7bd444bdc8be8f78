from types import SimpleNamespace
from typing import Any

import pytest

from rise_trainers.loss.output_layer import changes_logits


@pytest.mark.parametrize(
    ("settings", "changed"),
    [
        ({}, False),
        ({"final_logit_softcapping": None, "logit_scale": 1.0}, False),
        ({"final_logit_softcapping": 30.0}, True),  # Gemma 2
        ({"logits_soft_cap": 30.0}, True),  # RecurrentGemma
        ({"output_logit_soft_cap": 30.0}, True),  # xLSTM
        ({"logit_scale": 0.0625}, True),  # Cohere
        ({"logits_scaling": 8.0}, True),  # Granite
        ({"lm_head_multiplier": 0.5}, True),  # Falcon-H1
    ],
)
def test_a_model_that_changes_its_logits_after_the_output_layer_is_known(
    settings: dict[str, Any], changed: bool
) -> None:
    assert changes_logits(SimpleNamespace(**settings)) == changed

import dataclasses
import io
from pathlib import Path

import pytest
from rich.console import Console

from rise_env.errors import ConfigError, DataNotFoundError
from rise_trainers.cli.mask import MaskConfig, show
from rise_trainers.data.targets import Selection
from tests.rise_trainers import small_models


@pytest.fixture
def config(tmp_path: Path) -> MaskConfig:
    store = small_models.save_store(
        tmp_path / "s.jsonl", [small_models.trajectory([0, 1], ["It is 18.", "No: 19."])]
    )
    return MaskConfig(
        store=str(store), model=str(small_models.save_model(tmp_path / "m")), mean_weight_one=False
    )


def shown(config: MaskConfig, *, terminal: bool = False) -> str:
    out = io.StringIO()
    colours = "truecolor" if terminal else None
    show(config, Console(file=out, force_terminal=terminal, color_system=colours, width=200))
    return out.getvalue()


def test_the_mask_shows_every_trained_reply_with_its_weight_and_nothing_else_in_brackets(
    config: MaskConfig,
) -> None:
    text = shown(config)
    assert text.endswith(
        "<assistant>⟦1.00|It is 18.<end>⟧<user>Please try again.<end><assistant>⟦12.18|No: 19.<end>⟧\n"
    )
    assert "turn 2: reward 1, weight 12.182" in text


def test_the_mask_colours_replies_by_their_weight(config: MaskConfig) -> None:
    text = shown(config, terminal=True)
    assert "38;2;0,255,40".replace(",", ";") in text
    assert "⟦" not in text


def test_the_mask_shows_replies_of_negative_weight_in_blue(config: MaskConfig) -> None:
    signed = dataclasses.replace(config, weights="advantage")
    assert "⟦-0.50|It is 18.<end>⟧" in shown(signed)
    coloured = shown(signed, terminal=True)
    assert "38;2;160;160;255" in coloured
    assert "38;2;0;255;40" in coloured


def test_the_mask_follows_the_selection(config: MaskConfig) -> None:
    only = dataclasses.replace(config, selection=Selection(criterion="successful"))
    assert shown(only).count("⟦") == 1
    with pytest.raises(ConfigError, match="selection"):
        shown(dataclasses.replace(config, selection=Selection(criterion="successful", success=9)))


def test_a_store_that_is_not_there_is_named() -> None:
    with pytest.raises(DataNotFoundError, match="nowhere"):
        shown(MaskConfig(store="/nowhere.jsonl"))

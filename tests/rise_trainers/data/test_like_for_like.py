"""Selection and weights beside those of the released RISE code; its results are in tests/fixtures."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rise_trainers.data.targets import Selection, TrainingTarget, select_targets, targets
from rise_trainers.data.weights import weigh
from tests.rise_trainers.small_models import trajectory

RELEASED = json.loads(
    (Path(__file__).parents[2] / "fixtures" / "released_rise" / "conversion.json").read_text()
)
CRITERIA = {"all": "all", "better": "better", "best": "best", "success": "successful"}
"""Name of a criterion in the released code -> its name here."""


def row(target: TrainingTarget) -> str:
    """Return the replies of a training row as the fixture writes them."""
    earlier = [message["content"] for message in target.history if message["role"] == "assistant"]
    return "|".join(reply.strip() for reply in (*earlier, target.reply))


@pytest.mark.parametrize("duplicates", ["", ", without duplicates"], ids=["with", "without"])
@pytest.mark.parametrize("criterion", CRITERIA)
def test_the_selection_trains_the_same_replies_with_the_same_histories(
    criterion: str, duplicates: str
) -> None:
    selection = Selection(criterion=CRITERIA[criterion], drop_duplicates=bool(duplicates))
    episodes: list[dict[str, Any]] = RELEASED["episodes"]
    found = [
        [row(target) for target in targets(trajectory(e["rewards"], e["replies"]), selection)]
        for e in episodes
    ]
    place = RELEASED["settings"].index(criterion + duplicates)
    assert found == [episode["rows"][place] for episode in episodes]
    assert len(found) == 300


def test_the_same_episodes_count_as_solved() -> None:
    for episode in RELEASED["episodes"]:
        played = trajectory(episode["rewards"], episode["replies"])
        assert bool(select_targets([played], Selection(solved_only=True))) == episode["solved"]


@pytest.mark.parametrize("tau", RELEASED["weights"])
def test_every_trained_reply_has_the_same_weight(tau: str) -> None:
    expected = RELEASED["weights"][tau]
    chosen = select_targets(
        [trajectory(e["rewards"], e["replies"], name=str(i)) for i, e in enumerate(RELEASED["episodes"])],
        Selection(),
    )
    found = weigh(
        np.array([target.reward for target in chosen]),
        [target.turn for target in chosen],
        [target.problem for target in chosen],
        tau=float(tau),
    )
    assert found.tolist() == pytest.approx([expected[f"{target.reward:g}"] for target in chosen])

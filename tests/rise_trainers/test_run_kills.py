"""A run that is ended at random moments ends as one that was left alone."""

from pathlib import Path

import pytest

from tests.rise_trainers.run_kills import end_often


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_a_run_ended_at_twenty_random_moments_has_the_weights_and_episodes_of_a_whole_one(
    tmp_path: Path,
) -> None:
    endings = end_often(tmp_path, 20, seed=0)
    assert len(endings) == 20
    assert {ending.sent.name for ending in endings} == {"SIGKILL", "SIGTERM"}

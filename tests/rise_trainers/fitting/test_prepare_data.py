import dataclasses
from pathlib import Path

from rise_env.types import Usage
from rise_trainers.fitting.prepare_data import prepare
from tests.rise_trainers import small_models


def test_the_order_of_a_stores_lines_changes_no_example(tmp_path: Path) -> None:
    episodes = small_models.trajectories(12)
    found = []
    for name, lines in (("a", episodes), ("b", episodes[::-1])):
        store = small_models.save_store(tmp_path / f"{name}.jsonl", lines)
        made = prepare(small_models.fit_config(tmp_path, data=(str(store),))).examples
        found.append([(example.ids.tolist(), example.coefficients.tolist()) for example in made])
    assert found[0] == found[1]
    assert len(found[0]) > 5


def test_numbers_of_prompt_tokens_that_a_server_counted_are_not_compared(tmp_path: Path) -> None:
    [episode] = small_models.trajectories(1)
    turns = tuple(
        dataclasses.replace(
            turn,
            attempts=tuple(
                dataclasses.replace(attempt, usage=Usage(prompt_tokens=3)) for attempt in turn.attempts
            ),
        )
        for turn in episode.turns
    )
    store = small_models.save_store(tmp_path / "s.jsonl", [dataclasses.replace(episode, turns=turns)])
    made = prepare(small_models.fit_config(tmp_path, data=(str(store),)))
    assert made.statistics["other_prompt"] == 0

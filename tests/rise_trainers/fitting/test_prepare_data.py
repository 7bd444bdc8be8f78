from pathlib import Path

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

import json
from pathlib import Path

from rise_benchmarks.report.critics import critics, sentences, warnings


def quality(folder: Path, auc_within: float | None) -> None:
    folder.mkdir(parents=True)
    measures = {"outcome": {"auc_within": auc_within, "auc": 0.86, "replies": 40}}
    (folder / "quality.json").write_text(json.dumps(measures))


def test_a_critic_that_only_knows_which_problems_are_hard_is_warned_about(tmp_path: Path) -> None:
    quality(tmp_path / "seed-0" / "critic", 0.585)
    quality(tmp_path / "seed-0" / "iteration-2" / "critic", 0.9)
    quality(tmp_path / "seed-1" / "critic", None)
    found = critics([tmp_path])
    assert sentences(found) == [
        "critic, seed 0: AUC within problems 0.58 (pooled 0.86) of outcome",
        "critic, seed 0, iteration 2: AUC within problems 0.90 (pooled 0.86) of outcome",
        "critic, seed 1: AUC within problems unknown (pooled 0.86) of outcome",
    ]
    [warning] = warnings(found)
    assert warning.startswith("critic, seed 0: it ranks replies to one problem hardly better than chance")
    assert critics([tmp_path / "none"]) == []

"""AlphaLLM's loop on the embedded problems: search, fit by scores, and again with the fitted model."""

import json
from pathlib import Path

import pytest

from rise_env.cli.main import main
from rise_env.trajectories.store import read_run, read_trajectories

RUN = [
    *("run", "--iterations", "2", "--turns", "1", "--problems.train", "20", "--problems.test", "0"),
    *("--sampling.max_new_tokens", "60", "--improve.teacher", "mcts:{learner}", "--improve.num_samples", "1"),
    *("--improve.teacher_settings", '{"option": "sentence", "tokens": 60, "critic": "confidence"}'),
    *("--fit.signal", "score", "--fit.weights", "binary", "--fit.epochs", "1", "--fit.batch_size", "8"),
    *("--fit.selection", '{"criterion": "successful", "success": 0.1}'),
]


CRITIC = [
    *("run", "--iterations", "2", "--turns", "1", "--problems.train", "16", "--problems.test", "4"),
    *("--sampling.max_new_tokens", "60", "--improve.teacher", "mcts:{learner}", "--improve.num_samples", "1"),
    *("--improve.teacher_settings", '{"option": "sentence", "tokens": 60, "critic": "verifier:{critic}"}'),
    *("--critic.train", "60", "--critic.samples", "6", "--critic.again", "true"),
    *("--critic.fit", '{"epochs": 1, "batch_size": 32}'),
    *("--fit.signal", "score", "--fit.weights", "exp", "--fit.epochs", "1", "--fit.batch_size", "8"),
    *("--measure.turns", "1", "--measure.num_samples", "1"),
]


@pytest.mark.slow
def test_a_run_fits_a_critic_and_searches_with_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "run"
    assert main([*CRITIC, "--out", str(out)]) == 0
    for folder in (out / "seed-0", out / "seed-0" / "iteration-2"):
        fitted = folder / "critic"
        assert (fitted / "model" / "config.json").is_file()
        assert json.loads((fitted / "quality.json").read_text())["outcome"]["replies"] > 0
    for iteration in (1, 2):
        store = out / "seed-0" / f"iteration-{iteration}" / "collect" / "trajectories.jsonl"
        assert "verifier:likelihood" in read_run(store)["agents"][-1][0]
        scores = [episode.turns[0].action.score for episode in read_trajectories(store)]
        assert all(score is not None and 0 <= score <= 1 for score in scores)
        assert len(set(scores)) > 1
    lines = [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]
    measured = [line for line in lines if line["phase"].endswith("critic-measure")]
    assert [line["iteration"] for line in measured] == [0, 2]
    assert "auc_within" in measured[0]["critic/outcome"]
    assert "critic, seed 0: AUC within problems" in (out / "report.md").read_text()


@pytest.mark.slow
def test_a_run_trains_on_the_scores_of_its_own_searches(tmp_path: Path) -> None:
    out = tmp_path / "run"
    assert main([*RUN, "--out", str(out)]) == 0
    agents = []
    kept = 0
    for iteration in (1, 2):
        folder = out / "seed-0" / f"iteration-{iteration}"
        store = folder / "collect" / "trajectories.jsonl"
        agents.append(read_run(store)["agents"][-1][0])
        episodes = list(read_trajectories(store))
        assert len(episodes) == 20
        assert all(episode.turns[0].action.score is not None for episode in episodes)
        assert (folder / "model" / "config.json").is_file()
        first = json.loads((folder / "model" / "metrics.jsonl").read_text().splitlines()[0])
        kept += sum((episode.turns[0].action.score or 0.0) >= 0.1 for episode in episodes)
        assert first["replies"] == kept  # every fit trains on all data so far
    assert all(name.startswith("mcts(") for name in agents)
    assert agents[0] != agents[1]  # the second iteration searches with the fitted model

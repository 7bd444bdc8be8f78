import json
from pathlib import Path

import pytest

from rise_agents.backends.scripted_agent import ScriptedAgent
from rise_env.cli.main import main
from rise_env.trajectories.store import TrajectoryStore, read_run, read_trajectories
from rise_trainers.cli.label import measure_critic
from rise_trainers.data.critic_data import is_held_out
from tests.rise_trainers.data.test_critic_data import R, W, played


def store(path: Path) -> Path:
    with TrajectoryStore(path, {"played": True}) as written:
        written.append(played(f"p{number}", R, W) for number in range(40))
    return path


def knowing() -> ScriptedAgent:
    """Knows that the first reply of each problem is right."""
    return ScriptedAgent(
        lambda c: "\\boxed{0.9}" if "first 0" in c[0]["content"] else "\\boxed{no}", name="knowing"
    )


def test_examples_are_written_once_and_split_by_problem(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["label", str(store(tmp_path / "played.jsonl")), "--out", str(tmp_path / "critic")]
    assert main(command) == 0
    assert "examples in" in capsys.readouterr().out
    files = [tmp_path / "critic" / name for name in ("examples.jsonl", "held_out.jsonl")]
    train, held = (list(read_trajectories(file)) for file in files)
    assert len(train) + len(held) == 40 * 6
    assert all(is_held_out(one.problem.id) for one in held)
    assert not any(is_held_out(one.problem.id) for one in train)
    assert read_run(files[0])["per_reply"] == 2
    before = [file.read_bytes() for file in files]
    assert main(command) == 0
    assert [file.read_bytes() for file in files] == before


def test_a_critic_is_measured_with_the_held_out_examples(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    main(["label", str(store(tmp_path / "played.jsonl")), "--out", str(tmp_path / "critic")])
    held = str(tmp_path / "critic" / "held_out.jsonl")
    assert main(["label", held, "--measure", f"{__name__}:knowing"]) == 0
    shown = capsys.readouterr().out
    assert "outcome:" in shown
    assert "AUC within problems 1.000, pooled 1.000" in shown
    assert not caplog.messages
    found = measure_critic(ScriptedAgent(lambda _: "\\boxed{yes}"), list(read_trajectories(held)))
    assert found["outcome"].auc_within == 0.5
    assert "hardly better than chance" in caplog.text


def test_a_store_without_contrasts_has_no_examples(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with TrajectoryStore(tmp_path / "played.jsonl", {}) as written:
        written.append([played("p", R, R)])
    assert main(["label", str(tmp_path / "played.jsonl"), "--out", str(tmp_path / "critic")]) == 2
    assert "--examples.balance false" in capsys.readouterr().err
    assert not (tmp_path / "critic").exists()


def test_either_a_folder_or_an_agent_is_needed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["label", str(tmp_path / "x.jsonl")]) == 2
    assert "give --out FOLDER" in capsys.readouterr().err


def test_the_measures_of_a_critic_are_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    critic = tmp_path / "critic"
    main(["label", str(store(tmp_path / "played.jsonl")), "--out", str(critic)])
    measure = ["--measure", f"{__name__}:knowing", "--out", str(critic)]
    assert main(["label", str(critic / "held_out.jsonl"), *measure]) == 0
    found = json.loads((critic / "quality.json").read_text())
    assert found["outcome"]["auc_within"] == 1.0
    assert found["outcome"].keys() >= {"replies", "auc", "calibration_error", "precision", "recall"}
    with TrajectoryStore(tmp_path / "none.jsonl", {}):
        pass
    assert main(["label", str(tmp_path / "none.jsonl"), *measure]) == 0
    assert "has no examples: the critic is not measured" in capsys.readouterr().out
    assert json.loads((critic / "quality.json").read_text()) == {}

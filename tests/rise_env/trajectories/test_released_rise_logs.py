import json
import math
from pathlib import Path
from typing import Any

import pytest

from rise_env.cli.main import main
from rise_env.errors import StoreError
from rise_env.trajectories.export.formats import fastchat
from rise_env.trajectories.released_rise_logs import read_released_log
from rise_env.trajectories.store import read_trajectories
from rise_env.types import Verdict

QUERY = "How many legs have two cats?"
EVALUATION = Path(__file__).parents[2] / "fixtures" / "released_rise" / "3_turns.json"
OPENING = [
    {"role": "user", "content": "Solve step by step. Example: ..."},
    {"role": "agent", "content": "The answer is \\boxed{17}"},
    {"role": "user", "content": f"Well done. Next.\n{QUERY}"},
]


def episode(task: int, actions: list[list[str]], rewards: list[list[int]]) -> dict[str, Any]:
    """An episode as the released generator logs it; the last reply is not in its dialogue."""
    best = [row.index(max(row)) for row in rewards]
    chosen = [row[i] for row, i in zip(actions, best, strict=True)]
    dialogue = list(OPENING)
    for action in chosen[:-1]:
        dialogue += [{"role": "agent", "content": action}, {"role": "user", "content": "Wrong, again."}]
    return {
        "task_id": task,
        "query": QUERY,
        "answer": "8",
        "max_reward": max(map(max, rewards)),
        "turn_history": {
            "best_actions": chosen,
            "actions": {str(t): row for t, row in enumerate(actions)},
            "best_observations": ["Wrong, again."] * len(actions),
            "observations": {str(t): ["Wrong, again."] * len(row) for t, row in enumerate(actions)},
            "best_rewards": [row[i] for row, i in zip(rewards, best, strict=True)],
            "rewards": {str(t): row for t, row in enumerate(rewards)},
        },
        "dialogue": dialogue,
    }


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "2_turns.json"
    blocked = episode(2, [["\\boxed{3}"]], [[0]])
    blocked["turn_history"]["actions"]["1"] = ["blocked"]
    blocked["turn_history"]["rewards"]["1"] = [None]
    content = {
        "0": episode(0, [["\\boxed{6}"], ["none", "\\boxed{8}", "\\boxed{8}!"]], [[0], [-1, 1, 1]]),
        "1": episode(1, [["\\boxed{6}"], ["no idea"]], [[0], [-1]]),
        "2": blocked,
    }
    path.write_text(json.dumps(content, indent=2))
    return path


def test_a_log_gives_its_episodes(log: Path) -> None:
    solved, unsolved, blocked = read_released_log(log, agent="llama")
    assert [[a.check.verdict for a in turn.attempts] for turn in solved.turns] == [
        [Verdict.WRONG],
        [Verdict.NO_ANSWER, Verdict.CORRECT, Verdict.CORRECT],
    ]
    assert solved.turns[1].chosen == 1
    assert solved.turns[1].action.agent == "llama"
    assert [message["role"] for message in solved.turns[1].observation] == [
        "user",
        "assistant",
        "user",
        "assistant",
        "user",
    ]
    assert (solved.terminated, unsolved.truncated, unsolved.terminated) == (True, True, False)
    assert blocked.error == "turn 2: blocked"
    assert len(blocked.turns) == 1
    assert solved.problem.reference == "8"
    assert len({solved.id, unsolved.id, blocked.id}) == 3


def test_an_imported_log_exports_to_the_rows_the_released_code_trains_on(log: Path) -> None:
    rows = list(fastchat(read_released_log(log)))
    assert [len(row["conversations"]) for row in rows] == [4, 6, 4, 6]
    weights = [row["conversations"][-1]["loss"] for row in rows]
    assert weights == pytest.approx([1, math.exp(2.5), 1, math.exp(-2.5)])
    assert all(said["loss"] == 0 for row in rows for said in row["conversations"][:-1])
    assert rows[1]["conversations"][2]["value"].endswith(QUERY)


def test_the_command_imports_a_log(log: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "s.jsonl"
    assert main(["store", "import", str(log), "--out", str(out)]) == 0
    assert "3 episodes" in capsys.readouterr().out
    assert list(read_trajectories(out)) == list(read_released_log(log))


def test_a_log_of_the_released_evaluation_gives_its_episodes() -> None:
    right, wrong, silent = Verdict.CORRECT, Verdict.WRONG, Verdict.NO_ANSWER
    lost, sampled, blocked = read_released_log(EVALUATION, agent="llama")
    assert [turn.action.check.verdict for turn in lost.turns] == [wrong, right, wrong]
    assert [[a.check.verdict for a in turn.attempts] for turn in sampled.turns] == [
        [silent, right],
        [right],
        [right],
    ]
    assert sampled.turns[0].chosen == 1
    assert [len(turn.observation) for turn in lost.turns] == [1, 3, 5]
    assert lost.turns[0].observation == ({"role": "user", "content": QUERY},)
    assert lost.turns[2].observation[3]["content"] == "\\boxed{8}"
    assert lost.problem.reference == "8"
    assert (lost.problem.solution or "").endswith("#### 8")
    # the released evaluation never ends an episode early, right or not
    assert [(e.terminated, e.truncated) for e in (lost, sampled)] == [(False, True)] * 2
    assert (len(blocked.turns), blocked.error) == (1, "turn 2: blocked")


@pytest.mark.parametrize(
    ("answer", "reference", "solution"),
    [
        ("2 * 4 = 8\n#### 8", "8", "2 * 4 = 8\n#### 8"),
        (r"So it is $\boxed{\frac{1}{2}}$.", r"\frac{1}{2}", r"So it is $\boxed{\frac{1}{2}}$."),
        ("8", "8", None),
    ],
)
def test_the_reference_is_the_answer_that_the_logged_solution_ends_with(
    tmp_path: Path, answer: str, reference: str, solution: str | None
) -> None:
    path = tmp_path / "1_turns.json"
    path.write_text(json.dumps({"0": {**episode(0, [["hm"]], [[0]]), "answer": answer}}))
    [found] = read_released_log(path)
    assert (found.problem.reference, found.problem.solution) == (reference, solution)


def test_the_command_imports_a_log_of_the_released_evaluation(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "s.jsonl"
    assert main(["store", "import", str(EVALUATION), "--out", str(out)]) == 0
    assert "3 episodes" in capsys.readouterr().out
    assert list(read_trajectories(out)) == list(read_released_log(EVALUATION))


@pytest.mark.parametrize("content", ["[]", "{", '{"0": {"query": "q"}}', '{"0": 3}'])
def test_another_file_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "x.json"
    path.write_text(content)
    with pytest.raises(StoreError):
        list(read_released_log(path))

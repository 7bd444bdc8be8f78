import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from rise_env.cli.main import main
from rise_env.trajectories.export.formats import FORMATS
from rise_env.trajectories.export.writers import WRITERS
from rise_env.trajectories.merge import merge
from rise_env.trajectories.store import TrajectoryStore, read_run, read_trajectories
from rise_env.types import Attempt, Trajectory, Verdict
from tests.rise_env.problem_factories import trajectory
from tests.rise_env.trajectories import write_reasoning_and_tokens


@pytest.fixture
def store(tmp_path: Path) -> Path:
    path = tmp_path / "s.jsonl"
    with TrajectoryStore(path, {"env": "sums", "seed": 3}) as opened:
        opened.append([trajectory(i) for i in range(4)])
    return path


def failed(index: int) -> Trajectory:
    made = trajectory(index, turns=0)
    object.__setattr__(made, "error", "turn 1: gone")
    object.__setattr__(made, "truncated", False)
    return made


def test_info_says_what_was_run_and_how_it_went(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["store", "info", str(store)]) == 0
    out = capsys.readouterr().out
    assert "env           sums" in out
    assert "episodes      4\n" in out
    assert "turn 2        4 played, 0.0% correct" in out
    assert "wrong 8" in out
    assert "replies       8, 4 tokens" in out


def test_show_prints_an_episode(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["store", "show", str(store), "--start", "2"]) == 0
    out = capsys.readouterr().out
    assert "sums/2 · reference 4" in out
    assert "> [a: wrong '1', 0] It is 1. \\boxed{1}" in out
    assert "-- turn limit reached" in out
    assert out.count("==") == 1


def test_show_finds_an_id_by_its_first_characters(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made = trajectory(3)
    assert main(["store", "show", str(store), "--id", made.id]) == 0
    assert "sums/3" in capsys.readouterr().out
    assert main(["store", "show", str(store), "--id", "zzz"]) == 2


def test_recheck_reports_what_changed_and_writes_a_new_store(
    store: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    # "sums/0" has the reference 0 and "It is 0" was stored as wrong
    out = tmp_path / "new.jsonl"
    assert main(["store", "recheck", str(store), "--checker", "numeric", "--out", str(out)]) == 0
    said = capsys.readouterr().out
    assert "1 of 8 replies have another verdict" in said
    assert "wrong -> correct: 1" in said
    before, after = list(read_trajectories(store)), list(read_trajectories(out))
    assert after[0].turns[0].action.check.verdict is Verdict.CORRECT
    assert after[0].turns[0].action.reward == 1.0
    assert len(after[0].turns) == 2  # what happened stays
    assert [t.id for t in after] == [t.id for t in before]
    verdicts = [turn.action.check.verdict for t in after[1:] for turn in t.turns]
    assert verdicts == [Verdict.WRONG] * 6
    assert read_run(out)["rechecked"] == "numeric"


def test_merge_takes_each_episode_once(tmp_path: Path, store: Path) -> None:
    other = tmp_path / "o.jsonl"
    with TrajectoryStore(other, {"env": "sums", "seed": 3}) as opened:
        opened.append([trajectory(i) for i in (3, 4, 5)])
    out = tmp_path / "m.jsonl"
    assert main(["store", "merge", str(store), str(other), "--out", str(out)]) == 0
    assert [t.problem.id for t in read_trajectories(out)] == [f"sums/{i}" for i in range(6)]
    assert read_run(out) == read_run(store)


def test_a_merge_of_different_runs_lists_them(tmp_path: Path, store: Path) -> None:
    other = tmp_path / "o.jsonl"
    TrajectoryStore(other, {"env": "products"}).close()
    merge([store, other], tmp_path / "m.jsonl")
    assert [run["env"] for run in read_run(tmp_path / "m.jsonl")["merged"]] == ["sums", "products"]


def test_without_its_failures_a_store_can_be_continued(tmp_path: Path, store: Path) -> None:
    with TrajectoryStore(store, {"env": "sums", "seed": 3}) as opened:
        opened.append([failed(7)])
    out = tmp_path / "m.jsonl"
    assert main(["store", "merge", str(store), "--out", str(out), "--drop-failed"]) == 0
    with TrajectoryStore(out, {"env": "sums", "seed": 3}) as opened:
        assert failed(7).id not in opened.ids
        assert len(opened.ids) == 4


def test_nothing_is_overwritten(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = store.read_bytes()
    for command in (
        ["merge", str(store), "--out", str(store)],
        ["recheck", str(store), "--checker", "numeric", "--out", str(store)],
        ["export", str(store), "--format", "messages", "--out", str(store)],
    ):
        assert main(["store", *command]) == 2
        assert "exists already" in capsys.readouterr().err
    assert store.read_bytes() == before


def test_a_store_that_is_not_there_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["store", "info", str(tmp_path / "none.jsonl")]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def export(store: Path, name: str, out: Path) -> list[dict[str, Any]]:
    assert main(["store", "export", str(store), "--format", name, "--out", str(out)]) == 0
    if out.suffix == ".json":
        return list(json.loads(out.read_text()))
    return [json.loads(line) for line in out.read_text().splitlines()]


def test_messages_hold_the_whole_conversation(store: Path, tmp_path: Path) -> None:
    rows = export(store, "messages", tmp_path / "m.jsonl")
    assert len(rows) == 4
    assert [message["role"] for message in rows[1]["messages"]] == ["user", "assistant", "user", "assistant"]
    assert rows[1]["messages"][-1]["content"] == "It is 1. \\boxed{1}"
    assert rows[1]["rewards"] == [0.0, 0.0]
    assert rows[1]["verdicts"] == ["wrong", "wrong"]


def test_a_sliding_window_hides_nothing_from_messages(tmp_path: Path) -> None:
    from rise_env.trajectories.export.formats import conversation

    assert conversation(trajectory(1, turns=6, window=2)) == conversation(trajectory(1, turns=6))
    assert conversation(trajectory(1, turns=6, window=1)) == conversation(trajectory(1, turns=6))


def test_prompt_completion_has_a_row_per_turn(store: Path, tmp_path: Path) -> None:
    rows = export(store, "prompt_completion", tmp_path / "p.jsonl")
    assert len(rows) == 8
    assert [len(row["prompt"]) for row in rows[:2]] == [1, 3]
    assert rows[1]["completion"] == [{"role": "assistant", "content": "It is 1. \\boxed{1}"}]


@pytest.mark.parametrize("ending", [".jsonl", ".parquet"])
def test_what_a_model_thought_is_beside_its_replies(tmp_path: Path, ending: str) -> None:
    source = str(write_reasoning_and_tokens.FOLDER / "trajectories.jsonl")
    for name in ("messages", "prompt_completion"):
        out = tmp_path / f"{name}{ending}"
        assert main(["store", "export", source, "--format", name, "--out", str(out)]) == 0
        if ending == ".jsonl":
            rows = [json.loads(line) for line in out.read_text().splitlines()]
        else:
            rows = pytest.importorskip("datasets").Dataset.from_parquet(str(out)).to_list()
        said = rows[0]["messages"] if name == "messages" else [*rows[1]["prompt"], *rows[1]["completion"]]
        thoughts = [message.get("reasoning_content") for message in said]
        assert thoughts == [None, "Two and two,\nor two and one.", None, None]


def sampled(number: int, rewards: dict[str, float]) -> Trajectory:
    """An episode of one turn with these replies, and two wrong replies at a second turn."""
    episode = trajectory(number)
    first, second = episode.turns

    def attempts(like: Attempt, rewards: Mapping[str, float]) -> tuple[Attempt, ...]:
        return tuple(dataclasses.replace(like, reply=r, reward=w) for r, w in rewards.items())

    turns = (
        dataclasses.replace(first, attempts=attempts(first.action, rewards), chosen=0),
        dataclasses.replace(second, attempts=attempts(second.action, {"no": 0.0, "nope": 0.0}), chosen=0),
    )
    return dataclasses.replace(episode, turns=turns)


def test_preference_pairs_have_the_same_prompt_and_a_better_and_a_worse_reply(tmp_path: Path) -> None:
    path = tmp_path / "s.jsonl"
    first = sampled(1, {"right": 1.0, "wrong": 0.0, "silent": -1.0})
    again = dataclasses.replace(
        sampled(1, {"wrong": 0.0, "other": 0.0, "right too": 1.0}), id="again", seed=5
    )
    with TrajectoryStore(path, {}) as store:
        store.append([first, again, sampled(2, {"a": 0.0, "b": 0.0})])
    rows = export(path, "preference", tmp_path / "p.jsonl")
    said = [
        (
            row["chosen"][0]["content"],
            row["rejected"][0]["content"],
            row["score_chosen"],
            row["score_rejected"],
        )
        for row in rows
    ]
    assert said == [
        ("right", "wrong", 1.0, 0.0),
        ("right too", "silent", 1.0, -1.0),
        ("right", "other", 1.0, 0.0),
    ]
    assert all(row["prompt"] == [dict(message) for message in first.turns[0].observation] for row in rows)
    assert {row["chosen"][0]["role"] for row in rows} == {row["rejected"][0]["role"] for row in rows}
    assert {(row["turn"], row["problem_id"]) for row in rows} == {(0, first.problem.id)}


def test_replies_at_different_turns_or_to_different_histories_make_no_pair(tmp_path: Path) -> None:
    from rise_env.trajectories.export.formats import preference

    assert list(preference([trajectory(1), trajectory(2)])) == []


def test_verl_has_a_row_per_problem(store: Path, tmp_path: Path) -> None:
    rows = export(store, "verl", tmp_path / "v.jsonl")
    assert [row["reward_model"]["ground_truth"] for row in rows] == ["0", "2", "4", "6"]
    assert rows[2]["prompt"] == [{"role": "user", "content": "What is 2 + 2?"}]
    assert rows[2]["extra_info"] == {"split": "", "index": 2, "problem_id": "sums/2", "source": ""}


def test_fastchat_weighs_the_last_reply_and_masks_the_rest(store: Path, tmp_path: Path) -> None:
    rows = export(store, "fastchat", tmp_path / "f.json")
    assert [row["id"] for row in rows] == [f"identity_{i}" for i in range(8)]
    assert [said["from"] for said in rows[1]["conversations"]] == ["human", "gpt", "human", "gpt"]
    assert [said["loss"] for said in rows[1]["conversations"]] == [0, 0, 0, 1.0]


def test_fastchat_ends_with_the_first_correct_reply(tmp_path: Path) -> None:
    from rise_env.checkers import NumericChecker
    from rise_env.envs.rewards import Rewards
    from rise_env.trajectories.export.formats import fastchat
    from rise_env.trajectories.recheck import Changes, recheck

    # "sums/1" has the reference 2, which is the third of its four replies
    [made] = recheck([trajectory(1, turns=4)], NumericChecker(), Rewards(), Changes())
    rows = list(fastchat([made]))
    assert [round(row["conversations"][-1]["loss"], 2) for row in rows] == [1.0, 1.0, 12.18]


def test_failed_episodes_are_not_exported(tmp_path: Path) -> None:
    path = tmp_path / "s.jsonl"
    with TrajectoryStore(path, {}) as opened:
        opened.append([failed(1), trajectory(2)])
    assert len(export(path, "messages", tmp_path / "m.jsonl")) == 1


def test_datasets_reads_parquet_and_folders(store: Path, tmp_path: Path) -> None:
    datasets = pytest.importorskip("datasets")
    for out in (tmp_path / "m.parquet", tmp_path / "folder"):
        assert main(["store", "export", str(store), "--format", "messages", "--out", str(out)]) == 0
    table = datasets.Dataset.from_parquet(str(tmp_path / "m.parquet"), cache_dir=str(tmp_path / "cache"))
    assert table[1]["messages"][0] == {"role": "user", "content": "What is 1 + 1?"}
    assert datasets.load_from_disk(str(tmp_path / "folder"))[3]["reference"] == "6"


def test_an_unknown_ending_says_what_there_is(
    store: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = str(tmp_path / "m.csv")
    assert main(["store", "export", str(store), "--format", "messages", "--out", out]) == 2
    assert "cannot write '.csv' files: end --out in .jsonl" in capsys.readouterr().err


def test_a_file_type_needs_one_entry(store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(WRITERS, ".count", lambda rows, path: path.write_text(str(len(list(rows())))))
    out = tmp_path / "m.count"
    assert main(["store", "export", str(store), "--format", "messages", "--out", str(out)]) == 0
    assert out.read_text() == "4"


def test_a_store_without_healthy_episodes_exports_nothing(tmp_path: Path) -> None:
    path = tmp_path / "s.jsonl"
    TrajectoryStore(path, {}).close()
    out = tmp_path / "m.jsonl"
    assert main(["store", "export", str(path), "--format", "messages", "--out", str(out)]) == 2
    assert not out.exists()


@pytest.mark.parametrize("options", [("--start", "-1"), ("--limit", "-1"), ("--limit", "0")])
def test_a_start_or_limit_that_cannot_be_is_one_line(
    store: Path, capsys: pytest.CaptureFixture[str], options: tuple[str, str]
) -> None:
    assert main(["store", "show", str(store), *options]) == 2
    assert capsys.readouterr().err == (
        "rise store: --start must be at least 0 and --limit at least 1, got "
        + ("-1 and 1\n" if options[0] == "--start" else f"0 and {options[1]}\n")
    )


WRITING = {
    "merge": ["merge", "GOOD", "STORE"],
    "recheck": ["recheck", "STORE", "--checker", "numeric"],
}


def _write(name: str, store: Path, tmp_path: Path) -> list[str]:
    """Return a command that reads `store` after other episodes and writes m.jsonl."""
    good = tmp_path / "good.jsonl"
    with TrajectoryStore(good, {"env": "sums", "seed": 3}) as opened:
        opened.append([trajectory(i) for i in (10, 11)])
    names = {"GOOD": str(good), "STORE": str(store)}
    words = [names.get(word, word) for word in WRITING[name]]
    return ["store", *words, "--out", str(tmp_path / "m.jsonl")]


@pytest.mark.parametrize("name", WRITING)
def test_a_command_that_fails_leaves_no_file(store: Path, tmp_path: Path, name: str) -> None:
    with store.open("a") as file:
        file.write("no trajectory\n")
    command = _write(name, store, tmp_path)
    before = {path.name for path in tmp_path.iterdir()}
    assert main(command) == 2
    assert {path.name for path in tmp_path.iterdir()} == before


@pytest.mark.parametrize("name", WRITING)
def test_a_file_appears_when_it_is_complete(
    store: Path, tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    out, seen = tmp_path / "m.jsonl", []
    append = TrajectoryStore.append

    def look(self: TrajectoryStore, trajectories: Any) -> int:
        seen.append(out.exists())
        return append(self, trajectories)

    command = _write(name, store, tmp_path)
    monkeypatch.setattr(TrajectoryStore, "append", look)
    assert main(command) == 0
    assert not any(seen)
    assert seen
    assert len(list(read_trajectories(out))) >= 4
    assert not list(tmp_path.glob("*.partial"))


@pytest.mark.parametrize("name", WRITING)
def test_a_file_that_another_process_writes_is_not_touched(
    store: Path, tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    partial = tmp_path / "m.jsonl.partial"
    partial.write_text("mine")
    assert main(_write(name, store, tmp_path)) == 2
    assert "m.jsonl.partial exists" in capsys.readouterr().err
    assert partial.read_text() == "mine"


def test_an_import_that_fails_leaves_no_file(tmp_path: Path) -> None:
    log = tmp_path / "log.json"
    log.write_text("no log")
    assert main(["store", "import", str(log), "--out", str(tmp_path / "m.jsonl")]) == 2
    assert [path.name for path in tmp_path.iterdir()] == ["log.json"]


def test_an_out_that_cannot_be_made_is_one_line(
    store: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for out in (store / "m.jsonl", Path("/proc/no/m.jsonl")):
        assert main(["store", "merge", str(store), "--out", str(out)]) == 2
        said = capsys.readouterr().err
        assert "cannot make the store" in said
        assert said.count("\n") == 1


def test_a_format_needs_one_entry_to_be_offered_by_the_command(
    store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(FORMATS, "ids", lambda found: ({"id": each.id} for each in found))
    assert export(store, "ids", tmp_path / "ids.jsonl") == [{"id": trajectory(i).id} for i in range(4)]
    with pytest.raises(SystemExit):
        main(["store", "export", "--help"])
    assert "ids" in capsys.readouterr().out


def test_show_prints_what_a_model_thought_before_its_reply(capsys: pytest.CaptureFixture[str]) -> None:
    fixture = Path(__file__).parents[2] / "fixtures" / "reasoning_and_tokens" / "trajectories.jsonl"
    thoughts = [
        attempt.reasoning
        for trajectory in read_trajectories(fixture)
        for turn in trajectory.turns
        for attempt in turn.attempts
        if attempt.reasoning
    ]
    assert main(["store", "show", str(fixture), "--limit", "100"]) == 0
    shown = capsys.readouterr().out
    assert thoughts
    assert all(f"thought] {thought}" in shown for thought in thoughts)


def test_info_prints_settings_as_names_and_values_and_failures_by_reason(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "s.jsonl"
    record = {
        "env": "sums",
        "agents": [["tiny", 1], ["tiny", 1], ["expert", 16]],
        "settings": {
            "env": "sums",
            "stop": True,
            "limit": None,
            "sampling": {"temperature": 0.5},
            "more": {},
        },
    }
    with TrajectoryStore(path, record) as opened:
        opened.append([trajectory(1), failed(2), failed(3)])
    assert main(["store", "info", str(path)]) == 0
    out = capsys.readouterr().out
    assert "agents        tiny x 2, expert (up to 16 samples)\n" in out
    assert "settings      stop yes, limit none, sampling.temperature 0.5, more none\n" in out
    assert "failures      2 of 3 (66.7 %) episodes failed:\n                2 x gone\n" in out
    assert not set("{}[]'") & set(out)

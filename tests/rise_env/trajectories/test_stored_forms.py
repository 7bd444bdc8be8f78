"""A store of each form that a version of RISE has written is a fixture, and stays readable."""

import json
from pathlib import Path

from rise_env.trajectories.merge import merge
from rise_env.trajectories.model_formats import stored_formats
from rise_env.trajectories.recheck import Changes, recheck
from rise_env.trajectories.serialization import to_json
from rise_env.trajectories.store import TrajectoryStore, load_trajectories, read_run, read_trajectories
from rise_env.types import CheckResult, Verdict
from tests.rise_env.trajectories import write_reasoning_and_tokens as fixture

STORE = fixture.FOLDER / "trajectories.jsonl"


def test_reasoning_tokens_and_formats_are_read_field_by_field() -> None:
    [read] = load_trajectories(STORE)
    first, second = read.turns
    assert (first.chosen, second.chosen) == (1, 0)
    without, action = first.attempts
    assert (without.reasoning, without.token_ids, without.logprobs) == ("", None, None)
    assert (without.agent, without.finish, without.check.seconds) == ("server", "length", 0.25)
    assert action.reasoning == "Two and two,\nor two and one."
    assert action.token_ids == (1, 2, 65535)
    assert action.logprobs == (-0.5, -1.25, 0.0)
    assert (action.usage.prompt_tokens, action.usage.completion_tokens, action.usage.cached_tokens) == (
        9,
        4,
        2,
    )
    assert second.observation[1] == {
        "role": "assistant",
        "content": "Is it \\boxed{3}?",
        "reasoning_content": action.reasoning,
    }
    assert second.action.token_ids == (151645, 7)
    assert second.action.logprobs == (-0.0625, float("-inf"))
    assert read == fixture.trajectory()
    assert stored_formats(read_run(STORE)) == {"thinker": (fixture.FORMAT,)}


def test_what_was_read_is_written_as_it_was() -> None:
    _, line = STORE.read_text().splitlines()
    assert [to_json(read) for read in load_trajectories(STORE)] == [json.loads(line)]


def later_store(folder: Path) -> Path:
    """Return the path of a store with fields that this version does not know."""
    header, line = STORE.read_text().splitlines()
    row = json.loads(line)
    row["weather"] = "rain"
    row["problem"]["license"] = "MIT"
    row["turns"][0]["hint"] = {"text": "count"}
    row["turns"][0]["attempts"][1]["votes"] = [1, 2]
    path = folder / "later.jsonl"
    path.write_text("\n".join([json.dumps({**json.loads(header), "room": 7}), json.dumps(row), ""]))
    return path


def test_merging_keeps_the_fields_of_a_later_version(tmp_path: Path) -> None:
    later = later_store(tmp_path)
    assert merge([later], tmp_path / "merged.jsonl") == 1
    before, after = (
        [json.loads(line) for line in path.read_text().splitlines()]
        for path in (later, tmp_path / "merged.jsonl")
    )
    assert after == before


class Wrong:
    """A checker for which every reply is wrong."""

    def check(self, reply: str, reference: str, *, question: str = "") -> CheckResult:
        """Return the verdict."""
        return CheckResult(Verdict.WRONG)


def test_checking_again_keeps_reasoning_tokens_and_the_fields_of_a_later_version(tmp_path: Path) -> None:
    later = later_store(tmp_path)
    with TrajectoryStore(tmp_path / "again.jsonl", read_run(later)) as store:
        store.append(recheck(read_trajectories(later), Wrong(), lambda check, turn: -1.0, Changes()))
    [before], [after] = load_trajectories(later), load_trajectories(tmp_path / "again.jsonl")
    assert after.turns[1].action.check.verdict is Verdict.WRONG
    assert (after.extra, after.problem) == (before.extra, before.problem)
    assert after.extra == {"weather": "rain"}
    for turn, old in zip(after.turns, before.turns, strict=True):
        assert (turn.observation, turn.chosen, turn.extra) == (old.observation, old.chosen, old.extra)
        for attempt, stored in zip(turn.attempts, old.attempts, strict=True):
            for name in ("reply", "reasoning", "token_ids", "logprobs", "extra"):
                assert getattr(attempt, name) == getattr(stored, name)

import json
import re
from pathlib import Path
from typing import Any

import pytest

import rise_env
from rise_agents.backends.scripted_agent import ScriptedAgent
from rise_agents.imagination.filters import KnownQuestions, is_question, majority
from rise_agents.imagination.imagine import ImagineSettings, imagine
from rise_agents.imagination.questions import asked, read_question
from rise_agents.types import SamplingConfig
from rise_env.cli.main import main
from rise_env.envs.math_env import math_env_of
from rise_env.types import Conversation, Problem

THINGS = ("pears", "boats", "stamps", "drums", "wolves", "maps", "kites", "roses", "tents", "coins")


def writer(conversation: Conversation) -> str:
    """Writes about a thing and number of its examples, and adds right but for every third number."""
    text = conversation[0]["content"]
    if "Write" in text:
        number = sum(map(ord, text)) % 97
        return (
            f"Problem: {THINGS[number % 10]} and {number}: how {'very ' * (number % 4)}many is {number} + 1?"
        )
    number = int(re.findall(r"(\d+) \+ 1", text)[0])
    return f"\\boxed{{{number + 1}}}" if number % 3 else "I do not know."


def problems() -> list[Problem]:
    return [Problem(id=f"p{i}", question=f"What is {i} times {i}?", reference="0") for i in range(50)]


def imagined(path: Path, **settings: Any) -> list[dict[str, Any]]:
    chosen = ImagineSettings(**{"count": 6, "draws": 2, "batch": 5, **settings})
    imagine(ScriptedAgent(writer), problems(), [], path, chosen, SamplingConfig())
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_problems_are_kept_whose_answers_agree(tmp_path: Path) -> None:
    rows = imagined(tmp_path / "new.jsonl")
    assert len(rows) == 6
    for row in rows:
        number = int(re.findall(r"(\d+) \+ 1", row["question"])[0])
        assert (row["answer"], row["pseudo"], row["agreement"]) == (str(number + 1), True, 1.0)
        assert number % 3
    assert len({row["question"] for row in rows}) == 6


def test_rounds_and_interruptions_change_nothing(tmp_path: Path) -> None:
    whole = imagined(tmp_path / "whole.jsonl")
    assert imagined(tmp_path / "small.jsonl", batch=1) == whole
    cut = tmp_path / "cut.jsonl"
    data = (tmp_path / "whole.jsonl").read_bytes()
    for place in (0, 30, data.index(b"\n") + 1, len(data) // 2, len(data)):
        cut.write_bytes(data[:place])
        assert imagined(cut) == whole
        assert cut.read_bytes() == data


def test_a_question_that_repeats_a_known_one_is_dropped() -> None:
    long = " ".join(f"word{i}" for i in range(40))
    known = KnownQuestions([long, "Ann has 3 red apples and eats one. How many are left?"])
    assert known.repeats("other words: " + long[: long.index("word14")])
    assert not known.repeats("other words: " + " ".join(f"word{i}" for i in range(12)))
    near = "Ann has 4 red apples and eats one. How many are left?"
    assert known.repeats(near)
    assert not known.repeats(near, except_of="Ann has 3 red apples and eats one. How many are left?")
    assert not known.repeats("A train needs 2 hours. How far does it go at 60 km per hour?")


def test_the_majority_is_a_share_of_all_answers() -> None:
    assert majority(["\\boxed{4}", "\\boxed{4.0}", "\\boxed{5}", "?"]) == ("4", 0.5)
    assert majority(["?", "no"]) == (None, 0.0)
    assert not is_question("How many are left?")


def test_an_agent_sees_questions_and_no_answers() -> None:
    [message] = asked("similar", ["a?", "b?"])
    assert message["content"].startswith("Here are 2 problems:\n\na?\n\nb?")
    [message] = asked("rephrase", ["a?"])
    assert "same answer" in message["content"]
    assert read_question("Here is a new problem:\n\nHow much is 2 + 2?") == "How much is 2 + 2?"
    assert read_question("Is Ann: 3 or 4?") == "Is Ann: 3 or 4?"


def agent() -> ScriptedAgent:
    return ScriptedAgent(writer)


def test_the_command_makes_problems_for_the_custom_environment(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "runs" / "new.jsonl"
    given = ["imagine", "RISE-Arithmetic-v0", "--agent", f"{__name__}:agent", "--draws", "2", "--count", "4"]
    given += ["--env_settings", '{"split": "validation", "size": 30}', "--out", str(out)]
    assert main(given) == 0
    assert "4 of 4 problems" in capsys.readouterr().out
    env = math_env_of(rise_env.make("RISE-Custom-v0", dataset=str(out), where={"pseudo": True}))
    assert len(env.problems) == 4
    assert env.problems[0].meta["agreement"] == 1.0
    assert main(given) == 0
    assert len(out.read_text().splitlines()) == 4
    assert main([*given[:-1], str(tmp_path)]) == 2
    assert "name a file" in capsys.readouterr().err
    other = tmp_path / "other.jsonl"
    other.write_text('{"a": 1}\n')
    assert main([*given[:-1], str(other)]) == 2
    assert "holds no imagined problems" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("option", "message"),
    [
        (["--draws", "1"], "draws must be at least 2"),
        (["--agreement", "0"], "agreement must be above 0"),
        (["--count", "0"], "count must be at least 1"),
        (["--kinds", "[similr]"], "kinds"),
    ],
)
def test_wrong_settings_are_refused(
    option: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = ["imagine", "RISE-Arithmetic-v0", "--agent", "tiny", "--out", str(tmp_path / "x.jsonl")]
    assert main([*given, *option]) == 2
    assert message in capsys.readouterr().err

import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from rise_agents.backends.scripted_agent import ScriptedAgent
from rise_agents.learning.config import LearnConfig
from rise_agents.learning.learn import run
from rise_agents.learning.prompts import COMPRESS
from rise_agents.memory.events import read_memory
from rise_agents.memory.settings import MemorySettings
from rise_env.cli.main import main
from rise_env.errors import ConfigError
from rise_env.types import Conversation
from tests.rise_agents.learning.folder_copies import copies_after_every_write, tear_last_line

OBEDIENT = "rise_agents.learning.examples:obedient"


def settings(out: Path, **changes: Any) -> LearnConfig:
    given: dict[str, Any] = {
        "env": "RISE-Conventions-v0",
        "method": "memory",
        "agent": f"sage:{OBEDIENT}",
        "agent_settings": {"checks": 0},
        "train": 40,
        "out": str(out),
        "memory": MemorySettings(generation=8),
    }
    return LearnConfig(**{**given, **changes})


def learned(config: LearnConfig) -> dict[str, Any]:
    return run(config, say=lambda _: None)


def test_the_command_remembers_all_conventions_and_an_evaluation_recalls_them(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["learn", "RISE-Conventions-v0", "--method", "memory", "--agent", f"sage:{OBEDIENT}"]
    command += ["--agent_settings.checks", "0", "--train", "96", "--out", str(tmp_path / "m")]
    assert main(command) == 0
    said = capsys.readouterr().out
    assert "6 of 6 conventions are remembered" in said
    memory = tmp_path / "m" / "memory.jsonl"
    assert read_memory(memory)[0].clock == 96
    evaluate = [
        "evaluate",
        "RISE-Conventions-v0",
        "--agent",
        f"sage:{OBEDIENT}",
        "--limit",
        "20",
        "--turns",
        "1",
    ]
    evaluate += ["--num_samples", "1", "--agent_settings.memory", str(memory), "--agent_settings.checks", "0"]
    assert main([*evaluate, "--out", str(tmp_path / "e")]) == 0


def wordy() -> ScriptedAgent:
    """Return a reflector whose reflections have two sentences, and whose compressions have the last one."""

    def reply(conversation: Conversation) -> str:
        text = conversation[-1]["content"]
        if text.startswith(COMPRESS.partition("{")[0]):
            return text.rpartition("wrong. ")[2]
        word = re.findall(r"crate|bundle|market|bridge|tag|shop", text)[-1]
        return f"The attempt was wrong. Look at the {word}."

    return ScriptedAgent(reply, name="wordy")


def test_compression_shortens_reflections_and_makes_them_stronger(tmp_path: Path) -> None:
    reflector = "tests.rise_agents.memory.test_learner:wordy"
    found = {}
    for compress in (False, True):
        kept = MemorySettings(generation=8, compress=compress)
        config = settings(tmp_path / str(compress), train=8, reflector=reflector, memory=kept)
        calls = learned(config)["spent"]["reflector"]["calls"]
        found[compress] = (read_memory(tmp_path / str(compress) / "memory.jsonl")[0].items, calls)
    plain, shorter = found[False][0], found[True][0]
    assert plain
    assert [item.text for item in shorter] == [item.text.rpartition("wrong. ")[2] for item in plain]
    assert {item.strength for item in shorter} == {40.0}
    assert {item.strength for item in plain} == {20.0}
    assert found[True][1] == 2 * found[False][1]


def repeating() -> ScriptedAgent:
    """Return a reflector that says the same to everything."""
    return ScriptedAgent(lambda _: "Read the question carefully.", name="repeating")


def test_a_compression_that_is_not_shorter_is_not_used(tmp_path: Path) -> None:
    reflector = "tests.rise_agents.memory.test_learner:repeating"
    kept = MemorySettings(generation=8, compress=True)
    learned(settings(tmp_path / "m", train=8, reflector=reflector, memory=kept))
    items = read_memory(tmp_path / "m" / "memory.jsonl")[0].items
    assert items
    assert {item.strength for item in items} == {20.0}


def test_a_run_killed_after_any_write_ends_with_equal_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "run"
    small = settings(out, train=12, memory=MemorySettings(generation=4))
    with copies_after_every_write(out, tmp_path / "copies", monkeypatch) as copies:
        learned(small)
    files = ["memory.jsonl", "result.json"]
    expected = [(out / name).read_bytes() for name in files]
    assert read_memory(out / "memory.jsonl")[0].items
    assert len(copies) > 8
    for copy in copies:
        if int(copy.name) % 2:
            tear_last_line(copy / "memory.jsonl")
        shutil.rmtree(out)
        shutil.copytree(copy, out)
        learned(small)
        assert [(out / name).read_bytes() for name in files] == expected, copy.name


def test_the_memory_does_not_depend_on_how_many_episodes_are_played_at_a_time(tmp_path: Path) -> None:
    for name, most in (("one", 1), ("many", 256)):
        learned(settings(tmp_path / name, max_concurrent_episodes=most, train=16))
    one, many = ((tmp_path / name / "memory.jsonl").read_bytes() for name in ("one", "many"))
    assert one == many


def test_a_dry_run_says_the_most_calls(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = [
        "learn",
        "RISE-Conventions-v0",
        "--method",
        "memory",
        "--agent",
        f"sage:{OBEDIENT}",
        "--train",
        "50",
    ]
    assert main([*command, "--out", str(tmp_path / "r"), "--dry_run"]) == 0
    said = capsys.readouterr().out
    assert "at most 250 calls" in said
    assert "reflector  50 episodes: at most 50 calls" in said


def test_the_baselines_differ_in_what_they_keep(tmp_path: Path) -> None:
    held = {}
    for policy in ("ebbinghaus", "fifo", "lru", "all", "none"):
        memory = MemorySettings(policy=policy, capacity=3, generation=8)  # type: ignore[arg-type]
        held[policy] = learned(settings(tmp_path / policy, memory=memory))["items"]
    assert held["none"] == 0
    assert held["ebbinghaus"] == held["fifo"] == held["lru"] == 3
    assert held["all"] > 3


def test_a_reflector_that_is_told_nothing_reflects_on_every_episode(tmp_path: Path) -> None:
    blind = MemorySettings(told_verdict=False, generation=8)
    result = learned(settings(tmp_path / "b", memory=blind, reference="none"))
    assert result["spent"]["reflector"]["calls"] == 40


def test_a_long_reflection_is_cut_and_counted(tmp_path: Path) -> None:
    result = learned(settings(tmp_path / "c", memory=MemorySettings(words=3, generation=8), train=8))
    assert result["cut"] > 0
    assert all(len(item.text.split()) <= 3 for item in read_memory(tmp_path / "c" / "memory.jsonl")[0].items)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"agent": OBEDIENT, "agent_settings": {}}, "method memory needs sage:AGENT"),
        ({"env_settings": {"split": "test"}}, "memory is learned from training problems"),
        ({"train": 200_000}, "train is 200000"),
    ],
)
def test_a_wrong_setting_is_named(tmp_path: Path, changes: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        learned(settings(tmp_path / "r", **changes))

import json
import logging
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from rise_agents.backends.scripted_agent import ScriptedAgent
from rise_agents.learning import examples
from rise_agents.learning.config import LearnConfig, RulesSettings
from rise_agents.learning.json_lines import read_lines
from rise_agents.learning.learn import run
from rise_agents.learning.prompts import reflect_prompt
from rise_agents.rules.book import read_book
from rise_env.cli.main import main
from rise_env.errors import ConfigError
from rise_env.problems.conventions import SHARED, coverage
from rise_env.trajectories.store import read_trajectories
from rise_env.types import Conversation, Problem
from tests.rise_agents.learning.episodes import wrong_episode
from tests.rise_agents.learning.folder_copies import copies_after_every_write, tear_last_line

OBEDIENT, SCRIPTED = "rise_agents.learning.examples:obedient", "rise_agents.learning.examples:scripted"
CALLS: Counter[str] = Counter()


def counting() -> ScriptedAgent:
    """Return the obedient agent, which counts its calls."""

    def answer(conversation: Conversation) -> str:
        CALLS["agent"] += 1
        return examples._reply(conversation, tempted=False)

    return ScriptedAgent(answer, name="counting")


def silent() -> ScriptedAgent:
    return ScriptedAgent(lambda _: "Well, well.", name="silent")


def leaking() -> ScriptedAgent:
    """Return a reflector that writes an answer of the batch into its rule."""

    def answer(conversation: Conversation) -> str:
        text = conversation[0]["content"]
        if text.startswith("Reflect"):
            return "The answer is " + text.partition("final answer is ")[2].partition(". ")[0]
        return "ADD: " + text.partition("Reflections:\n- ")[2].partition("\n")[0]

    return ScriptedAgent(answer, name="leaking")


def repeating() -> ScriptedAgent:
    """Return a reflector that proposes a known rule until it is told that this changes nothing."""

    def answer(conversation: Conversation) -> str:
        text = conversation[0]["content"]
        if text.startswith("Reflect"):
            return "The attempt is wrong."
        told = "ADD: A crate holds 7. (it changes nothing)" in text
        return "ADD: A bundle holds 9." if told else "ADD: A crate holds 7."

    return ScriptedAgent(answer, name="repeating")


def settings(out: Path, **changes: Any) -> LearnConfig:
    given: dict[str, Any] = {
        "env": "RISE-Conventions-v0",
        "method": "rules",
        "agent": OBEDIENT,
        "reflector": SCRIPTED,
        "train": 16,
        "validate": 12,
        "out": str(out),
        "rules": RulesSettings(batch=4, step_validate=12, draws=1),
    }
    return LearnConfig(**{**given, **changes})


def learned(config: LearnConfig) -> dict[str, Any]:
    return run(config, say=lambda _: None)


def test_the_command_learns_all_conventions_and_refuses_a_harmful_and_a_useless_rule(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = [
        "learn",
        "RISE-Conventions-v0",
        "--method",
        "rules",
        "--agent",
        OBEDIENT,
        "--reflector",
        SCRIPTED,
    ]
    command += ["--train", "60", "--validate", "60", "--rules.draws", "1", "--out", str(tmp_path / "r")]
    assert main(command) == 0
    assert "6 of 6 conventions are stated" in capsys.readouterr().out
    texts = [rule.text for rule in read_book(tmp_path / "r" / "rules.json").rules]
    assert coverage(SHARED, "\n".join(texts)) == 1
    assert len(texts) == 6
    proposals = [p for line in read_lines(tmp_path / "r" / "steps.jsonl") for p in line.get("proposals", [])]
    refused = {p["edits"]: p["probability"] for p in proposals if not p["accepted"]}
    assert set(refused) == {f"ADD: {examples.HARMFUL}", f"ADD: {examples.USELESS}"}
    assert refused[f"ADD: {examples.HARMFUL}"] < refused[f"ADD: {examples.USELESS}"] == 0.5
    evaluate = [
        "evaluate",
        "RISE-Conventions-v0",
        "--agent",
        f"instructed:{OBEDIENT}",
        "--limit",
        "30",
        "--turns",
        "1",
    ]
    evaluate += ["--num_samples", "1", "--agent_settings.rules", str(tmp_path / "r" / "rules.json")]
    assert main([*evaluate, "--label", "ruled", "--out", str(tmp_path / "e")]) == 0
    episodes = list(read_trajectories(tmp_path / "e" / "ruled" / "seed-0" / "sequential.jsonl"))
    assert all(episode.turns[0].action.check.correct for episode in episodes)
    assert not any("holds 7" in episode.turns[0].observation[0]["content"] for episode in episodes)


def test_the_calls_are_those_that_the_agent_saw(tmp_path: Path) -> None:
    CALLS.clear()
    result = learned(settings(tmp_path / "r", agent=f"{__name__}:counting"))
    spent = result["spent"]
    assert CALLS["agent"] == spent["agent"]["calls"] + spent["final"]["calls"]
    reflections = len((tmp_path / "r" / "reflector.journal").read_text().splitlines()) - 1
    assert spent["reflector"]["calls"] >= reflections > 0


def test_a_run_killed_after_any_write_ends_with_equal_rules(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "run"
    small = settings(
        out,
        train=6,
        validate=6,
        rules=RulesSettings(batch=3, step_validate=6, draws=1, calls=90, accept="mean"),
    )
    with copies_after_every_write(out, tmp_path / "copies", monkeypatch) as copies:
        learned(small)
    files = ["rules.json", "steps.jsonl", "result.json"]
    expected = [(out / name).read_bytes() for name in files]
    assert len(json.loads(expected[0])["rules"]) >= 2
    assert len(copies) > 20
    for copy in copies:
        torn = int(copy.name) % 2 and tear_last_line(copy / "steps.jsonl")
        shutil.rmtree(out)
        shutil.copytree(copy, out)
        learned(small)
        assert [(out / name).read_bytes() for name in files] == expected, (copy.name, torn)
        assert set(Counter(e.id for e in read_trajectories(out / "plays" / "pool-0.jsonl")).values()) == {1}


def test_a_finished_run_asks_nothing_again(tmp_path: Path) -> None:
    config = settings(tmp_path / "r", agent=f"{__name__}:counting")
    first = learned(config)
    CALLS.clear()
    assert learned(config) == first
    assert not CALLS


def test_rules_that_hold_an_answer_are_dropped_and_counted(tmp_path: Path) -> None:
    result = learned(settings(tmp_path / "r", reflector=f"{__name__}:leaking", validate=4))
    assert result["leaked"] > 0
    assert all(not any(c.isdigit() for c in text) or len(text) < 17 for text in result["rules"])


def test_a_reflector_that_proposes_nothing_ends_the_learning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        result = learned(settings(tmp_path / "r", reflector=f"{__name__}:silent"))
    assert (result["steps"], result["rules"], result["unreadable"]) == (4, [], 8)
    assert "no reply of the reflector held a change of the rules" in caplog.text
    assert read_book(tmp_path / "r" / "rules.json").rules == ()


def test_an_agent_that_solves_or_fails_everything_is_warned_about(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        learned(settings(tmp_path / "r", agent=f"{__name__}:silent"))
        assert "no solved problem among 16: accuracy cannot fall" in caplog.text
        result = learned(settings(tmp_path / "a", agent="rise_agents.learning.examples:knowing"))
    assert "the agent solves all 16 training problems: there is nothing to learn from" in caplog.text
    assert (result["steps"], result["rules"]) == (0, [])


def test_a_reflector_that_may_see_nothing_reads_the_same_for_two_references() -> None:
    episodes = [
        wrong_episode(Problem(id="p", question="?", reference=reference, solution=f"So {reference}."))
        for reference in ("12", "999")
    ]
    blind = [reflect_prompt(episode, outcome="", reference="none") for episode in episodes]
    assert blind[0] == blind[1]
    assert "is 999. " in reflect_prompt(episodes[1], outcome="", reference="answer")[0]["content"]
    assert "So 999." in reflect_prompt(episodes[1], outcome="", reference="solution")[0]["content"]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"env_settings": {"split": "test"}}, "rules are learned from training problems"),
        ({"train": 0}, "train must be at least 1"),
        ({"validate": 5000}, "has 1000 in the split"),
        ({"env_settings": {"max_turns": 2}}, "use turns"),
        ({"reflector": None, "reflector_settings": {"a": 1}}, "need a reflector"),
        ({"agent": "expert"}, "must be told the problem"),
    ],
)
def test_a_wrong_setting_is_named_before_anything_is_played(
    tmp_path: Path, changes: dict[str, Any], said: str
) -> None:
    with pytest.raises(ConfigError, match=said):
        learned(settings(tmp_path / "r", **changes))
    assert not list(tmp_path.glob("r/plays/*"))


def test_a_folder_of_another_run_is_refused(tmp_path: Path) -> None:
    learned(settings(tmp_path / "r", reflector=f"{__name__}:silent"))
    with pytest.raises(ConfigError, match=r"another|other settings \(rules.batch\)"):
        learned(settings(tmp_path / "r", reflector=f"{__name__}:silent", rules=RulesSettings(batch=2)))


def test_a_dry_run_says_the_most_calls_of_each_role(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = [
        "learn",
        "RISE-Conventions-v0",
        "--method",
        "rules",
        "--agent",
        OBEDIENT,
        "--out",
        str(tmp_path / "r"),
    ]
    assert main([*command, "--dry_run"]) == 0
    said = capsys.readouterr().out
    assert "pool of failures   200 episodes: at most 200 calls" in said
    assert "each step, agent   150 episodes: at most 600 calls" in said
    assert "no step begins after 5,000 calls" in said
    assert not (tmp_path / "r").exists()


def test_a_reflector_that_proposes_a_known_rule_is_told_and_proposes_another(tmp_path: Path) -> None:
    reflector = f"{__name__}:repeating"
    learned = run(settings(tmp_path / "run", reflector=reflector), say=lambda _: None)
    assert learned["rules"] == ["A crate holds 7.", "A bundle holds 9."]

"""No agent that is evaluated knows the reference answers."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import rise_agents
from rise_agents.backends.replay_agent import ReplayAgent
from rise_agents.backends.scripted_agent import ScriptedAgent
from rise_agents.memory.events import end, event, head
from rise_agents.memory.settings import MemorySettings
from rise_agents.registry import agent_names, load_agent
from rise_agents.rollouts.rollout import rollout
from rise_agents.rollouts.turn_plan import TurnPlan
from rise_agents.types import Agent, ProblemAwareAgent, SamplingConfig
from rise_env import MathEnv, NumericChecker, Problem
from rise_env.cli.main import main
from rise_env.trajectories.store import read_run
from tests.rise_agents.backends.faulty_server import serving

TINY = str(Path(rise_agents.__file__).parent / "tiny")
TOLD = {"expert": {}, "mcts:tiny": {"critic": "told", "option": "sentence", "tokens": 40}}
"""Agents that are told, and that `rise evaluate` therefore refuses."""
SPECS = {
    "tiny": "tiny",
    "tiny-notes": "tiny-notes",
    "transformers": f"transformers:{TINY}",
    "vllm": f"vllm:{TINY}",
    "openai": "openai:m@URL",
    "replay": "replay:LOG",
    "mcts": "mcts:tiny",
    "instructed": "instructed:tiny",
    "sage": "sage:tiny",
}
"""Registered agent -> how it is loaded here."""
SETTINGS = {"mcts": {"option": "sentence", "tokens": 60, "critic": "confidence", "refuted": True}}
"""Agent -> its settings, if it has any here."""
QUESTION = "Tom has 3 boxes with 4 pens each. How many pens does he have?"


@contextmanager
def loaded(name: str, folder: Path) -> Iterator[Agent]:
    spec = SPECS[name]
    if name == "vllm":
        pytest.importorskip("vllm", reason="the agent vllm needs vLLM")
    if name == "openai":
        pytest.importorskip("openai", reason="the agent openai needs the library openai")
        with serving(lambda _: [], lambda body: body["messages"][-1]["content"], str.upper) as server:
            agent = load_agent(spec.replace("URL", server.url))
            yield agent
            agent.close()
        return
    if name == "replay":
        log = folder / "log.jsonl"
        recorder = ReplayAgent(str(log), record=ScriptedAgent(lambda c: f"{len(c)} \\boxed{{7}}"))
        replies(recorder, "12")
        recorder.close()
        spec = spec.replace("LOG", str(log))
    settings = dict(SETTINGS.get(name, {}))
    if name == "instructed":
        settings["rules"] = str(folder / "rules.json")
        (folder / "rules.json").write_text('{"rules": ["Write every step."]}')
    if name == "sage":
        settings["memory"] = str(folder / "memory.jsonl")
        lines = [
            head("e", MemorySettings()),
            event("p", [], success=True, new=[("Add.", QUESTION)]),
            end(0, 1),
        ]
        (folder / "memory.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    agent = load_agent(spec, **settings)
    yield agent
    agent.close()


def replies(agent: Agent, reference: str) -> list[str]:
    """Play three turns with blind feedback on a problem with this reference."""
    problem = Problem(id="p", question=QUESTION, reference=reference, solution=f"So \\boxed{{{reference}}}.")
    env = MathEnv([problem], NumericChecker(), stop_when_correct=False)
    [episode] = rollout([TurnPlan(agent)] * 3, [env], [0], SamplingConfig(max_new_tokens=24), seed=5)
    assert episode.error is None
    return [turn.action.reply for turn in episode.turns]


def test_every_registered_agent_is_tested_here() -> None:
    assert set(agent_names()) == set(SPECS) | {"expert"}


@pytest.mark.parametrize("name", SPECS)
def test_the_replies_of_an_agent_do_not_depend_on_the_reference(name: str, tmp_path: Path) -> None:
    with loaded(name, tmp_path) as agent:
        assert not isinstance(agent, ProblemAwareAgent)
        first = replies(agent, "12")
        assert first == replies(agent, "999")
        assert all("999" not in text for text in first)


@pytest.mark.parametrize("name", sorted(TOLD))
def test_an_agent_that_is_told_the_answers_is_not_evaluated(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["evaluate", "RISE-Arithmetic-v0", "--agent", name, "--limit", "2", "--out", str(tmp_path)]
    command += ["--agent_settings", json.dumps(TOLD[name]), "--label", "it", "--turns", "1"]
    command += ["--num_samples", "1", "--sampling.max_new_tokens", "32"]
    assert main(command) == 2
    shown = capsys.readouterr().err
    assert "is told the reference answers" in shown
    assert "--told true" in shown
    assert not list(tmp_path.iterdir())
    assert main([*command, "--told", "true"]) == 0
    [log] = tmp_path.glob("*/seed-0/sequential.jsonl")
    assert read_run(log)["label"] == "it (told the answers)"

"""The embedded model that reads notes uses them, and knows no convention without them."""

from pathlib import Path

import pytest

import rise_env
from rise_agents.backends.instructed_agent import InstructedAgent
from rise_agents.embedded import EMBEDDED
from rise_agents.learning.prompts import compress_prompt
from rise_agents.registry import load_agent
from rise_agents.rollouts.rollout import rollout
from rise_agents.rollouts.turn_plan import TurnPlan
from rise_agents.rules.book import Rule, RuleBook
from rise_agents.tiny_notes.corpus import NotesConfig, NotesCorpus
from rise_agents.types import Agent, SamplingConfig
from rise_env.problems.conventions.conventions import SHARED, statement

FOLDER = Path(EMBEDDED["tiny-notes"])
GREEDY = SamplingConfig(temperature=0.0, max_new_tokens=80)
PROBLEMS = 60


@pytest.fixture(scope="module")
def agent() -> Agent:
    return load_agent("tiny-notes")


def accuracy(agent: Agent, rules: tuple[str, ...]) -> float:
    reader = InstructedAgent(agent, RuleBook(tuple(Rule(rule) for rule in rules)))
    settings = {"split": "test", "max_turns": 1, "largest": 10}
    envs = [rise_env.make("RISE-Conventions-v0", **settings) for _ in range(PROBLEMS)]
    episodes = rollout([TurnPlan(reader)], envs, range(PROBLEMS), GREEDY, seed=0)
    return sum(episode.turns[0].action.check.correct for episode in episodes) / PROBLEMS


def test_it_solves_problems_whose_conventions_it_is_told_and_no_others(agent: Agent) -> None:
    assert accuracy(agent, ()) <= 0.1
    assert accuracy(agent, tuple(statement(convention) for convention in SHARED)) >= 0.6


def test_it_reflects_changes_a_book_and_compresses(agent: Agent) -> None:
    corpus = NotesCorpus(NotesConfig(), seed=1_000_000)
    found = [corpus.document(index) for index in range(200)]
    for beginning in ("Reflect on", "Here is a numbered", compress_prompt("")[0]["content"][:20]):
        documents = [one for one in found if one[0]["content"].startswith(beginning)][:12]
        replies = agent.act([tuple(one[:-1]) for one in documents], GREEDY, list(range(len(documents))))
        endings = [
            (r.text[-12:], one[-1]["content"][-12:]) for r, one in zip(replies, documents, strict=True)
        ]
        assert sum(reply == expected for reply, expected in endings) >= 0.4 * len(documents)


def test_it_is_small_holds_no_pickle_and_says_what_it_saw() -> None:
    assert (FOLDER / "model.safetensors").stat().st_size <= 4 * 2**20
    assert not [path.name for path in FOLDER.iterdir() if path.suffix in {".bin", ".pt", ".pkl"}]
    card = (FOLDER / "README.md").read_text()
    for word in ("examples/pretrain_tiny.py", "seed", "tokens", "loss", "drawn"):
        assert word in card

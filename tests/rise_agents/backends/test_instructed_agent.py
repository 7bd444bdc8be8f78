import json
from pathlib import Path
from typing import Any

import pytest

from rise_agents.backends.instructed_agent import InstructedAgent
from rise_agents.backends.scripted_agent import ScriptedAgent
from rise_agents.deliberation.notes import with_notes
from rise_agents.registry import check_agent, load_agent
from rise_agents.rollouts.rollout import rollout
from rise_agents.rollouts.turn_plan import TurnPlan
from rise_agents.rules.book import Rule, RuleBook
from rise_agents.types import SamplingConfig
from rise_env import MathEnv, NumericChecker, Problem
from rise_env.errors import ConfigError, DataNotFoundError
from rise_env.types import Conversation

BOOK = RuleBook((Rule("A crate holds 7."), Rule("Be brief.")))
USER: Conversation = ({"role": "user", "content": "Hello?"},)
SYSTEM: Conversation = ({"role": "system", "content": "Be kind."}, *USER)
OBEDIENT = "rise_agents.learning.examples:obedient"


def echoing() -> ScriptedAgent:
    return ScriptedAgent(lambda c: " | ".join(f"{m['role']}: {m['content']}" for m in c), name="echoing")


def said(conversation: Conversation, **settings: Any) -> str:
    return InstructedAgent(echoing(), BOOK, **settings).act([conversation], SamplingConfig())[0].text


def test_rules_precede_the_first_user_message_or_end_the_system_message() -> None:
    rules = "Rules that hold for problems of this kind:\n1. A crate holds 7.\n2. Be brief."
    assert said(USER) == f"user: {rules}\n\nHello?"
    assert said(SYSTEM) == f"system: Be kind. | user: {rules}\n\nHello?"
    assert said(USER, place="system") == f"system: {rules} | user: Hello?"
    assert said(SYSTEM, place="system") == f"system: Be kind.\n\n{rules} | user: Hello?"


def test_notes_leave_the_given_messages_as_they_are() -> None:
    before = [dict(message) for message in SYSTEM]
    with_notes(SYSTEM, "note")
    assert [dict(message) for message in SYSTEM] == before
    assert with_notes(SYSTEM, "") is SYSTEM


def test_an_empty_book_changes_no_reply() -> None:
    agent = load_agent("tiny")
    sampling = SamplingConfig(max_new_tokens=12)
    question: Conversation = ({"role": "user", "content": "Ava has 3 pens. How many?"},)
    plain = agent.act([question], sampling, [7])
    [reply] = InstructedAgent(agent, RuleBook()).act([question], sampling, [7])
    assert (reply.text, reply.token_ids, reply.logprobs) == (
        plain[0].text,
        plain[0].token_ids,
        plain[0].logprobs,
    )
    agent.close()


def test_a_store_holds_the_observation_without_the_rules_and_the_reply_with_its_tokens() -> None:
    agent = InstructedAgent(load_agent("tiny"), BOOK)
    problem = Problem(id="p", question="Ava has 3 pens. How many?", reference="3")
    sampling = SamplingConfig(max_new_tokens=12)
    [episode] = rollout([TurnPlan(agent)], [MathEnv([problem], NumericChecker())], [0], sampling, seed=0)
    [turn] = episode.turns
    assert "crate" not in json.dumps(turn.observation)
    assert turn.action.token_ids
    assert agent.format.model
    agent.close()


def test_the_name_has_a_digest_of_the_rules(tmp_path: Path) -> None:
    names = {InstructedAgent(echoing(), book).name for book in (RuleBook(), BOOK, RuleBook(BOOK.rules[:1]))}
    assert len(names) == 3
    assert all(name.startswith("instructed(echoing; rules=") for name in names)
    assert InstructedAgent(echoing(), BOOK, "system").name.endswith("; place=system)")


def test_it_is_loaded_from_a_file_over_any_agent_and_under_a_search(tmp_path: Path) -> None:
    path = tmp_path / "rules.json"
    path.write_text('{"rules": ["A crate holds 7."]}')
    agent = load_agent(f"instructed:{OBEDIENT}", rules=str(path))
    question: Conversation = (
        {
            "role": "user",
            "content": "Ava has 3 crates of pens. Ava loses 2 of the pens. How many pens does Ava have now?",
        },
    )
    assert agent.act([question], SamplingConfig())[0].text.endswith("\\boxed{19}")
    check_agent(f"instructed:{OBEDIENT}", {"rules": str(path)}, here=True)
    searched = load_agent("mcts:instructed:tiny", inner={"rules": str(path)}, option="sentence", tokens=20)
    assert "instructed(" in searched.name
    searched.close()


@pytest.mark.parametrize(
    ("spec", "settings", "error", "said"),
    [
        ("instructed:tiny", {}, ConfigError, "rules"),
        ("instructed:tiny", {"rules": "nowhere.json"}, DataNotFoundError, "there is no file of rules"),
        ("instructed:", {"rules": "r"}, ConfigError, "write 'instructed:AGENT'"),
        ("instructed:tiny", {"rules": "FILE", "place": "end"}, ConfigError, "place"),
        ("instructed:nobody", {"rules": "FILE"}, ConfigError, "nobody"),
        ("instructed:expert", {"rules": "FILE"}, ConfigError, "must be told the problem"),
    ],
)
def test_a_wrong_setting_is_named(
    tmp_path: Path, spec: str, settings: dict[str, str], error: type[Exception], said: str
) -> None:
    path = tmp_path / "rules.json"
    path.write_text('{"rules": []}')
    given = {name: str(path) if value == "FILE" else value for name, value in settings.items()}
    with pytest.raises(error, match=said):
        load_agent(spec, **given)

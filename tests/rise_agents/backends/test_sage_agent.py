import json
from pathlib import Path

import pytest

from rise_agents.backends.sage_agent import SageAgent, SageSettings, load_sage_agent
from rise_agents.backends.scripted_agent import ScriptedAgent
from rise_agents.memory.events import end, event, head, read_memory
from rise_agents.memory.items import HEADING, Memory, remember
from rise_agents.memory.settings import MemorySettings
from rise_agents.registry import load_agent
from rise_agents.types import SamplingConfig
from rise_env.errors import ConfigError, DataNotFoundError
from rise_env.types import Conversation

QUESTION: Conversation = ({"role": "user", "content": "Ava has 5 crates of pens. How many pens?"},)
MEMORY = remember(Memory(), "A crate holds 7.", "Ben has 9 crates of cards. How many cards?")
SAMPLING = SamplingConfig()


class Counting(ScriptedAgent):
    """An assistant and reviewer; the reviews are given in order, and the answers are numbered."""

    def __init__(self, *reviews: str) -> None:
        self.seen: list[Conversation] = []
        self._reviews = list(reviews)
        super().__init__(self._reply, name="counting")

    def _reply(self, conversation: Conversation) -> str:
        self.seen.append(conversation)
        if conversation[-1]["content"].startswith("Here is a problem and a solution"):
            return self._reviews.pop(0)
        return f"answer {sum(message['role'] == 'assistant' for message in conversation)}"


NO, YES = "Step 2 is wrong. \\boxed{no}", "Fine. \\boxed{yes}"


@pytest.mark.parametrize(
    ("reviews", "checks", "calls", "given"),
    [
        ([NO, NO], 2, 5, "answer 2"),
        ([YES], 2, 2, "answer 0"),
        ([NO, YES], 2, 4, "answer 1"),
        (["I cannot say."], 1, 3, "answer 1"),
        ([], 0, 1, "answer 0"),
    ],
)
def test_an_answer_is_revised_until_the_reviewer_accepts_it(
    reviews: list[str], checks: int, calls: int, given: str
) -> None:
    inner = Counting(*reviews)
    [reply] = SageAgent(inner, settings=SageSettings(checks=checks)).act([QUESTION], SAMPLING)
    assert reply.text == given
    assert len(inner.seen) == calls
    assert reply.usage.calls == (calls if calls > 1 else 0)


def test_the_answers_that_were_not_given_are_kept_with_their_scores() -> None:
    [reply] = SageAgent(Counting("\\boxed{0.4}", "\\boxed{0.2}")).act([QUESTION], SAMPLING)
    assert [(one.text, one.score) for one in reply.considered] == [("answer 0", 0.4), ("answer 1", 0.2)]
    assert (reply.text, reply.score) == ("answer 2", None)
    best = SageAgent(Counting("\\boxed{0.4}", "\\boxed{0.2}"), settings=SageSettings(give="best"))
    [reply] = best.act([QUESTION], SAMPLING)
    assert (reply.text, reply.score) == ("answer 0", 0.4)


def test_a_revision_sees_the_feedback_and_the_last_exchanges_only() -> None:
    inner = Counting(NO, NO, NO)
    SageAgent(inner, settings=SageSettings(checks=3, short=1)).act([QUESTION], SAMPLING)
    last = inner.seen[-1]
    assert [message["role"] for message in last] == ["user", "assistant", "user"]
    assert "Step 2 is wrong." in last[-1]["content"]


def test_what_is_recalled_precedes_the_question_and_reaches_the_reviewer() -> None:
    inner = Counting(YES)
    agent = SageAgent(inner, MEMORY)
    agent.act([QUESTION], SAMPLING)
    assert inner.seen[0][0]["content"] == f"{HEADING}\n- A crate holds 7.\n\n{QUESTION[0]['content']}"
    assert "A crate holds 7." in inner.seen[1][0]["content"]
    assert [item.number for item in agent.recalled(QUESTION)] == [0]
    assert agent.with_memory(Memory()).recalled(QUESTION) == []


def test_the_name_has_the_settings_and_a_digest_of_the_memory() -> None:
    plain, remembering = SageAgent(Counting()), SageAgent(Counting(), MEMORY, settings=SageSettings(checks=0))
    assert plain.name == "sage(counting)"
    assert remembering.name.startswith("sage(counting; checks=0; memory=")


def written(path: Path, *, schema: int = 1) -> str:
    lines = [
        {**head("RISE-Conventions-v0", MemorySettings()), "schema": schema},
        event("p", [], success=False, new=[("A crate holds 7.", "Ben has 9 crates of cards.")]),
        end(0, 1),
        event("q", [], success=False, new=[("Lost.", "x")]),
    ]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return str(path)


def test_a_memory_is_read_up_to_the_last_complete_generation(tmp_path: Path) -> None:
    memory, env = read_memory(written(tmp_path / "m.jsonl"))
    assert [item.text for item in memory.items] == ["A crate holds 7."]
    assert (memory.clock, env) == (1, "RISE-Conventions-v0")


def test_an_evaluation_does_not_write_the_memory(tmp_path: Path) -> None:
    path = written(tmp_path / "m.jsonl")
    before = Path(path).read_bytes()
    agent = load_agent("sage:rise_agents.learning.examples:obedient", memory=path, checks=0)
    agent.act([QUESTION], SAMPLING)
    agent.close()
    assert Path(path).read_bytes() == before


@pytest.mark.parametrize(
    ("settings", "error", "said"),
    [
        ({"checks": -1}, ConfigError, "checks must be at least 0"),
        ({"accept": 0.0}, ConfigError, "accept must be above 0"),
        ({"memory": "nowhere.jsonl"}, DataNotFoundError, "there is no memory"),
        ({"memory": "OLD"}, ConfigError, "is not a memory of schema 1"),
        ({"reviewer": "expert"}, ConfigError, "must be told the problem"),
    ],
)
def test_a_wrong_setting_is_named(
    tmp_path: Path, settings: dict[str, object], error: type[Exception], said: str
) -> None:
    if settings.get("memory") == "OLD":
        settings = {"memory": written(tmp_path / "m.jsonl", schema=2)}
    with pytest.raises(error, match=said):
        load_sage_agent("rise_agents.learning.examples:obedient", **settings)  # type: ignore[arg-type]

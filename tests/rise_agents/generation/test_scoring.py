import math
from collections.abc import Sequence

import pytest

from rise_agents.backends.transformers_agent import TransformersAgent, tiny_agent
from rise_agents.chat.beginnings import begun
from rise_agents.types import SamplingConfig, ScoringAgent
from rise_env.envs import prompts
from rise_env.problems.arithmetic.generator import ArithmeticProblems
from rise_env.types import Conversation


@pytest.fixture(scope="module")
def tiny() -> TransformersAgent:
    return tiny_agent(dtype="float32", device="cpu")


def asked(number: int) -> Conversation:
    question = ArithmeticProblems(split="test")[number].question
    return ({"role": "user", "content": prompts.FIRST.format(question=question)},)


def first_tokens(logprobs: Sequence[float] | None, count: int) -> float:
    assert logprobs is not None
    return math.fsum(logprobs[:count])


def test_the_log_probability_of_a_reply_is_that_of_its_sampled_tokens(tiny: TransformersAgent) -> None:
    conversations = [asked(number) for number in range(4)]
    replies = tiny.act(conversations, SamplingConfig(max_new_tokens=64), [1, 2, 3, 4])
    found = tiny.logprobs_of(conversations, [[reply.text] for reply in replies])
    for [value], reply in zip(found, replies, strict=True):
        assert reply.finish == "stop"
        assert value == pytest.approx(first_tokens(reply.logprobs, len(reply.logprobs or ()) - 1), abs=1e-3)


def test_a_text_after_a_beginning_has_the_rest_of_the_log_probability(tiny: TransformersAgent) -> None:
    [reply] = tiny.act([asked(0)], SamplingConfig(temperature=0, max_new_tokens=64))
    place = reply.text.index(". ") + 1
    begins, goes_on = reply.text[:place], reply.text[place:]
    [[first, whole]] = tiny.logprobs_of([asked(0)], [[begins, reply.text]])
    [[rest]] = tiny.logprobs_of([begun(asked(0), begins)], [[goes_on]])
    assert first + rest == pytest.approx(whole, abs=1e-3)


def test_each_conversation_has_its_own_texts(tiny: TransformersAgent) -> None:
    assert isinstance(tiny, ScoringAgent)
    conversations = [asked(0), asked(1), asked(2)]
    texts: list[list[str]] = [["\\boxed{yes}", "\\boxed{no}", ""], [], ["\\boxed{yes}"]]
    together = tiny.logprobs_of(conversations, texts)
    assert [len(row) for row in together] == [3, 0, 1]
    assert together[0][2] == 0
    for conversation, some, values in zip(conversations, texts, together, strict=True):
        for text, value in zip(some, values, strict=True):
            [[alone]] = tiny.logprobs_of([conversation], [[text]])
            assert value == pytest.approx(alone, abs=1e-3)
    assert tiny.logprobs_of([], []) == []

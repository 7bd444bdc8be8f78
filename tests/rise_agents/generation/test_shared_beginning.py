"""The beginning that all prompts of a batch share is computed once."""

from collections.abc import Sequence

from rise_agents.backends.transformers_agent import TransformersAgent, tiny_agent
from rise_agents.types import SamplingConfig
from rise_env.types import Conversation

RULES = "Answer with one number. " * 12
QUESTIONS = ["What is 3 + 4?", "Tom has 12 apples and eats 5. How many are left?", "What is 6 * 7?"]
CONVERSATIONS = [({"role": "user", "content": RULES + question},) for question in QUESTIONS]
SAMPLING = SamplingConfig(temperature=1.0, max_new_tokens=12)


def played(
    agent: TransformersAgent, conversations: Sequence[Conversation]
) -> tuple[list[str], list[int], list[tuple[int, int]]]:
    """Play, and return replies, cached tokens, and shapes [rows, columns] of the forward passes."""
    shapes = []
    model = agent._decoder.model
    hook = model.register_forward_pre_hook(
        lambda _, args, kwargs: shapes.append(tuple(kwargs["input_ids"].shape)), with_kwargs=True
    )
    replies = agent.act(conversations, SAMPLING, seeds=[1, 2, 3])
    hook.remove()
    prompts = [shape for shape in shapes if shape[1] > 1]
    return [reply.text for reply in replies], [reply.usage.cached_tokens for reply in replies], prompts


def test_the_beginning_of_all_prompts_is_computed_once() -> None:
    agent = tiny_agent(dtype="float32")
    plain = tiny_agent(dtype="float32", prefix_cache_mb=0)
    texts, cached, passes = played(agent, CONVERSATIONS)
    expected, _, whole = played(plain, CONVERSATIONS)
    assert texts == expected
    [(rows, beginning), (all_rows, rest)] = passes
    assert (rows, all_rows) == (1, 3)
    assert cached == [beginning] * 3
    assert whole == [(3, beginning + rest)]


def test_a_short_common_beginning_is_computed_with_the_rest() -> None:
    conversations = [({"role": "user", "content": question},) for question in QUESTIONS]
    _, cached, passes = played(tiny_agent(dtype="float32"), conversations)
    assert cached == [0, 0, 0]
    assert len(passes) == 1

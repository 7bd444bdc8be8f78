from pathlib import Path

import pytest
import torch

from rise_agents.backends.transformers_agent import TransformersAgent
from rise_agents.registry import load_agent
from rise_agents.types import Reply, SamplingConfig
from rise_env.envs import prompts
from rise_env.errors import ConfigError, DataNotFoundError
from rise_env.problems.arithmetic.generator import ArithmeticProblems
from rise_env.types import Conversation

PROBLEMS = ArithmeticProblems(split="test")
SAMPLING = SamplingConfig(max_new_tokens=40)
SEEDS = [2**62 + i for i in range(24)]


def asked(count: int = 24) -> list[Conversation]:
    return [
        ({"role": "user", "content": prompts.FIRST.format(question=PROBLEMS[i].question)},)
        for i in range(count)
    ]


def answered(conversations: list[Conversation], replies: list[Reply]) -> list[Conversation]:
    return [
        (
            *conversation,
            {"role": "assistant", "content": reply.text},
            {"role": "user", "content": prompts.BLIND.format(question=PROBLEMS[i].question)},
        )
        for i, (conversation, reply) in enumerate(zip(conversations, replies, strict=True))
    ]


def tokens(replies: list[Reply]) -> list[tuple[int, ...] | None]:
    return [reply.token_ids for reply in replies]


@pytest.fixture(scope="module")
def agent(random_model: Path) -> TransformersAgent:
    return TransformersAgent(str(random_model))


@pytest.fixture(scope="module")
def plain(random_model: Path) -> TransformersAgent:
    return TransformersAgent(str(random_model), prefix_cache_mb=0)


def test_a_reply_does_not_depend_on_the_batch_it_is_in(plain: TransformersAgent) -> None:
    together = tokens(plain.act(asked(), SAMPLING, SEEDS))
    backwards = tokens(plain.act(asked()[::-1], SAMPLING, SEEDS[::-1]))
    assert backwards[::-1] == together
    for i in (0, 11, 23):
        assert tokens(plain.act([asked()[i]], SAMPLING, [SEEDS[i]])) == [together[i]]


def test_another_seed_gives_another_reply(plain: TransformersAgent) -> None:
    replies = plain.act([asked()[0]] * 8, SAMPLING, list(range(8)))
    assert len({reply.text for reply in replies}) == 8


def test_without_seeds_replies_are_drawn_afresh(plain: TransformersAgent) -> None:
    assert plain.act(asked(1), SAMPLING)[0].text != plain.act(asked(1), SAMPLING)[0].text


def test_the_prefix_cache_saves_the_history_and_changes_no_reply(
    agent: TransformersAgent, plain: TransformersAgent
) -> None:
    conversations = asked()
    for _ in range(3):
        replies = agent.act(conversations, SAMPLING, SEEDS)
        reference = plain.act(conversations, SAMPLING, SEEDS)
        assert tokens(replies) == tokens(reference)
        conversations = answered(conversations, replies)
    assert all(reply.usage.cached_tokens > 60 for reply in replies)
    assert all(reply.usage.cached_tokens == 0 for reply in reference)


def test_drawing_again_computes_no_prompt_again(agent: TransformersAgent) -> None:
    agent.act(asked(), SAMPLING, SEEDS)
    again = agent.act(asked(), SAMPLING, [seed + 1 for seed in SEEDS])
    assert all(reply.usage.cached_tokens == reply.usage.prompt_tokens - 1 for reply in again)


def test_several_draws_of_one_prompt_compute_it_once(random_model: Path, plain: TransformersAgent) -> None:
    agent = TransformersAgent(str(random_model))
    draws = [conversation for conversation in asked(4) for _ in range(6)]
    replies = agent.act([*draws, *asked(5)[4:]], SAMPLING, [*SEEDS, 7])
    assert all(reply.usage.cached_tokens == reply.usage.prompt_tokens - 1 for reply in replies[:-1])
    assert replies[-1].usage.cached_tokens < replies[-1].usage.prompt_tokens - 1  # asked once
    assert tokens(replies[:-1]) == tokens(plain.act(draws, SAMPLING, SEEDS))


def test_the_attention_of_transformers_can_be_chosen(random_model: Path, plain: TransformersAgent) -> None:
    eager = TransformersAgent(str(random_model), attention="eager")
    assert eager._decoder.model.config._attn_implementation == "eager"
    assert tokens(eager.act(asked(), SAMPLING, SEEDS)) == tokens(plain.act(asked(), SAMPLING, SEEDS))
    with pytest.raises(DataNotFoundError, match="quick"):
        TransformersAgent(str(random_model), attention="quick")


def test_greedy_replies_are_those_of_generate(plain: TransformersAgent, random_model: Path) -> None:
    from transformers import AutoModelForCausalLM, AutoTokenizer

    model = AutoModelForCausalLM.from_pretrained(random_model).eval()
    tokenizer = AutoTokenizer.from_pretrained(random_model)
    replies = plain.act(asked(), SamplingConfig(max_new_tokens=40, temperature=0.0), SEEDS)
    for conversation, reply in zip(asked(), replies, strict=True):
        inputs = tokenizer.apply_chat_template(
            list(conversation), add_generation_prompt=True, return_tensors="pt", return_dict=True
        )
        with torch.inference_mode():
            output = model.generate(**inputs, max_new_tokens=40, do_sample=False)
        assert tuple(output[0, inputs["input_ids"].shape[1] :].tolist()) == reply.token_ids


def test_a_reply_says_how_it_ended_and_what_it_cost(plain: TransformersAgent) -> None:
    end = plain.chat.tokenizer.eos_token_id
    replies = plain.act(asked(), SamplingConfig(max_new_tokens=120), SEEDS)
    assert {reply.finish for reply in replies} == {"stop", "length"}
    for reply in replies:
        assert reply.token_ids is not None
        assert (reply.token_ids[-1] == end) == (reply.finish == "stop")
        assert end not in reply.token_ids[:-1]
        assert reply.usage.completion_tokens == len(reply.token_ids) <= 120
        assert "<end>" not in reply.text
        assert reply.text == plain.chat.tokenizer.decode(reply.token_ids, skip_special_tokens=True)


def test_log_probabilities_are_those_of_a_forward_pass(random_model: Path) -> None:
    agent = TransformersAgent(str(random_model), logprobs=True)
    [reply] = agent.act(asked(1), SamplingConfig(max_new_tokens=50, temperature=0.7), [3])
    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_pretrained(random_model).eval()
    prompt = agent.chat.tokenizer.apply_chat_template(
        list(asked(1)[0]), add_generation_prompt=True, return_dict=False
    )
    assert reply.token_ids is not None
    ids = torch.tensor([[*prompt, *reply.token_ids]])
    with torch.inference_mode():
        scores = model(ids).logits[0, len(prompt) - 1 : -1].log_softmax(dim=-1)
    expected = scores.gather(1, torch.tensor(reply.token_ids)[:, None])[:, 0]
    torch.testing.assert_close(torch.tensor(reply.logprobs), expected, atol=1e-4, rtol=1e-4)


def test_a_conversation_without_room_gets_an_empty_cut_reply(plain: TransformersAgent) -> None:
    long: Conversation = ({"role": "user", "content": "word " * 3000},)
    replies = plain.act([asked(1)[0], long], SAMPLING, [1, 2])
    assert replies[0].text
    assert (replies[1].text, replies[1].finish) == ("", "length")


def test_a_reply_stops_at_the_end_of_the_context(plain: TransformersAgent) -> None:
    words = 1 + (plain.context - 30) // 2
    conversation: Conversation = ({"role": "user", "content": "12 " * words},)
    [reply] = plain.act([conversation], SamplingConfig(max_new_tokens=500), [1])
    assert reply.usage.prompt_tokens + reply.usage.completion_tokens <= plain.context


def test_batches_are_halved_when_the_device_runs_out_of_memory(
    random_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = TransformersAgent(str(random_model))
    reference = tokens(small.act(asked(), SAMPLING, SEEDS))
    run = small._decoder.run
    sizes = []

    def limited(requests, sampling):  # type: ignore[no-untyped-def]
        sizes.append(len(requests))
        if len(requests) > 5:
            raise torch.cuda.OutOfMemoryError("no memory")
        return run(requests, sampling)

    monkeypatch.setattr(small._decoder, "run", limited)
    assert tokens(small.act(asked(), SAMPLING, SEEDS)) == reference
    first = len(sizes)
    small.act(asked(), SAMPLING, SEEDS)
    assert max(sizes[first:]) <= 5  # it remembers


def test_global_random_state_is_left_alone(plain: TransformersAgent) -> None:
    before = torch.random.get_rng_state()
    plain.act(asked(2), SAMPLING, SEEDS[:2])
    assert torch.equal(torch.random.get_rng_state(), before)


def test_two_agents_of_one_folder_have_one_name_and_new_weights_another(
    agent: TransformersAgent, plain: TransformersAgent, random_model: Path, tmp_path: Path
) -> None:
    assert agent.name == plain.name
    assert agent.name.startswith("random@")
    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_pretrained(random_model)
    with torch.no_grad():
        next(model.parameters()).add_(0.01)
    model.save_pretrained(tmp_path / "random")
    plain.chat.tokenizer.save_pretrained(tmp_path / "random")
    assert TransformersAgent(str(tmp_path / "random")).name not in {agent.name, "random"}


def test_the_loader_reaches_it(random_model: Path) -> None:
    assert isinstance(load_agent(f"transformers:{random_model}", dtype="float32"), TransformersAgent)


def test_bfloat16_runs_on_a_cpu(random_model: Path) -> None:
    agent = TransformersAgent(str(random_model), dtype="bfloat16")
    assert {part.dtype for part in agent._decoder.model.parameters()} == {torch.bfloat16}
    assert agent.act(asked(2), SAMPLING, SEEDS[:2])[0].text


def test_a_model_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(DataNotFoundError) as caught:
        TransformersAgent(str(tmp_path / "nothing"))
    assert str(tmp_path / "nothing") in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_model_without_chat_template_says_what_to_do(random_model: Path, tmp_path: Path) -> None:
    import shutil

    bare = tmp_path / "bare"
    shutil.copytree(random_model, bare)
    (bare / "chat_template.jinja").unlink()
    with pytest.raises(ConfigError, match="chat_template=FILE"):
        TransformersAgent(str(bare))
    agent = TransformersAgent(str(bare), chat_template=str(random_model / "chat_template.jinja"))
    assert agent.act(asked(1), SAMPLING, [1])[0].text


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        pytest.param({"dtype": "int3"}, "dtype must be", id="dtype"),
        pytest.param(
            {"max_concurrent_requests": 0}, "max_concurrent_requests must be at least 1", id="batch"
        ),
    ],
)
def test_wrong_settings_are_named(random_model: Path, settings: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        TransformersAgent(str(random_model), **settings)  # type: ignore[arg-type]

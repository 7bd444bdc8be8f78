"""Replies whose beginning is given: the model reads it as if it had written it itself."""

import pytest

from rise_agents.backends.transformers_agent import TransformersAgent, tiny_agent
from rise_agents.chat.beginnings import begun, split_beginning
from rise_agents.chat.chat import Chat
from rise_agents.types import ContinuingAgent, SamplingConfig, TokenizingAgent, can_continue
from rise_env.envs import prompts
from rise_env.errors import ConfigError
from rise_env.problems.arithmetic.generator import ArithmeticProblems
from rise_env.types import Conversation
from tests.rise_trainers.chat_templates import STYLES

ASKED: Conversation = ({"role": "user", "content": "What is 1 + 3?"},)
BEGINNINGS = [
    "It is",
    "It is 4.\n",
    "It is 4.\n\n",
    "It is 4. ",
    "  So",
    "\nSo",
    "<|im_end|> is text",
]
GREEDY = SamplingConfig(temperature=0.0, max_new_tokens=48)


def chat_of(name: str) -> Chat:
    try:
        return STYLES[name].chat()
    except ConfigError as error:
        pytest.skip(f"the style is refused: {error}")


def test_an_empty_message_at_the_end_is_as_if_it_were_not_there() -> None:
    assert split_beginning(begun(ASKED, "")) == (ASKED, None)
    assert split_beginning((*ASKED, {"role": "assistant", "content": ""})) == (ASKED, None)
    assert split_beginning(ASKED) == (ASKED, None)
    assert split_beginning(begun(ASKED, " ")) == (ASKED, {"role": "assistant", "content": " "})


@pytest.mark.parametrize("name", STYLES)
def test_a_prompt_with_a_beginning_ends_with_exactly_its_text(name: str) -> None:
    chat = chat_of(name)
    [plain] = chat.encode([ASKED])
    before = chat.tokenizer.decode(plain, clean_up_tokenization_spaces=False)
    for text in BEGINNINGS:
        [found] = chat.encode([begun(ASKED, text)])
        assert found[: len(plain)] == plain
        written = chat.tokenizer.decode(found, clean_up_tokenization_spaces=False)
        assert written.startswith(before)
        assert written.endswith(text)  # blanks at its ends included
        assert not chat.opens_thought(written)


@pytest.mark.parametrize("name", STYLES)
def test_a_beginning_has_the_first_tokens_of_the_whole_reply(name: str) -> None:
    chat = chat_of(name)
    lines = ["First we add 1 + 3.\n", "That is 4.\n\n", "So the answer is 4."]
    [whole] = chat.encode([begun(ASKED, "".join(lines))])
    for count in (1, 2):
        [part] = chat.encode([begun(ASKED, "".join(lines[:count]))])
        assert whole[: len(part)] == part


@pytest.mark.parametrize("name", STYLES)
def test_what_is_read_after_a_beginning_keeps_its_blanks_and_loses_its_end(name: str) -> None:
    chat = chat_of(name)
    [prompt] = chat.encode([begun(ASKED, "It")])
    for text in (" is 4.", "\n\nSo 4", "4 "):
        ids = chat.continuation_ids(text, literal=True)
        assert chat.read(ids, prompt, continued=True) == ("", text)
        if chat.end.stop is not None:
            ended = [*ids, *chat.continuation_ids(chat.end.text)]
            assert ended[-1] == chat.end.stop
            assert chat.read(ended, prompt, continued=True) == ("", text)


@pytest.fixture(scope="module")
def tiny() -> TransformersAgent:
    return tiny_agent(dtype="float32", device="cpu")


def asked(number: int) -> Conversation:
    question = ArithmeticProblems(split="test")[number].question
    return ({"role": "user", "content": prompts.FIRST.format(question=question)},)


def test_a_greedy_reply_continued_from_any_token_is_the_same_reply(tiny: TransformersAgent) -> None:
    """Counts the places of a reply after which the continuation differs: none, because it stays tokens."""
    changed = places = 0
    for number in range(3):
        [whole] = tiny.act([asked(number)], GREEDY)
        assert whole.token_ids is not None
        cuts = [at for at in range(1, len(whole.text)) if whole.text[at - 1] == "." and whole.text[at] == " "]
        beginnings = [whole.text[:cut] for cut in cuts]
        replies = tiny.act([begun(asked(number), text) for text in beginnings], GREEDY)
        for text, reply in zip(beginnings, replies, strict=True):
            places += 1
            changed += text + reply.text != whole.text
            assert reply.finish == "stop"
            assert reply.usage.prompt_tokens > whole.usage.prompt_tokens
    assert places >= 6
    assert changed == 0


def test_tokens_before_a_place_hold_the_text_before_it(tiny: TransformersAgent) -> None:
    [reply] = tiny.act([asked(0)], GREEDY)
    assert reply.token_ids is not None
    for place in (0, 1, 5, len(reply.text)):
        count = tiny.tokens_before(reply, place)
        decoded = tiny.chat.tokenizer.decode(reply.token_ids[:count])
        assert decoded.startswith(reply.text[:place])
        if count:
            assert len(tiny.chat.tokenizer.decode(reply.token_ids[: count - 1])) < place


def test_agents_say_whether_they_continue_replies(tiny: TransformersAgent) -> None:
    assert isinstance(tiny, ContinuingAgent)
    assert isinstance(tiny, TokenizingAgent)
    assert can_continue(tiny)

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from tokenizers.processors import TemplateProcessing

from rise_agents.chat.chat import Chat
from rise_agents.chat.chat_settings import ChatSettings
from rise_agents.chat.loading import load_chat, load_generation_config
from rise_env.errors import ConfigError, DataNotFoundError
from rise_env.types import Conversation
from tests.rise_agents.small_models import save_random_model
from tests.rise_trainers import small_models
from tests.rise_trainers.chat_templates import QWEN3, STYLES, parts

ASKED: Conversation = ({"role": "user", "content": "What is 2 + 2?"},)
THOUGHT: Conversation = (
    *ASKED,
    {"role": "assistant", "content": "It is 5.", "reasoning_content": "Two and two are five."},
    {"role": "user", "content": "Please try again."},
)
CHATML = (
    "{% for m in messages %}{{ '<|im_start|>' + m['role'] + '\n' }}"
    "{% if m.reasoning_content %}{{ '<think>\n' + m.reasoning_content + '\n</think>\n\n' }}{% endif %}"
    "{{ m['content'] + '<|im_end|>\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
R1 = (
    "{% for m in messages %}{% if m['role'] == 'user' %}{{ '<|User|>' + m['content'] }}{% else %}"
    "{{ '<|Assistant|>' + m['content'].split('</think>')[-1] + '<end>' }}{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|Assistant|><think>\n' }}{% endif %}"
)


def chat(template: str, special: list[str], stops: list[str], end: str = "<end>", **settings: Any) -> Chat:
    """Return the chat of a model whose generation config names the stop tokens."""
    tokenizer = small_models.tokenizer(template, special, end=end)
    ids = tokenizer.convert_tokens_to_ids(stops)
    return Chat(tokenizer, SimpleNamespace(eos_token_id=ids), ChatSettings(**settings))


def tokens(found: Chat, ids: Any) -> list[str]:
    names: list[str] = found.tokenizer.convert_ids_to_tokens(list(ids))
    return names


def read(found: Chat, ids: list[int]) -> tuple[str, str]:
    return found.read(ids, found.encode([ASKED])[0])


@pytest.mark.parametrize("style", [name for name in STYLES if STYLES[name].thinking == "template"])
def test_the_token_that_ends_a_reply_is_one_at_which_sampling_stops(style: str) -> None:
    found = STYLES[style].chat()
    assert found.end.stop in found.stop_tokens
    assert tokens(found, [found.end.stop]) == [STYLES[style].end]
    assert found.end.text.strip().endswith(STYLES[style].end)


def test_phi_3_ends_replies_with_the_stop_token_and_not_with_what_its_template_writes_last() -> None:
    template = (
        "{% for m in messages %}{{ '<|' + m['role'] + '|>\n' + m['content'] + '<|end|>\n' }}{% endfor %}"
        "{% if add_generation_prompt %}{{ '<|assistant|>\n' }}{% else %}{{ '<|endoftext|>' }}{% endif %}"
    )
    names = ["<|user|>", "<|assistant|>", "<|end|>", "<|endoftext|>"]
    found = chat(template, names, ["<|endoftext|>", "<|assistant|>", "<|end|>"], end="<|endoftext|>")
    assert found.end.text == "<|end|>"


def test_glm_ends_a_reply_with_the_role_that_speaks_next() -> None:
    template = (
        "{% for m in messages %}{{ '<|' + m['role'] + '|>\n' + m['content'] }}{% endfor %}"
        "{% if add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}"
    )
    names = ["<|user|>", "<|assistant|>", "<|endoftext|>"]
    found = chat(template, names, ["<|endoftext|>", "<|user|>"], end="<|endoftext|>")
    assert found.end.text == "<|user|>"


def test_command_a_ends_a_reply_with_all_that_it_samples_before_the_stop_token() -> None:
    template = (
        "{% for m in messages %}<|START|><|{{ m['role'] }}|>"
        "{% if m['role'] == 'assistant' %}<|START_RESPONSE|>{{ m['content'] }}<|END_RESPONSE|>"
        "{% else %}{{ m['content'] }}{% endif %}<|END|>{% endfor %}"
        "{% if add_generation_prompt %}<|START|><|assistant|>{% endif %}"
    )
    names = ["<|START|>", "<|user|>", "<|assistant|>", "<|START_RESPONSE|>", "<|END_RESPONSE|>", "<|END|>"]
    found = chat(template, names, ["<|END|>"], end="<|END|>")
    assert (found.head, found.end.text) == ("<|START_RESPONSE|>", "<|END_RESPONSE|><|END|>")
    ids = found.token_ids("<|START_RESPONSE|>It is 4.<|END_RESPONSE|><|END|>")
    assert read(found, ids) == ("", "It is 4.")


def test_an_end_that_the_generation_config_does_not_name_stops_sampling_too() -> None:
    template, special, _ = parts("qwen2.5")
    found = chat(template, special, ["<end>"])
    assert tokens(found, found.stop_tokens) == ["<end>", "<|im_end|>"]
    assert found.end.text == "<|im_end|>"
    assert "<|im_end|>" in found.notes[0]


def test_a_model_without_any_stop_token_is_said_in_the_notes() -> None:
    template = "{% for m in messages %}{{ m['content'] + '\n' }}{% endfor %}"
    tokenizer = small_models.tokenizer(template)
    tokenizer.eos_token = None
    found = Chat(tokenizer)
    assert found.stop_tokens == ()
    assert "does not learn to stop" in found.notes[0]


def test_a_prompt_that_closes_the_thought_itself_makes_all_of_the_reply_its_text() -> None:
    template = parts("tiny")[0] + "{{ '<think>' if messages[0]['content'] != '/no_think' else '</think>' }}"
    found = chat(template, [], ["<end>"])
    ids = found.token_ids("It is 4.<end>")
    off: Conversation = ({"role": "system", "content": "/no_think"}, *ASKED)
    assert found.read(ids, found.encode([ASKED])[0]) == ("It is 4.", "")
    assert found.read(ids, found.encode([off])[0]) == ("", "It is 4.")


@pytest.mark.parametrize(
    ("style", "opened", "whole"),
    [
        ("qwen3", False, "<think>\nTwo.\n</think>\n\n"),
        ("qwen3.5", True, "Two.\n</think>\n\n"),
        ("glm-4.5", False, "\n<think>Two.</think>\n"),
        ("nemotron-3", True, "Two.\n</think>\n"),
        ("deepseek-r1-distill", True, "Two.\n</think>\n\n"),
        ("command-a-reasoning", False, "<|START_THINKING|>Two.<|END_THINKING|><|START_RESPONSE|>"),
    ],
)
def test_a_thought_is_written_as_the_template_of_the_model_writes_it(
    style: str, opened: bool, whole: str
) -> None:
    found = STYLES[style].chat()
    assert found.opens_thought(found.prompt(ASKED)) == opened
    assert found.joined("Two.", opened=opened) == whole


def test_a_special_token_that_a_model_spells_by_its_characters_stays_in_the_text() -> None:
    found = STYLES["qwen3"].chat()
    spelled = found.token_ids("<|im_") + found.token_ids("end|>")
    for thought, reasoning in (("", ""), ("<think>\nTwo.\n</think>\n\n", "Two.")):
        sampled = [*found.token_ids(thought), *found.token_ids("Stop at "), *spelled, found.end.stop or 0]
        assert read(found, sampled) == (reasoning, "Stop at <|im_end|>")


@pytest.mark.parametrize(
    ("before", "after"), [("Answer: ", ""), (" ", " "), ("", "\n"), ("\n", ""), ("<|say|>", "<|said|>")]
)
def test_what_the_template_writes_around_a_reply_does_not_belong_to_its_text(before: str, after: str) -> None:
    template = (
        "{% for m in messages %}{{ '<' + m['role'] + '>' }}{% if m['role'] == 'assistant' %}"
        f"{{{{ {before!r} + m['content'] + {after!r} }}}}"
        "{% else %}{{ m['content'] }}{% endif %}{{ '<end>' }}{% endfor %}"
        "{% if add_generation_prompt %}{{ '<assistant>' }}{% endif %}"
    )
    found = chat(template, ["<|say|>", "<|said|>"], ["<end>"])
    sampled = found.token_ids(f"{before}It is 5.{after}<end>")
    assert read(found, sampled) == ("", "It is 5.")
    again = (*ASKED, {"role": "assistant", "content": "It is 5."}, {"role": "user", "content": "Again."})
    prompt = found.encode([ASKED])[0] + sampled
    assert found.encode([again])[0][: len(prompt)] == prompt
    assert read(found, found.token_ids("It is")) == ("", "It is")


def test_the_text_of_a_reply_is_read_where_one_token_holds_the_end_of_the_thought_as_well() -> None:
    tokenizer = small_models.tokenizer(parts("tiny")[0], kind="pieces", text=["k>It " * 50])
    found = Chat(tokenizer)
    ids = found.token_ids("<think>Two.</think>It is 4.<end>")
    assert any(name.endswith(">I") for name in tokens(found, ids))
    assert read(found, ids) == ("Two.", "It is 4.")


def test_of_several_named_templates_the_default_one_is_used() -> None:
    tokenizer = small_models.tokenizer()
    own = tokenizer.chat_template
    expected = Chat(tokenizer)
    tokenizer.chat_template = {"tool_use": "{{ 'tools' }}", "default": own}
    found = Chat(tokenizer)
    assert found.encode([ASKED]) == expected.encode([ASKED])
    assert found.format("m") == expected.format("m")
    tokenizer.chat_template = {"tool_use": own, "rag": own}
    with pytest.raises(ConfigError, match="multiple chat templates with no default"):
        Chat(tokenizer)


def test_a_tokenizer_that_begins_texts_with_a_token_adds_none_to_what_the_template_writes() -> None:
    style = STYLES["llama-2"]
    tokenizer = style.tokenizer()
    expected = style.chat().encode([ASKED])
    bos = tokenizer.bos_token_id
    tokenizer.backend_tokenizer.post_processor = TemplateProcessing(
        single="<s> $A", special_tokens=[("<s>", bos)]
    )
    assert tokenizer("a")["input_ids"][0] == bos
    found = Chat(tokenizer)
    assert found.encode([ASKED]) == expected
    assert found.encode([ASKED])[0].count(bos) == 1
    assert bos not in found.token_ids("It is 4.")


def test_a_conversation_that_ends_with_a_reply_is_no_prompt() -> None:
    found = STYLES["qwen2.5"].chat()
    with pytest.raises(ConfigError, match="cannot end with a message of the assistant"):
        found.prompt((*ASKED, {"role": "assistant", "content": "It is"}))


def test_a_text_that_goes_on_gets_no_space_before_it() -> None:
    found = STYLES["zephyr"].chat()
    assert tokens(found, found.token_ids("It is 4."))[0].startswith("▁")
    ids = found.continuation_ids("It is 4.")
    assert not tokens(found, ids)[0].startswith("▁")
    assert found.token_ids("So:\n") + ids == found.token_ids("So:\nIt is 4.")


def test_a_prompt_that_opens_the_thought_makes_the_reply_begin_in_it() -> None:
    found = chat(R1, ["<|User|>", "<|Assistant|>"], ["<end>"])
    assert found.opens_thought(found.prompt(ASKED))
    assert read(found, found.token_ids("Two.\n</think>\n\nIt is 4.<end>")) == ("Two.", "It is 4.")
    assert read(found, found.token_ids("Two and")) == ("Two and", "")


def test_a_reply_is_read_without_special_tokens_and_keeps_its_spaces() -> None:
    template, special, end = parts("qwen2.5")
    found = chat(template, special, [end], end=end)
    assert read(found, found.token_ids(" a  b \n<|im_start|>c<|im_end|>")) == ("", " a  b \nc")
    assert read(found, found.token_ids("<think>x<|im_start|></think>y<|im_end|>")) == ("x", "y")


@pytest.mark.parametrize(
    ("template", "thinking", "shown"),
    [
        pytest.param(CHATML, "template", True, id="a template that shows thoughts"),
        pytest.param(CHATML, "hide", False, id="and they are hidden"),
        pytest.param(QWEN3, "template", False, id="a template that removes them"),
        pytest.param(parts("qwen2.5")[0], "template", False, id="one that knows none"),
        pytest.param(parts("qwen2.5")[0], "show", True, id="and they are shown"),
    ],
)
def test_prompts_show_earlier_thoughts_as_is_set(template: str, thinking: Any, shown: bool) -> None:
    found = chat(template, ["<|im_start|>", "<|im_end|>"], ["<|im_end|>"], thinking=thinking)
    prompt = found.prompt(THOUGHT)
    assert ("<think>\nTwo and two are five.\n</think>\n\nIt is 5." in prompt) == shown
    assert "It is 5." in prompt


def test_thoughts_are_shown_as_the_template_shows_them_and_else_as_it_writes_them() -> None:
    special = ["<|im_start|>", "<|im_end|>"]
    marked = CHATML.replace("<think>\n", "<think>").replace("\n</think>\n\n", "</think>")
    last = marked.replace("if m.reasoning_content", "if loop.last and m.reasoning_content")
    split = marked.replace("{{ m['content'] +", "{{ m['content'].split('</think>')[-1] +")
    assert split != marked != last
    for template in (marked, last, split):
        prompt = chat(template, special, ["<|im_end|>"], thinking="show").prompt(THOUGHT)
        assert "<think>Two and two are five.</think>It is 5.<|im_end|>" in prompt


def test_a_thought_is_written_as_the_template_writes_it_also_where_earlier_ones_are_hidden() -> None:
    style = STYLES["glm-4.5"]
    tokenizer = style.tokenizer()
    found = Chat(tokenizer, style.generation_config(tokenizer), ChatSettings(thinking="hide"))
    assert found.joined("Two.", opened=False) == style.chat().joined("Two.", opened=False)


def test_thoughts_that_the_template_removes_cannot_be_shown() -> None:
    with pytest.raises(ConfigError, match="removes thoughts"):
        chat(QWEN3, ["<|im_start|>", "<|im_end|>"], ["<|im_end|>"], thinking="show")


def test_a_date_is_the_one_that_is_set_and_never_that_of_today() -> None:
    template = parts("tiny")[0] + "{{ strftime_now('%d %B %Y') }}{{ date_string }}"
    assert "26 July 202426 Jul 2024" in chat(template, [], []).prompt(ASKED)
    found = chat(template, [], [], date="2030-01-02")
    assert "02 January 203002 Jan 2030" in found.prompt(ASKED)
    assert (found.format("m").date, chat(parts("tiny")[0], [], []).format("m").date) == ("2030-01-02", None)


def test_a_template_that_refuses_a_role_is_named_in_one_line() -> None:
    template = "{% if messages[0]['role'] == 'system' %}{{ raise_exception('No system\nrole') }}{% endif %}"
    found = chat(template + parts("tiny")[0], [], [])
    with pytest.raises(ConfigError, match=r"cannot write this conversation \(No system role\)") as caught:
        found.prompt(({"role": "system", "content": "Be brief."}, *ASKED))
    assert "\n" not in str(caught.value)


def test_a_template_that_omits_replies_is_refused() -> None:
    with pytest.raises(ConfigError, match="omits what assistants say"):
        chat(
            "{% for m in messages %}{% if m['role'] == 'user' %}{{ m['content'] }}{% endif %}{% endfor %}",
            [],
            [],
        )


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"thinking": "loud"}, "thinking must be template, show, hide, got 'loud'"),
        ({"date": "yesterday"}, "date must be YYYY-MM-DD, got 'yesterday'"),
        ({"template_options": {"f": len}}, "template_options must be JSON values"),
        ({"template_options": {"messages": []}}, "template_options must not hold messages"),
    ],
)
def test_wrong_settings_are_refused(settings: Any, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        ChatSettings(**settings)


def test_the_format_names_all_that_decides_token_ids() -> None:
    template, special, end = parts("qwen3")
    one = chat(template, special, [end], end=end, template_options={"enable_thinking": False})
    other = chat(template, special, [end], end=end)
    assert one.format("m").template_options == {"enable_thinking": False}
    assert one.format("m") != other.format("m") == chat(template, special, [end], end=end).format("m")
    assert one.format("m").tokenizer == other.format("m").tokenizer
    changed = chat(template + " ", special, [end], end=end).format("m")
    assert changed.chat_template != other.format("m").chat_template
    assert changed.template_text is None


def test_a_template_from_a_file_is_kept_in_the_format(tmp_path: Path) -> None:
    model = save_random_model(tmp_path / "model")
    file = tmp_path / "chat.jinja"
    file.write_text(parts("tiny")[0] + "\n")
    found = load_chat(str(model), ChatSettings(chat_template=str(file)))
    assert found.format("m").template_text == file.read_text()
    again = load_chat(str(model), ChatSettings(chat_template=file.read_text()))
    assert again.format("m") == found.format("m")
    with pytest.raises(DataNotFoundError, match=r"there is no file nowhere.jinja"):
        load_chat(str(model), ChatSettings(chat_template="nowhere.jinja"))


def test_a_model_without_a_generation_config_stops_at_the_tokens_of_its_model_config(tmp_path: Path) -> None:
    model = save_random_model(tmp_path / "model")
    configured = load_generation_config(str(model)).eos_token_id
    (model / "generation_config.json").unlink()
    assert load_generation_config(str(model)).eos_token_id == configured is not None

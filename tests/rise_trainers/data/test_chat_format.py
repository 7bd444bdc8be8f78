import dataclasses
from pathlib import Path
from typing import Any

import pytest

from rise_agents.chat.chat_settings import ChatSettings
from rise_agents.chat.loading import load_chat
from rise_env.errors import ConfigError
from rise_env.types import ModelFormat
from rise_trainers.data.chat_format import GivenChat, load_fit_chat
from tests.rise_trainers import small_models
from tests.rise_trainers.chat_templates import QWEN3

SPECIAL = ["<|im_start|>", "<|im_end|>"]


@pytest.fixture
def model(tmp_path: Path) -> str:
    tokenizer = small_models.tokenizer(QWEN3, SPECIAL, end="<|im_end|>")
    tokenizer.save_pretrained(tmp_path / "model")
    small_models.tiny_llama(len(tokenizer)).save_pretrained(tmp_path / "model")
    return str(tmp_path / "model")


def played(model: str, **settings: Any) -> ModelFormat:
    return load_chat(model, ChatSettings(**settings)).format("agent")


def test_what_a_fit_leaves_open_is_as_its_replies_were_played(model: str, tmp_path: Path) -> None:
    file = tmp_path / "other.jinja"
    file.write_text(QWEN3 + "{{ date_string }}")
    options = {"enable_thinking": False}
    formats = {
        "agent": (
            played(
                model, chat_template=str(file), template_options=options, thinking="hide", date="2020-02-03"
            ),
        )
    }
    chat, notes = load_fit_chat(GivenChat(model=model), formats)
    assert (chat.format("agent"),) == formats["agent"]
    assert chat.prompt(({"role": "user", "content": "2 + 2?"},)).endswith("</think>\n\n03 Feb 2020")
    assert notes == ()


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"template_options": {"enable_thinking": True}}, "template_options"),
        ({"thinking": "hide"}, "thinking"),
        ({"chat_template": QWEN3 + " "}, "chat_template"),
    ],
)
def test_a_fit_with_another_format_than_that_of_play_stops_and_says_what_differs(
    model: str, given: dict[str, Any], field: str
) -> None:
    formats = {"learner": (played(model, template_options={"enable_thinking": False}),)}
    if field != "template_options":
        formats = {"learner": (played(model),)}
    with pytest.raises(ConfigError, match=f"learner played with {field} .* allow_format_change"):
        load_fit_chat(GivenChat(model=model, **given), formats)
    _, notes = load_fit_chat(GivenChat(model=model, allow_format_change=True, **given), formats)
    assert field in notes[0]


def test_a_model_that_stops_at_other_tokens_than_the_one_that_played_is_refused(
    model: str, tmp_path: Path
) -> None:
    formats = {"learner": (dataclasses.replace(played(model), stop_tokens=(1, 2)),)}
    with pytest.raises(ConfigError, match=r"stop_tokens \(1, 2\)"):
        load_fit_chat(GivenChat(model=model), formats)


def test_the_order_of_stop_tokens_does_not_matter(model: str) -> None:
    own = played(model)
    assert len(own.stop_tokens) > 1
    other = dataclasses.replace(own, stop_tokens=own.stop_tokens[::-1])
    load_fit_chat(GivenChat(model=model), {"learner": (other,)})


def test_what_a_fit_leaves_open_is_as_its_own_model_played_and_not_a_teacher(model: str) -> None:
    formats = {"a teacher": (played(model, thinking="hide"),), "learner": (played(model),)}
    given = GivenChat(model=model, allow_format_change=True)
    chat, _ = load_fit_chat(given, formats, first_agent="learner")
    assert chat.settings.thinking == "template"


def test_agents_with_another_tokenizer_are_not_compared(model: str) -> None:
    other = dataclasses.replace(
        played(model), tokenizer="other", chat_template="other", template_text="{{ 1 }}"
    )
    chat, notes = load_fit_chat(GivenChat(model=model), {"teacher": (other,)})
    assert chat.format("m").template_text is None
    assert notes == ("the replies of teacher are tokenised from their text: other tokenizers",)


def test_two_agents_that_were_played_differently_cannot_be_trained_together(model: str) -> None:
    formats = {"one": (played(model),), "two": (played(model, thinking="hide"),)}
    with pytest.raises(ConfigError, match="two played with thinking 'hide'"):
        load_fit_chat(GivenChat(model=model), formats)


def test_a_saved_model_keeps_the_format(model: str, tmp_path: Path) -> None:
    chat = load_chat(model)
    chat.tokenizer.save_pretrained(tmp_path / "saved")
    small_models.tiny_llama(len(chat.tokenizer)).save_pretrained(tmp_path / "saved")
    assert load_chat(str(tmp_path / "saved")).format("m") == chat.format("m")

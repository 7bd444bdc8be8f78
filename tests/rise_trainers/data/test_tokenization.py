from collections.abc import Sequence
from typing import Any

import pytest

from rise_env.errors import ConfigError
from rise_trainers.data.encoding import ChatTokenizer
from rise_trainers.data.targets import Selection, TrainingTarget, targets
from rise_trainers.data.tokenization import tokenize
from tests.rise_trainers import small_models
from tests.rise_trainers.chat_templates import parts

PLAIN = ["llama-2", "llama-3", "mistral", "gemma", "qwen2.5", "zephyr", "tiny"]
"""Styles whose templates write all messages as they are, but for spaces around them."""

REPLIES = ["12 + 7 = 18, so \\boxed{18}.", "No: 12 + 7 = 19.\n\nSo \\boxed{19}."]
THOUGHTS = [f"<think>\nLet me see {turn}.\n</think>\n\n{reply}" for turn, reply in enumerate(REPLIES)]


def chat(
    style: str = "tiny", kind: str = "bytes", think: Any = "keep", **settings: Any
) -> tuple[ChatTokenizer, Any]:
    template, special, end = parts(style)
    tokenizer = small_models.tokenizer(template, special, kind=kind, end=end)
    return ChatTokenizer(small_models.chat(tokenizer, **settings), think=think), tokenizer


def two_turns(replies: Sequence[str] = REPLIES) -> list[TrainingTarget]:
    return targets(small_models.trajectory([0, 1], replies), Selection())


def trained_texts(tokenizer: Any, sequences: Sequence[Any]) -> list[str]:
    return [
        tokenizer.decode(sequence.ids[span.start : span.stop])
        for sequence in sequences
        for span in sequence.spans
    ]


@pytest.mark.parametrize("kind", ["bytes", "pieces"])
@pytest.mark.parametrize("style", [*PLAIN, "qwen3"])
def test_exactly_the_reply_and_its_end_token_are_trained(style: str, kind: str) -> None:
    wrapped, tokenizer = chat(style, kind)
    found = tokenize(wrapped, two_turns(), max_length=1000)
    end = parts(style)[2]
    expected = [reply + end for reply in REPLIES]
    # Llama-2's template writes a space before and after a reply
    assert [
        text.strip().replace(" " + end, end) for text in trained_texts(tokenizer, found.sequences)
    ] == expected
    for sequence in found.sequences:
        for span in sequence.spans:
            assert tokenizer.convert_ids_to_tokens(sequence.ids[span.stop - 1]) == end


@pytest.mark.parametrize("style", PLAIN)
def test_templates_that_keep_prefixes_share_one_sequence(style: str) -> None:
    wrapped, _ = chat(style)
    assert len(tokenize(wrapped, two_turns(), max_length=1000).sequences) == 1


@pytest.mark.parametrize("style", [*PLAIN, "qwen3"])
def test_every_trained_reply_follows_the_prompt_that_an_agent_would_be_given(style: str) -> None:
    wrapped, tokenizer = chat(style)
    wanted = two_turns()
    for sequence in tokenize(wrapped, wanted, max_length=1000).sequences:
        for span in sequence.spans:
            text = tokenizer.apply_chat_template(
                list(wanted[span.target].prompt), tokenize=False, add_generation_prompt=True
            )
            assert sequence.ids[: span.start] == tokenizer(text, add_special_tokens=False)["input_ids"]


def test_a_template_that_drops_thoughts_from_history_gets_one_sequence_per_turn() -> None:
    wrapped, tokenizer = chat("qwen3")
    found = tokenize(wrapped, two_turns(THOUGHTS), max_length=1000)
    assert len(found.sequences) == 2
    assert any("sequences of their own" in note for note in found.notes)
    assert trained_texts(tokenizer, found.sequences) == [reply + "<|im_end|>" for reply in THOUGHTS]
    assert "Let me see 0" not in tokenizer.decode(found.sequences[1].ids)


def test_an_empty_thought_that_the_template_adds_is_not_trained() -> None:
    wrapped, tokenizer = chat("qwen3")
    [text, _] = trained_texts(tokenizer, tokenize(wrapped, two_turns(), max_length=1000).sequences)
    assert "<think>" not in text


def test_template_options_reach_the_template() -> None:
    wrapped, tokenizer = chat("qwen3", template_options={"enable_thinking": False})
    sequence = tokenize(wrapped, two_turns()[:1], max_length=1000).sequences[0]
    assert tokenizer.decode(sequence.ids[: sequence.spans[0].start]).endswith("<think>\n\n</think>\n\n")


def test_thoughts_can_be_dropped_from_replies_and_history() -> None:
    wrapped, tokenizer = chat("qwen2.5", think="drop")
    found = tokenize(wrapped, two_turns(THOUGHTS), max_length=1000)
    assert trained_texts(tokenizer, found.sequences) == [reply + "<|im_end|>" for reply in REPLIES]
    assert "<think>" not in tokenizer.decode(found.sequences[-1].ids)


def test_history_is_dropped_by_whole_turns_and_the_reply_stays() -> None:
    wrapped, tokenizer = chat()
    wanted = targets(small_models.trajectory([0, 0, 1]), Selection())
    full = [len(wrapped.encode(target).ids) for target in wanted]
    found = tokenize(wrapped, wanted, max_length=full[2] - 1)
    assert found.shortened == 1
    text = tokenizer.decode(found.sequences[-1].ids)
    assert wanted[2].reply in text
    assert "in turn 0" not in text
    assert "in turn 1" in text
    assert text.startswith("<user>What is 12 plus 7?")


def test_replies_that_cannot_fit_are_counted_and_named() -> None:
    wrapped, _ = chat()
    wanted = targets(small_models.trajectory([0, 1], ["short", "long " * 100]), Selection())
    found = tokenize(wrapped, wanted, max_length=60)
    assert found.dropped == [1]
    assert any("p0 turn 2" in note for note in found.notes)


def test_nothing_left_to_train_is_an_error() -> None:
    wrapped, _ = chat()
    with pytest.raises(ConfigError, match="max_length 3"):
        tokenize(wrapped, two_turns(), max_length=3)


def test_a_reply_that_was_cut_has_no_end_to_learn() -> None:
    import dataclasses

    wrapped, tokenizer = chat("qwen2.5")
    cut = [dataclasses.replace(target, complete=False) for target in two_turns()[:1]]
    assert trained_texts(tokenizer, tokenize(wrapped, cut, max_length=1000).sequences) == [REPLIES[0]]


def test_a_reply_that_begins_inside_a_token_keeps_the_prompt_as_it_was_sampled() -> None:
    # "<assistant>" is plain text here, and the tokenizer merges its ">" with the ">" of the reply
    template = parts("tiny")[0].replace("<assistant>", "assistant>")
    tokenizer = small_models.tokenizer(template, text=[">>>> >> >>" * 50])
    [target] = two_turns([">> is the reply", ""])[:1]
    encoded = ChatTokenizer(small_models.chat(tokenizer)).encode(target)
    ids, first = encoded.ids, encoded.start
    prompt = tokenizer.apply_chat_template(list(target.prompt), tokenize=False, add_generation_prompt=True)
    assert ids[:first] == tokenizer(prompt)["input_ids"]
    assert tokenizer.decode(ids[first:]) == ">> is the reply<end>"
    assert tokenizer(prompt + ">> is the reply")["input_ids"][:first] != ids[:first]


def test_a_window_over_the_history_gives_turns_their_own_sequences() -> None:
    wrapped, _ = chat()
    wanted = targets(small_models.trajectory([0, 0, 1]), Selection(history=1))
    assert [len(s.spans) for s in tokenize(wrapped, wanted, max_length=1000).sequences] == [2, 1]


def test_the_per_turn_layout_gives_each_target_a_sequence() -> None:
    wrapped, _ = chat()
    found = tokenize(wrapped, two_turns(), max_length=1000, layout="per_turn")
    assert [[span.target for span in sequence.spans] for sequence in found.sequences] == [[0], [1]]


def test_where_the_template_writes_no_end_the_token_that_stops_sampling_is_trained() -> None:
    template = "{% for m in messages %}{{ m['role'] + ': ' + m['content'] + '\n' }}{% endfor %}"
    template += "{% if add_generation_prompt %}{{ 'assistant: ' }}{% endif %}"
    tokenizer = small_models.tokenizer(template)
    found = tokenize(ChatTokenizer(small_models.chat(tokenizer)), two_turns(), max_length=1000)
    assert any("does not end replies" in note for note in found.notes)
    assert trained_texts(tokenizer, found.sequences) == [reply + "<end>" for reply in REPLIES]

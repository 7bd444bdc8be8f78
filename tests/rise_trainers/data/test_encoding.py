import dataclasses
from typing import Any

import pytest

from rise_agents.chat.chat import Chat
from rise_env.errors import ConfigError
from rise_trainers.data.encoding import ChatTokenizer
from rise_trainers.data.targets import TrainingTarget
from rise_trainers.data.tokenization import Tokenized, tokenize
from tests.rise_agents.chat.test_chat import CHATML, R1
from tests.rise_trainers import small_models
from tests.rise_trainers.chat_templates import STYLES, parts

TARGET = TrainingTarget(
    trajectory="t",
    problem="p",
    turn=0,
    start=({"role": "user", "content": "What is 2 + 2?"},),
    history=(),
    reply="It is 4.",
    reward=1.0,
)
THOUGHT = "Two and two."


def chat(style: str = "qwen2.5", template: str | None = None) -> Chat:
    own, special, end = parts(style)
    return small_models.chat(small_models.tokenizer(template or own, special, end=end))


def target(found: Chat, ids: list[int], **changes: Any) -> TrainingTarget:
    """Return a target with sampled ids whose text is what an agent reads from them."""
    prompt = found.encode([TARGET.prompt])[0]
    reasoning, text = found.read(ids, prompt)
    logprobs = tuple(-0.5 * place for place in range(len(ids)))
    sampled = dataclasses.replace(
        TARGET,
        reply=text,
        reasoning=reasoning,
        token_ids=tuple(ids),
        logprobs=logprobs,
        prompt_tokens=len(prompt),
    )
    return dataclasses.replace(sampled, **changes)


def one_by_one(found: Chat, text: str) -> list[int]:
    """Return token ids as a model may sample them: one per character."""
    return [i for character in text for i in found.token_ids(character)]


def made(found: Chat, *targets: TrainingTarget, think: Any = "keep") -> Tokenized:
    return tokenize(ChatTokenizer(found, think=think), targets, max_length=1000)


def test_the_sampled_ids_are_trained_and_not_those_that_the_text_gives() -> None:
    found = chat()
    sampled = [*one_by_one(found, "It is 4."), found.end.stop or 0]
    assert sampled != [*found.token_ids("It is 4."), found.end.stop]
    result = made(found, target(found, sampled))
    [sequence] = result.sequences
    [span] = sequence.spans
    assert sequence.ids == found.encode([TARGET.prompt])[0] + sampled
    assert sequence.ids[span.start : span.stop] == sampled
    assert span.logprobs == tuple(-0.5 * place for place in range(len(sampled)))
    assert {sequence.ids[place] for place in span.drifted} <= set(sampled[:-1])
    assert result.counts == {
        "sampled_ids": 1,
        "from_text": 0,
        "drifted": 1,
        "other_text": 0,
        "other_prompt": 0,
        "empty": 0,
    }
    assert any("other tokens than the tokenizer makes" in note for note in result.notes)


def test_ids_that_the_tokenizer_makes_as_well_have_not_drifted() -> None:
    found = chat()
    result = made(found, target(found, [*found.token_ids("It is 4."), found.end.stop or 0]))
    assert result.sequences[0].spans[0].drifted == ()
    assert (result.counts["sampled_ids"], result.counts["drifted"]) == (1, 0)


def test_ids_that_spell_another_text_than_the_stored_one_win_and_are_counted() -> None:
    found = chat()
    sampled = [*found.token_ids("It is 5."), found.end.stop or 0]
    result = made(found, target(found, sampled, reply="It is 4."))
    assert result.sequences[0].ids[-len(sampled) :] == sampled
    assert result.counts["other_text"] == 1
    assert any("do not spell their text" in note for note in result.notes)


def test_a_prompt_of_another_length_than_at_play_is_counted_and_its_log_probabilities_are_not_used() -> None:
    found = chat()
    sampled = [*found.token_ids("It is 4."), found.end.stop or 0]
    result = made(found, target(found, sampled, prompt_tokens=5))
    assert result.counts["other_prompt"] == 1
    assert result.sequences[0].spans[0].logprobs is None
    assert any("another number of tokens" in note for note in result.notes)


def test_a_cut_reply_is_trained_without_a_stop_token() -> None:
    found = chat()
    sampled = one_by_one(found, "It is")
    result = made(found, target(found, sampled, complete=False))
    assert result.sequences[0].ids[-len(sampled) :] == sampled
    assert result.counts["other_text"] == 0


@pytest.mark.parametrize("template", [CHATML, R1], ids=["the model opens the thought", "the prompt opens it"])
@pytest.mark.parametrize("with_ids", [True, False])
def test_thoughts_are_trained_masked_or_dropped(template: str, with_ids: bool) -> None:
    found = chat("qwen2.5", template)
    opened = found.opens_thought(found.prompt(TARGET.prompt))
    whole = found.joined(THOUGHT, opened=opened) + "It is 4." + found.end.text
    wanted = target(found, found.token_ids(whole))
    if not with_ids:
        wanted = dataclasses.replace(wanted, token_ids=None, logprobs=None)
    decode = found.tokenizer.decode
    trained, seen = {}, {}
    for think in ("keep", "mask", "drop"):
        [sequence] = made(found, wanted, think=think).sequences
        [span] = sequence.spans
        trained[think] = decode(sequence.ids[span.start : span.stop])
        seen[think] = THOUGHT in decode(sequence.ids)
        assert span.logprobs is None or len(span.logprobs) == span.stop - span.start
    empty = "\n</think>\n\n" if opened else ""
    assert trained["keep"] == whole
    assert trained["mask"].lstrip() == "It is 4." + found.end.text
    assert trained["drop"] == empty + "It is 4." + found.end.text
    assert seen == {"keep": True, "mask": True, "drop": False}


@pytest.mark.parametrize("style", ["qwen3", "qwen3.5"])
@pytest.mark.parametrize("think", ["mask", "drop"])
@pytest.mark.parametrize("with_ids", [True, False])
def test_nothing_is_trained_of_a_reply_that_was_cut_in_a_thought_that_is_not_trained(
    style: str, think: Any, with_ids: bool
) -> None:
    found = STYLES[style].chat()
    cut = target(found, found.token_ids(found.opening("Two and", opened=style == "qwen3.5")), complete=False)
    assert (cut.reasoning, cut.reply) == ("Two and", "")
    if not with_ids:
        cut = dataclasses.replace(cut, token_ids=None, logprobs=None)
    result = made(found, TARGET, dataclasses.replace(cut, trajectory="u"), think=think)
    assert (len(result.sequences), result.dropped, result.counts["empty"]) == (1, [], 1)


def test_the_name_of_a_channel_is_not_trained_before_a_reply_that_is_empty_and_cut() -> None:
    found = STYLES["gpt-oss"].chat()
    empty = dataclasses.replace(TARGET, reply="", complete=False)
    assert made(found, TARGET, empty).counts["empty"] == 1


def test_a_masked_thought_ends_at_its_last_closing_mark() -> None:
    found = STYLES["qwen3"].chat()
    sampled = found.token_ids("<think>\nIs </think> it?\n</think>\n\nIt is 4.<|im_end|>")
    [sequence] = made(found, target(found, sampled), think="mask").sequences
    [span] = sequence.spans
    assert found.tokenizer.decode(sequence.ids[span.start : span.stop]) == "It is 4.<|im_end|>"
    assert sequence.ids[-len(sampled) :] == sampled


@pytest.mark.parametrize("style", ["qwen3", "qwen3.5"])
def test_a_thought_in_the_text_of_a_reply_is_written_once(style: str) -> None:
    """Stores of version 0.1 hold thoughts in the text."""
    found = STYLES[style].chat()
    text = found.joined(" Two. ", opened=style == "qwen3.5") + "It is 4."
    [sequence] = made(found, dataclasses.replace(TARGET, reply=text)).sequences
    [span] = sequence.spans
    assert found.tokenizer.decode(sequence.ids[span.start : span.stop]) == text + "<|im_end|>"


@pytest.mark.parametrize("with_ids", [True, False])
def test_a_special_token_that_the_text_spells_is_trained_as_characters(with_ids: bool) -> None:
    found = STYLES["command-a"].chat()
    end = found.end.stop or 0
    text = "Stop at <|END_OF_TURN_TOKEN|>, "
    letters = [i for i in one_by_one(found, "Stop at <|END_OF_TURN_TOKEN|>, ") if i != end]
    sampled = [*found.token_ids(found.head), *letters, *found.token_ids(found.end.text)]
    wanted = target(found, sampled)
    assert wanted.reply == text
    if not with_ids:
        wanted = dataclasses.replace(wanted, token_ids=None, logprobs=None)
    result = made(found, wanted)
    [sequence] = result.sequences
    trained = sequence.ids[sequence.spans[0].start :]
    assert trained.count(end) == 1
    assert trained[-1] == end
    assert found.tokenizer.decode(trained) == found.head + text + found.end.text
    assert result.counts["other_text"] == 0


def test_the_stop_token_that_was_sampled_is_trained_where_the_template_writes_another_one() -> None:
    found = STYLES["qwen2.5"].chat()
    other = found.tokenizer.convert_tokens_to_ids("<|endoftext|>")
    assert found.end.stop != other
    first = target(found, [*found.token_ids("It is 5."), other])
    after = ({"role": "assistant", "content": first.reply}, {"role": "user", "content": "Again."})
    second = dataclasses.replace(TARGET, turn=1, history=after)
    result = made(found, first, second)
    assert [sequence.ids[-1] for sequence in result.sequences] == [other, found.end.stop]
    assert (first.reply, result.counts["other_text"]) == ("It is 5.", 0)


def test_a_prompt_that_loses_its_thoughts_is_not_said_to_be_another_one() -> None:
    found = STYLES["seed-oss"].chat()
    thought = {"role": "assistant", "content": "It is 5.", "reasoning_content": THOUGHT}
    again = {"role": "user", "content": "Please try again."}
    history = (thought, again)
    sampled = [*found.token_ids("It is 4."), found.end.stop or 0]
    played = len(found.encode([TARGET.start + history])[0])
    second = target(found, sampled, history=history, prompt_tokens=played)
    assert made(found, second, think="keep").counts["other_prompt"] == 0
    result = made(found, second, think="drop")
    assert THOUGHT not in found.tokenizer.decode(result.sequences[0].ids)
    assert result.counts["other_prompt"] == 0
    assert result.sequences[0].spans[0].logprobs is None


def test_only_the_tokens_that_were_split_otherwise_have_drifted() -> None:
    found = chat()
    words = ["Two", " and", " two", " is", " four", "."]
    usual = [i for word in words for i in found.token_ids(word)]
    split = [*found.token_ids("Two"), *one_by_one(found, " and"), *found.token_ids(" two is four.")]
    assert found.token_ids("Two and two is four.") == usual != split
    result = made(found, target(found, [*split, found.end.stop or 0]))
    [sequence] = result.sequences
    drifted = [sequence.ids[place] for place in sequence.spans[0].drifted]
    assert found.tokenizer.decode(drifted) == " and"


def test_a_reply_that_was_cut_in_its_thought_is_trained_as_it_was_sampled() -> None:
    found = chat("qwen2.5", R1)
    sampled = found.token_ids("Two and")
    for wanted in (
        target(found, sampled, complete=False),
        target(found, sampled, complete=False, token_ids=None, logprobs=None),
    ):
        assert (wanted.reasoning, wanted.reply) == ("Two and", "")
        assert made(found, wanted).sequences[0].ids[-len(sampled) :] == sampled


def test_an_empty_thought_that_was_sampled_is_dropped_as_well() -> None:
    found = chat("qwen2.5", CHATML)
    wanted = target(found, found.token_ids("<think>\n\n</think>\n\nIt is 4." + found.end.text))
    assert wanted.reasoning == ""
    [sequence] = made(found, wanted, think="drop").sequences
    [span] = sequence.spans
    assert found.tokenizer.decode(sequence.ids[span.start : span.stop]) == "It is 4." + found.end.text


def test_the_next_turn_shares_the_sequence_only_if_its_prompt_holds_the_sampled_ids() -> None:
    found = chat()
    after = {"role": "user", "content": "Please try again."}
    for ids, sequences in ((found.token_ids("It is 5."), 1), (one_by_one(found, "It is 5."), 2)):
        first = target(found, [*ids, found.end.stop or 0])
        history = ({"role": "assistant", "content": "It is 5."}, after)
        second = dataclasses.replace(TARGET, turn=1, history=history)
        result = made(found, first, second)
        assert len(result.sequences) == sequences


def test_a_reply_that_was_cut_before_its_first_token_is_said_to_be_empty_and_not_too_long() -> None:
    found = chat()
    empty = dataclasses.replace(TARGET, reply="", complete=False)
    result = made(found, TARGET, dataclasses.replace(empty, trajectory="u", turn=1))
    assert (len(result.sequences), result.dropped, result.counts["empty"]) == (1, [], 1)
    assert any("empty because they were cut" in note for note in result.notes)
    with pytest.raises(ConfigError, match="every selected reply is empty"):
        made(found, empty)


def test_an_unknown_treatment_of_thoughts_is_refused() -> None:
    with pytest.raises(ConfigError, match="think must be keep, mask, drop, got 'hide'"):
        ChatTokenizer(chat(), think="hide")  # type: ignore[arg-type]

import json
import pickle
from typing import Any

import pytest
from gymnasium.spaces import Dict, Space, Tuple
from gymnasium.vector.utils import batch_space, concatenate, create_empty_array, iterate
from hypothesis import given
from hypothesis import strategies as st

from rise_env.envs.spaces import ConversationSpace, UnicodeText
from rise_env.errors import ConfigError

SPACES: list[Space[Any]] = [UnicodeText(), UnicodeText(5), ConversationSpace(), ConversationSpace(7)]

every_space = pytest.mark.parametrize("space", SPACES, ids=repr)


@given(st.text(max_size=50))
def test_any_unicode_is_text(text: str) -> None:
    assert text in UnicodeText(50)
    assert ({"role": "user", "content": text},) in ConversationSpace(50)


@pytest.mark.parametrize("other", [None, 1, b"x", ["x"], "123456"], ids=repr)
def test_other_things_and_longer_texts_are_not(other: Any) -> None:
    assert other not in UnicodeText(5)
    assert ({"role": "user", "content": other},) not in ConversationSpace(5)


@pytest.mark.parametrize(
    "other",
    [
        None,
        [{"role": "user", "content": "x"}],
        ({"role": "robot", "content": "x"},),
        ({"role": "user"},),
        ({"role": "user", "content": "x", "name": "y"},),
        ("x",),
    ],
    ids=repr,
)
def test_a_conversation_is_a_tuple_of_messages(other: Any) -> None:
    assert other not in ConversationSpace()


@every_space
def test_samples_belong_to_their_space_and_repeat_with_the_seed(space: Space[Any]) -> None:
    space.seed(3)
    samples = [space.sample() for _ in range(100)]
    assert all(sample in space for sample in samples)
    space.seed(3)
    assert [space.sample() for _ in range(100)] == samples
    assert any(not text.isascii() for text in map(str, samples))


@pytest.mark.parametrize(("max_length", "longest"), [(1, 1), (5, 5), (64, 64), (65, 64), (2**20, 64)])
def test_sampled_texts_have_every_length_up_to_64_characters_and_to_the_longest_allowed(
    max_length: int, longest: int
) -> None:
    space = UnicodeText(max_length, seed=1)
    assert {len(space.sample()) for _ in range(1000)} == set(range(longest + 1))


def test_sampled_conversations_have_one_to_five_user_messages_of_at_most_64_characters() -> None:
    space = ConversationSpace(70, seed=1)
    samples = [space.sample() for _ in range(1000)]
    assert {len(sample) for sample in samples} == {1, 3, 5, 7, 9}
    for sample in samples:
        assert [message["role"] for message in sample[:2]] == ["user", "assistant"][: len(sample)]
        assert sample[-1]["role"] == "user"
    assert max(len(message["content"]) for sample in samples for message in sample) == 64


@every_space
def test_samples_survive_json_and_spaces_pickling(space: Space[Any]) -> None:
    samples = [space.sample() for _ in range(20)]
    assert space.from_jsonable(json.loads(json.dumps(space.to_jsonable(samples)))) == samples
    copy = pickle.loads(pickle.dumps(space))  # noqa: S301 our own bytes
    assert copy == space
    assert hash(copy) == hash(space)
    assert copy.sample() == space.sample()


@every_space
def test_spaces_batch_like_gymnasiums_own(space: Space[Any]) -> None:
    batch = batch_space(space, 3)
    assert isinstance(batch, Tuple)
    items = batch.sample()
    assert items in batch
    assert list(iterate(batch, items)) == list(items)
    assert concatenate(space, items, create_empty_array(space, 3)) == items
    assert Dict(a=space).sample() in Dict(a=space)


def test_spaces_differ_by_length() -> None:
    assert UnicodeText(5) != UnicodeText(6)
    assert ConversationSpace(5) != ConversationSpace(6)
    assert UnicodeText(5) != ConversationSpace(5)


@every_space
def test_masks_and_senseless_lengths_are_refused(space: Space[Any]) -> None:
    with pytest.raises(ConfigError, match="without mask"):
        space.sample(mask=1)
    with pytest.raises(ConfigError, match="max_length must be at least 1"):
        type(space)(0)
    assert not space.is_np_flattenable

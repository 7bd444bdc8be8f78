"""Gymnasium spaces for texts and conversations.

`gymnasium.spaces.Text` accepts only the characters of its alphabet, by default letters and digits, so that it
rejects "2 + 2". These spaces accept any Unicode text. They test membership by type and length only, which
takes the same time for texts of any length.

They batch, pickle and serialise like Gymnasium's own spaces. Their zero elements, which wrappers such as
`FrameStackObservation` use for padding, are the empty text and the conversation without messages. Their
elements have no fixed size, so that `AsyncVectorEnv` needs `shared_memory=False`.
"""

from collections.abc import Iterable
from typing import Any

import numpy as np
from gymnasium.spaces import Space
from gymnasium.wrappers.utils import create_zero_array

from rise_env.errors import ConfigError
from rise_env.types import Conversation, Message

ROLES = frozenset({"system", "user", "assistant"})

_SAMPLED_CHARACTERS = 64
"""Length of the longest sampled text; `max_length` would allow a million characters."""
_ALPHABET = [
    *"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789",
    *" \n\\{}$^_+-*/=<>()[].,;:?!%#",
    *"αβγπ∑∫√≤≥½²äéñß你好数学مرحבא🙂🚀",
]


class UnicodeText(Space[str]):
    """All strings of at most `max_length` characters, the empty one included.

    Args:
        max_length: Maximal length in characters (Unicode code points), at least 1.
        seed: Seeds `sample`.

    Raises:
        ConfigError: `max_length` is less than 1.

    >>> "2 + 2 = ½ 🙂?" in UnicodeText()
    True
    """

    def __init__(self, max_length: int = 2**20, *, seed: int | np.random.Generator | None = None) -> None:
        if max_length < 1:
            raise ConfigError(f"max_length must be at least 1, got {max_length}")
        self.max_length = int(max_length)
        super().__init__(dtype=None, seed=seed)

    @property
    def is_np_flattenable(self) -> bool:
        """False: texts have no fixed size."""
        return False

    def sample(self, mask: None = None, probability: None = None) -> str:
        """Return a random text of at most 64 characters; `mask` and `probability` must be None."""
        if mask is not None or probability is not None:
            raise ConfigError("a text space is sampled without mask and probability")
        length = int(self.np_random.integers(0, min(self.max_length, _SAMPLED_CHARACTERS) + 1))
        return "".join(_ALPHABET[i] for i in self.np_random.integers(0, len(_ALPHABET), length))

    def contains(self, x: Any) -> bool:
        """Return whether `x` is a string that is not too long."""
        return isinstance(x, str) and len(x) <= self.max_length

    def __eq__(self, other: object) -> bool:
        return isinstance(other, UnicodeText) and self.max_length == other.max_length

    def __hash__(self) -> int:
        return hash((type(self), self.max_length))

    def __repr__(self) -> str:
        return f"UnicodeText({self.max_length})"


class ConversationSpace(Space[Conversation]):
    """All tuples of chat messages: dicts with a known role and a content, and nothing else.

    Args:
        max_length: Maximal number of characters per message, at least 1.
        seed: Seeds `sample`.

    Raises:
        ConfigError: `max_length` is less than 1.

    >>> ({"role": "user", "content": "2 + 2?"},) in ConversationSpace()
    True
    """

    def __init__(self, max_length: int = 2**20, *, seed: int | np.random.Generator | None = None) -> None:
        self.text = UnicodeText(max_length)
        super().__init__(dtype=None, seed=seed)

    @property
    def is_np_flattenable(self) -> bool:
        """False: conversations have no fixed size."""
        return False

    def seed(self, seed: int | None = None) -> int:
        """Seed `sample`, and return the seed."""
        used = int(super().seed(seed))
        self.text.seed(used)
        return used

    def sample(self, mask: None = None, probability: None = None) -> Conversation:
        """Return one to five random user messages with a reply between each two.

        `mask` and `probability` must be None.
        """
        if mask is not None or probability is not None:
            raise ConfigError("a conversation space is sampled without mask and probability")
        count = 2 * int(self.np_random.integers(0, 5)) + 1
        return tuple(
            Message(role="assistant" if i % 2 else "user", content=self.text.sample()) for i in range(count)
        )

    def contains(self, x: Any) -> bool:
        """Return whether `x` is a conversation, in time proportional to its number of messages."""
        return isinstance(x, tuple) and all(self._holds_message(message) for message in x)

    def _holds_message(self, message: Any) -> bool:
        return (
            isinstance(message, dict)
            and len(message) == 2
            and message.get("role") in ROLES
            and message.get("content", self) in self.text
        )

    def to_jsonable(self, sample_n: Iterable[Conversation]) -> list[list[Message]]:
        """Return conversations as lists of messages."""
        return [[message.copy() for message in conversation] for conversation in sample_n]

    def from_jsonable(self, sample_n: list[list[Message]]) -> list[Conversation]:
        """Return the conversations that `to_jsonable` turned into lists."""
        return [tuple(message.copy() for message in messages) for messages in sample_n]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ConversationSpace) and self.text == other.text

    def __hash__(self) -> int:
        return hash((type(self), self.text))

    def __repr__(self) -> str:
        return f"ConversationSpace({self.text.max_length})"


@create_zero_array.register(UnicodeText)
def _empty_text(space: UnicodeText) -> str:  # type: ignore[misc]  # the fallback's argument has a type variable
    return ""


@create_zero_array.register(ConversationSpace)
def _no_messages(space: ConversationSpace) -> Conversation:  # type: ignore[misc]
    return ()

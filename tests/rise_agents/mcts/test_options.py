import pytest
from hypothesis import given
from hypothesis import strategies as st

from rise_agents.mcts.options import split
from rise_env.errors import ConfigError

KINDS = ["line", "paragraph", "block", "sentence", "words:1", "words:3", "reply"]
PIECES = [
    "Two",
    "and 3.5",
    "x",
    ".",
    "!",
    ")",
    " ",
    "  ",
    "\n",
    "\n\n",
    "$a+b$",
    "<<1+1=2>>",
    "1. ",
    "\t",
    "é",
]
replies = st.lists(st.sampled_from(PIECES), max_size=30).map("".join) | st.text(max_size=40)


@pytest.mark.parametrize("kind", KINDS)
@given(reply=replies)
def test_the_options_of_a_reply_joined_are_the_reply(kind: str, reply: str) -> None:
    options = split(reply, kind)
    assert "".join(options) == reply
    assert all(option.strip() for option in options) or len(options) == 1


@pytest.mark.parametrize("kind", KINDS)
@given(reply=replies)
def test_the_rest_of_a_reply_after_its_first_option_has_the_other_options(kind: str, reply: str) -> None:
    if reply.strip() and not reply[0].isspace() and kind != "sentence":
        first, *others = split(reply, kind)
        assert split(reply[len(first) :], kind) == others


@pytest.mark.parametrize(
    ("kind", "reply", "options"),
    [
        ("line", "a\nb\n\nc", ["a\n", "b\n\n", "c"]),
        ("line", "\n\na\n  b", ["\n\na\n", "  b"]),
        ("line", "a\n\n", ["a\n\n"]),
        ("line", "", []),
        ("paragraph", "a\nb\n \nc\nd", ["a\nb\n \n", "c\nd"]),
        ("block", "So we add.\n\nThat is $3$.\n\nDone.", ["So we add.\n\nThat is $3$.\n\n", "Done."]),
        ("block", "Now $1$.\n\nThen <<1+2=3>>.\n\nSo 3.", ["Now $1$.\n\n", "Then <<1+2=3>>.\n\n", "So 3."]),
        ("sentence", "It is 3.5 m. So 4! Done.", ["It is 3.5 m.", " So 4!", " Done."]),
        ("sentence", "1. Add two.\n2. Take one.", ["1. Add two.\n", "2. Take one."]),
        ("sentence", 'He said "go." Then 7.', ['He said "go."', " Then 7."]),
        ("words:2", "a b  c\nd e f", ["a b", "  c\nd", " e f"]),
        ("words:9", "a b c", ["a b c"]),
        ("reply", "a\n\nb.", ["a\n\nb."]),
    ],
)
def test_options_end_where_their_kind_says(kind: str, reply: str, options: list[str]) -> None:
    assert split(reply, kind) == options


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("lines", "did you mean 'line'"),
        ("tokens", "no option 'tokens'"),
        ("words", "names their number"),
        ("words:0", "words:20; got 'words:0'"),
        ("words:N", "words:20; got 'words:N'"),
        ("line:3", "did you mean 'line'"),
    ],
)
def test_an_unknown_kind_of_option_is_refused(kind: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        split("a", kind)

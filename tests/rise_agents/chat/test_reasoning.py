import pytest
from hypothesis import given
from hypothesis import strategies as st

from rise_agents.chat.reasoning import MARKS, Marks, split_reasoning

PLAIN = st.text().filter(lambda text: not any(m.open in text or m.close in text for m in MARKS))


def joined(marks: Marks, thought: str, reply: str, *, opened: bool) -> str:
    before, after = marks.around
    return ("" if opened else before) + thought + after + reply


@pytest.mark.parametrize("marks", MARKS, ids=lambda marks: marks.open)
def test_what_is_joined_is_split_again(marks: Marks) -> None:
    for opened in (False, True):
        whole = joined(marks, "Two and two.\n\nYes.", "It is 4.\n", opened=opened)
        assert split_reasoning(whole, opened) == ("Two and two.\n\nYes.", "It is 4.\n")


@given(PLAIN, PLAIN)
def test_no_thought_and_no_reply_changes_but_for_line_breaks_around_them(thought: str, reply: str) -> None:
    for marks in MARKS:
        found = split_reasoning(joined(marks, thought, reply, opened=True), opened=True)
        assert found == (thought.strip("\n"), reply.lstrip("\n"))


@given(PLAIN)
def test_a_text_without_marks_is_returned_as_it_is(text: str) -> None:
    if not any(marks.no_thought and text.lstrip().startswith(marks.no_thought) for marks in MARKS):
        assert split_reasoning(text) == ("", text)


@pytest.mark.parametrize("marks", MARKS, ids=lambda marks: marks.open)
def test_a_reply_that_was_cut_in_its_thought_is_all_thought(marks: Marks) -> None:
    assert split_reasoning(marks.around[0] + "Two and") == ("Two and", "")
    assert split_reasoning("Two and", opened=True) == ("Two and", "")


def test_a_server_that_writes_the_opening_mark_in_the_prompt_leaves_only_the_closing_one() -> None:
    assert split_reasoning("Two.\n</think>\n\nIt is 4.") == ("Two.", "It is 4.")


def test_the_last_closing_mark_ends_the_thought() -> None:
    assert split_reasoning("<think>a</think>b</think>c") == ("a</think>b", "c")


def test_a_thought_counts_only_at_the_beginning() -> None:
    text = "It is 4. <think>Or 5?</think>"
    assert split_reasoning(text) == ("", text)


def test_gpt_oss_writes_a_reply_without_thought_in_its_final_channel() -> None:
    assert split_reasoning("<|channel|>final<|message|>It is 4.") == ("", "It is 4.")

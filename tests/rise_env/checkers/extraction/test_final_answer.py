import pytest

from rise_env.checkers import check_answer, final_answer
from rise_env.checkers.policy import Policy
from rise_env.errors import ConfigError
from rise_env.types import Verdict


@pytest.mark.parametrize(
    ("reply", "answer"),
    [
        pytest.param("We get 41.\n#### 42", "42", id="GSM8K marker"),
        pytest.param("#### 41 no\n#### 42", "42", id="last of two markers"),
        pytest.param("The answer is 42.", "42", id="phrase"),
        pytest.param("The answer is $\\frac{1}{2}$. I hope it is correct.", r"$\frac{1}{2}$", id="formula"),
        pytest.param("Answer: 41\nWait.\nAnswer: 42", "42", id="last of two phrases"),
        pytest.param("**Answer:** 42", "42", id="markdown"),
        pytest.param("**Final Answer**\n\n42", "42", id="heading"),
        pytest.param("<answer>42</answer>", "42", id="tag"),
        pytest.param("A: 42", "42", id="short marker"),
        pytest.param("The answer is 3.14 because it is", "3.14", id="point inside a number"),
        pytest.param("réponse est 42", "42", id="French"),
        pytest.param("因此，一共有**858颗**糖果。", "858", id="Chinese conclusion"),
        pytest.param("Therefore $x > 5$ is the solution.", "$x > 5$", id="conclusion"),
        pytest.param("We find that $x = 3$.", "$x = 3$", id="finding"),
        pytest.param("The pair $(x, y)$ that solves it is $(7, 6)$.", "$(7, 6)$", id="formula behind is"),
        pytest.param("28 percent", "28 percent", id="nothing but an answer"),
        pytest.param("<think>\\boxed{41}</think>\\boxed{42}", "42", id="behind thinking"),
        pytest.param("\\boxed{42}<|im_end|>\\boxed{7}", "42", id="before the end of the turn"),
    ],
)
def test_the_answer_that_a_reply_states_is_found(reply: str, answer: str) -> None:
    assert final_answer(reply) == answer


@pytest.mark.parametrize(
    "reply",
    [
        pytest.param("", id="empty"),
        pytest.param(" \n\t ", id="blank"),
        pytest.param("I like 42.", id="a number in passing"),
        pytest.param("just 42", id="words before a number"),
        pytest.param("The answer is not 42.", id="negation"),
        pytest.param("The candidates are 41, 42, 43. The answer is one of them.", id="one of several"),
        pytest.param("<think>The answer is 42", id="unclosed thinking"),
        pytest.param("<think>\\boxed{42}</think>", id="only thinking"),
        pytest.param("The answer is 42. \\boxed{", id="an open box after it"),
        pytest.param("\\boxed{42}\\boxed{}", id="last box empty"),
        pytest.param("__import__('os').system('true') or 0", id="code"),
    ],
)
def test_a_reply_that_states_nothing_has_no_answer(reply: str) -> None:
    assert check_answer(reply, "42").verdict in {Verdict.NO_ANSWER, Verdict.WRONG, Verdict.UNREADABLE}
    assert final_answer(reply) in {None, "one of them"}


def test_a_box_wins_over_every_other_statement() -> None:
    assert final_answer("#### 7\nThe answer is 7. \\boxed{42}. Answer: 7") == "42"


def test_only_a_box_counts_where_only_boxes_are_asked_for() -> None:
    assert final_answer("The answer is 42.", extraction="boxed") is None
    assert check_answer("#### 42", "42", policy=Policy(extraction="boxed")).verdict is Verdict.NO_ANSWER


def test_the_last_number_counts_only_where_it_is_asked_for() -> None:
    reply = "I count 41 and then one more, 42 in all it seems"
    assert final_answer(reply) is None
    assert final_answer(reply, extraction="last") == "42"


def test_an_unknown_place_for_answers_is_refused() -> None:
    with pytest.raises(ConfigError, match="extraction must be one of"):
        Policy(extraction="anywhere")  # type: ignore[arg-type]


@pytest.mark.parametrize("reply", ["x " * 60_000 + "\\boxed{42}", "\\boxed{42}" + " y" * 60_000])
def test_a_box_is_found_in_a_very_long_reply(reply: str) -> None:
    assert final_answer(reply) == "42"


def test_a_very_long_thought_that_is_never_closed_states_nothing() -> None:
    assert final_answer("<think>" + "so " * 40_000 + "\\boxed{42}") is None

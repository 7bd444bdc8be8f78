from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rise_env.checkers import NumericChecker
from rise_env.envs.feedback import solution_steps
from rise_env.envs.math_env import MathEnv
from rise_env.errors import ConfigError, ProblemError
from rise_env.types import CheckResult, Conversation, Problem, Verdict
from tests.rise_env.conftest import SUMS


def play(problem: Problem, replies: list[str], feedback: str, **settings: bool) -> list[Conversation]:
    """All observations of an episode that does not stop when solved."""
    env = MathEnv(
        [problem],
        NumericChecker(),
        feedback=feedback,
        max_turns=len(replies),
        stop_when_correct=False,
        **settings,
    )
    return [env.reset()[0], *(env.step(reply)[0] for reply in replies)]


replies = st.lists(
    st.one_of(st.text(max_size=20), st.integers(0, 9).map(lambda n: rf"\boxed{{{n}}}")),
    min_size=1,
    max_size=6,
)


@pytest.mark.parametrize("feedback", ["blind", "self_check", "none"])
@given(said=replies, reference=st.integers(0, 9).map(str), other=st.integers(0, 9).map(str))
def test_no_observation_depends_on_the_reference(
    feedback: str, said: list[str], reference: str, other: str
) -> None:
    problem = replace(SUMS[0], reference=reference, solution=f"It is {reference}.\n#### {reference}")
    changed = replace(problem, reference=other, solution=f"It is {other}.\n#### {other}")
    assert play(problem, said, feedback) == play(changed, said, feedback)


@given(said=replies, reference=st.integers(0, 9).map(str), other=st.integers(0, 9).map(str))
def test_neither_does_it_in_the_layout_of_the_released_code(
    said: list[str], reference: str, other: str
) -> None:
    problem, changed = replace(SUMS[0], reference=reference), replace(SUMS[0], reference=other)
    assert play(problem, said, "blind", released_rise=True) == play(
        changed, said, "blind", released_rise=True
    )


def test_an_oracle_says_what_is_wrong_and_repeats_the_question() -> None:
    wrong, right = [
        observation[-1]["content"]
        for observation in play(SUMS[3], [r"\boxed{8}", r"\boxed{7}", "end"], "oracle")[1:3]
    ]
    assert wrong == "That is not right. Please try again. The question was: What is 3 + 4?"
    assert right == "That is right. The question was: What is 3 + 4?"


def test_hints_rise_and_never_state_the_answer() -> None:
    said = [observation[-1]["content"] for observation in play(SUMS[3], ["hm"] * 4, "hint")[1:4]]
    assert "Start with 3." in said[0]
    assert "Count 4 on." not in said[0]
    assert "Start with 3.\nCount 4 on." in said[1]
    assert said[2] == said[1]
    assert all("7" not in text for text in said)


def test_a_hint_needs_a_solution() -> None:
    with pytest.raises(ProblemError, match="problem 'sums/0' has no worked solution"):
        play(replace(SUMS[0], solution=None), ["hm", "hm"], "hint")


@pytest.mark.parametrize(
    ("solution", "steps"),
    [
        ("16 - 3 = <<16-3=13>>13 eggs.\n13 * 2 = 26.\n#### 26", ["16 - 3 = 13 eggs."]),
        (r"First, $a=2$. Then $b=3$. So it is $\boxed{5}$.", ["First, $a=2$.", "Then $b=3$."]),
        (r"\boxed{17} Ben: 12+5=17. Cara: 17*2=34. Dan: 34-1=33.", ["Ben: 12+5=17.", "Cara: 17*2=34."]),
        ("Only one step here", []),
        ("#### 4", []),
    ],
)
def test_the_last_step_of_a_solution_is_kept_back(solution: str, steps: list[str]) -> None:
    assert solution_steps(solution) == steps


def test_feedback_can_be_any_function_of_problem_check_and_turn() -> None:
    def speak(problem: Problem, check: CheckResult, turn: int) -> str:
        return f"{problem.id} {check.verdict.value} {turn}"

    env = MathEnv(SUMS, NumericChecker(), feedback=speak)
    env.reset(options={"index": 2})
    assert env.step("hm")[0][-1]["content"] == "sums/2 no_answer 0"
    assert env.step(r"\boxed{1}")[0][-1]["content"] == "sums/2 wrong 1"


def test_nothing_is_said_when_the_episode_is_over() -> None:
    calls: list[Verdict] = []

    def teacher(problem: Problem, check: CheckResult, turn: int) -> str:
        calls.append(check.verdict)
        return "again"

    env = MathEnv(SUMS, NumericChecker(), feedback=teacher, max_turns=2)
    env.reset(options={"index": 0})
    env.step("hm")
    assert env.step("hm")[0][-1]["role"] == "assistant"
    assert calls == [Verdict.NO_ANSWER]


def test_the_layout_of_the_released_code_shows_an_example_first_and_always_says_incorrect() -> None:
    start, after_right, _ = play(SUMS[3], [r"\boxed{7}", "end"], "blind", released_rise=True)
    assert [message["role"] for message in start] == ["user", "assistant", "user"]
    assert start[1]["content"].endswith(r"\boxed{101}.")
    assert "previous problem" in start[2]["content"]
    assert start[2]["content"].endswith("What is 3 + 4?")
    assert "incorrect" in after_right[-1]["content"]
    assert after_right[-1]["content"].endswith("What is 3 + 4?")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"feedback": "blnd"}, "no feedback 'blnd'; did you mean 'blind'"),
        ({"feedback": 3}, r"a name or a function of \(problem, check, turn\), got int"),
        ({"feedback": "oracle", "released_rise": True}, "leave out feedback='oracle'"),
    ],
    ids=str,
)
def test_feedback_that_makes_no_sense_says_why(settings: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        MathEnv(SUMS, NumericChecker(), **settings)  # type: ignore[arg-type]


@given(st.text())
def test_braces_and_marks_in_a_question_change_nothing(question: str) -> None:
    [observation, *_] = play(replace(SUMS[0], question=question), ["hm"], "blind")
    assert observation[0]["content"].startswith(question)

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rise_env.checkers import NumericChecker
from rise_env.checkers.parsing.vocabulary import FRACTIONS
from rise_env.envs import prompts
from rise_env.envs.feedback import FEEDBACK, TextFeedback, get_feedback
from rise_env.envs.hints import hint_steps, solution_steps, states
from rise_env.envs.math_env import MathEnv
from rise_env.envs.vector_env import MathVectorEnv
from rise_env.errors import ConfigError
from rise_env.problems.loading import load_problems
from rise_env.types import CheckResult, Conversation, Problem, Verdict
from tests.rise_env.conftest import SUMS


def play(problem: Problem, replies: list[str], feedback: Any, **settings: bool) -> list[Conversation]:
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


BLIND = [name for name, function in FEEDBACK.items() if isinstance(function, TextFeedback)]


@pytest.mark.parametrize("feedback", BLIND)
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
    assert right == (
        "That is right. Please solve it once more, in another way. The question was: What is 3 + 4?"
    )


def test_hints_rise_and_never_state_the_answer() -> None:
    said = [observation[-1]["content"] for observation in play(SUMS[3], ["hm"] * 4, "hint")[1:4]]
    assert "Start with 3." in said[0]
    assert "Count 4 on." not in said[0]
    assert "Start with 3.\nCount 4 on." in said[1]
    assert said[2] == said[1]
    assert all("7" not in text for text in said)


def test_a_hint_needs_a_set_with_solutions() -> None:
    bare = [replace(problem, solution=None) for problem in SUMS]
    for make in (MathEnv, MathVectorEnv):
        with pytest.raises(ConfigError, match="feedback='hint' needs worked solutions, and problem 'sums/0'"):
            make(bare, NumericChecker(), feedback="hint")


def test_a_problem_without_a_solution_among_others_gets_the_words_of_the_oracle() -> None:
    env = MathEnv([replace(SUMS[0], solution=None), *SUMS[1:]], NumericChecker(), feedback="hint")
    env.reset(options={"index": 0})
    assert env.step(r"\boxed{8}")[0][-1]["content"].startswith("That is not right. Please try again.")


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
        ({"feedback": 3}, r"or a function of \(problem, check, turn\) or \(conversation, check, .*got 3"),
        ({"feedback": "Again: {qestion}"}, r"no field \{qestion\}; did you mean 'question'"),
        ({"feedback": r"In \boxed{answer} {please"}, "has a single '{': write it twice"),
        ({"feedback": {"rong": "No."}}, "no verdict of feedback 'rong'; did you mean 'wrong'"),
        ({"feedback": {"wrong": 3}}, "a feedback is a text, got 3"),
        ({"feedback": lambda problem: "no"}, r"takes \(problem, check, turn\) or .* with \(problem\)"),
        ({"prompt": "qwen2.5math"}, "no prompt 'qwen2.5math'; did you mean 'qwen2.5_math'"),
        ({"prompt": "Solve this."}, r"a prompt is a name or a template with \{question\}, got 'Solve"),
        ({"prompt": "{question} {answer}"}, r"no field \{answer\}; .*written twice"),
        ({"prompt": "{question} }"}, "has a single '}': write it twice"),
        ({"prompt": "plain", "released_rise": True}, "leave out prompt='plain'"),
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


@pytest.mark.parametrize(
    ("verdict", "said"),
    [
        (Verdict.WRONG, "That is not right. Please try again. The question was: What is 3 + 4?"),
        (Verdict.NO_ANSWER, r"No final answer was found: put it in \boxed{}. Please try again. The"),
        (Verdict.UNREADABLE, r"The final answer cannot be read: put it alone in \boxed{}. Please try"),
        (
            Verdict.TIMEOUT,
            "The answer could not be checked in time, so that it may be right or wrong.",
        ),
        (Verdict.CORRECT, "That is right. Please solve it once more, in another way. The question"),
    ],
)
def test_an_oracle_says_what_happened(verdict: Verdict, said: str) -> None:
    oracle, hint = get_feedback("oracle"), get_feedback("hint")
    check = CheckResult(verdict, "9")
    assert oracle(SUMS[3], check, 0).startswith(said)  # type: ignore[arg-type]
    hinted = hint(SUMS[3], check, 0)  # type: ignore[arg-type]
    assert hinted.startswith(said.partition(" Please")[0])
    assert ("Start with 3." in hinted) == (verdict is not Verdict.CORRECT)
    assert ("not right" in hinted) == (verdict is Verdict.WRONG)


def test_the_words_that_the_embedded_model_learned_stay() -> None:
    assert prompts.FIRST == ("{question}\nSolve it step by step and put the final answer in \\boxed{{}}.")
    assert prompts.BLIND == "Please try again. The question was: {question}"
    assert prompts.ORACLE[Verdict.WRONG] == prompts.ORACLE_WRONG
    assert prompts.ORACLE_WRONG == "That is not right. Please try again. The question was: {question}"


def test_feedback_can_be_a_template() -> None:
    text = r"Attempt {turn} found \boxed{{{answer}}}. Once more: {question} {}"
    _, first, second = play(SUMS[3], [r"\boxed{8}", "hm", "end"], text)[:3]
    assert first[-1]["content"] == r"Attempt 1 found \boxed{8}. Once more: What is 3 + 4? {}"
    assert second[-1]["content"] == r"Attempt 2 found \boxed{}. Once more: What is 3 + 4? {}"


def test_a_template_without_fields_is_said_as_it_is() -> None:
    assert play(SUMS[3], ["hm", "end"], "Try again.")[1][-1]["content"] == "Try again."


def test_feedback_can_be_texts_by_verdict() -> None:
    by_verdict = {"wrong": "Not {answer}.", Verdict.CORRECT: "Yes."}
    said = [o[-1]["content"] for o in play(SUMS[3], [r"\boxed{8}", r"\boxed{7}", "hm", ""], by_verdict)[1:4]]
    assert said[:2] == ["Not 8.", "Yes."]
    assert said[2].startswith("No final answer was found")
    rest = {"wrong": "Not {answer}.", "default": "Go on."}
    assert [o[-1]["content"] for o in play(SUMS[3], [r"\boxed{7}", "hm", ""], rest)[1:3]] == ["Go on."] * 2


@pytest.mark.parametrize("make", [MathEnv, MathVectorEnv])
def test_feedback_can_be_a_function_of_the_conversation(make: Any) -> None:
    seen = []

    def speak(conversation: Conversation, check: CheckResult, turn: int) -> str:
        seen.append(conversation)
        conversation[0]["content"] = "changed by the function"
        return f"{len(conversation)} {conversation[-1]['content']} {check.verdict.value} {turn}"

    def speak_of(messages: Conversation, check: CheckResult, turn: int) -> str:
        return speak(messages, check, turn)

    for function in (speak, speak_of):
        env = make(SUMS, NumericChecker(), feedback=function)
        start, _ = env.reset(options={"index": 3})
        single = isinstance(env, MathEnv)
        observation = env.step("hm" if single else ["hm"])[0]
        observation = observation if single else observation[0]
        assert observation[-1]["content"] == "2 hm no_answer 0"
        assert observation[0] == (start if single else start[0])[0]
        assert seen[-1][-1] == {"role": "assistant", "content": "hm"}


@given(said=replies, reference=st.integers(0, 9).map(str), other=st.integers(0, 9).map(str))
def test_no_template_depends_on_the_reference(said: list[str], reference: str, other: str) -> None:
    problem, changed = replace(SUMS[0], reference=reference), replace(SUMS[0], reference=other)
    text = "{turn} {answer} {question}"
    assert play(problem, said, text) == play(changed, said, text)


@pytest.mark.parametrize(
    ("text", "answer", "expected"),
    [
        ("He has 1,234 left.", "1234", True),
        ("He has 1234 left.", "1,234", True),
        (r"It is $1{,}234$.", "1234", True),
        ("That is 12 of 123.", "3", False),
        ("He pays $18.00 now.", "18", True),
        ("He pays 18.5 now.", "18", False),
        ("It is 7 - 4.", "-4", True),
        (r"So it is $\dfrac{2}{4}$.", r"\frac{1}{2}", True),
        ("So it is 1/2.", "0.5", True),
        (r"So $x = \sqrt{ 3 } + 1$.", r"\sqrt{3}+1", True),
        (r"So $x = \sqrt{3}$.", r"\sqrt{3}+1", False),
        ("It is (2, 5).", "(2,5)", True),
        ("It is Evelyn.", r"Evelyn", True),
        ("100,200 and 7", "200", True),
        ("9" * 6000, "9" * 5000, False),
    ],
)
def test_an_answer_in_a_text_is_found(text: str, answer: str, expected: bool) -> None:
    assert states(text, answer) is expected


def test_a_step_with_the_answer_by_chance_ends_the_hints() -> None:
    assert hint_steps("Take 3.\nThere are 7 days.\nAdd 4.\nIt is 7.", "7") == ["Take 3."]


@pytest.mark.parametrize("command", sorted(FRACTIONS))
def test_a_hint_withholds_the_answer_with_any_fraction_command(command: str) -> None:
    step = f"So it is $\\{command}{{1}}{{2}}$."
    assert states(step, r"\frac{1}{2}")
    assert states(step, "0.5")
    assert states(step.replace("1", "x"), rf"\{command}{{x}}{{2}}")
    assert not states(step, r"\frac{1}{3}")


def test_no_hint_of_gsm8k_or_math_states_the_answer(data_dir: Path) -> None:
    seen = 0
    for name, split in (("GSM8K", "train"), ("GSM8K", "test"), ("MATH", "test")):
        for problem in load_problems(name, split=split, data_dir=data_dir):
            if re.search(r"\d,\d(?!\d\d)", problem.reference):
                continue  # several numbers
            steps = hint_steps(problem.solution or "", problem.reference)
            seen += bool(steps)
            plain = re.sub(r",(?=\d{3}\b)", "", " ".join(steps))
            numbers = set(re.findall(r"\d*\.\d+|\d+", plain))
            assert problem.reference.replace(",", "").strip("$-") not in numbers
    assert seen > 10_000

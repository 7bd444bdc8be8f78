"""What an environment says after an attempt: a name of the table `FEEDBACK`, or any function.

To add a kind of feedback: write its text in `prompts.py`, add one entry to `FEEDBACK` below, and name it in
the docstring of `MathEnv`. The entry is a `BlindFeedback`, an `OracleFeedback`, or a new function or class in
this file. Nothing else lists the kinds.

Blind kinds read the question and nothing else, so that no observation depends on the reference answer. The
others read the problem and the result of the check.
"""

import re
from collections.abc import Callable, Mapping

from rise_env.envs import prompts
from rise_env.envs.prompts import Template
from rise_env.errors import ConfigError, ProblemError
from rise_env.types import CheckResult, Problem
from rise_env.utils.suggestions import validate_choice

FeedbackFunction = Callable[[Problem, CheckResult, int], str]
"""(problem, check of the attempt, its turn counted from 0) -> the next user message."""

FeedbackLike = str | FeedbackFunction
"""What the argument `feedback` takes: a name of `FEEDBACK`, or a function."""


class BlindFeedback:
    """The same text after every attempt. Reads the question only.

    Args:
        text: With a field {question}.
    """

    def __init__(self, text: str) -> None:
        self._text = Template(text)

    def __call__(self, problem: Problem, check: CheckResult, turn: int) -> str:
        """Return the text with the question."""
        return self._text.fill(problem.question)


class OracleFeedback:
    """Says whether the attempt was right, and repeats the question.

    Args:
        wrong: The text after an attempt that is not right, with a field {question}.
        right: The text after a right one; used only where episodes continue after a right answer.
    """

    def __init__(self, wrong: str = prompts.ORACLE_WRONG, right: str = prompts.ORACLE_RIGHT) -> None:
        self._wrong, self._right = Template(wrong), Template(right)

    def __call__(self, problem: Problem, check: CheckResult, turn: int) -> str:
        """Return the text for this verdict."""
        return (self._right if check.correct else self._wrong).fill(problem.question)


class HintFeedback:
    """Shows one more step of the worked solution after each attempt that is not right, never the last step.

    Use it to make training data, not to measure: the text depends on the solution.
    """

    def __call__(self, problem: Problem, check: CheckResult, turn: int) -> str:
        """Return the text for this turn.

        Raises:
            ProblemError: The problem has no worked solution.
        """
        if check.correct:
            return prompts.ORACLE_RIGHT.format(question=problem.question)
        if not problem.solution:
            raise ProblemError(
                f"problem {problem.id!r} has no worked solution to hint from: use feedback='oracle'"
            )
        steps = solution_steps(problem.solution)[: turn + 1]
        if not steps:
            return prompts.ORACLE_WRONG.format(question=problem.question)
        return prompts.HINT.format(hint="\n".join(steps), question=problem.question)


def solution_steps(solution: str) -> list[str]:
    """Return the steps of a worked solution that do not state its final answer.

    Steps are lines, or sentences where there are fewer than three lines. GSM8K's calculator marks
    (`<<16-3=13>>`) are removed.
    """
    body = solution.split("####", 1)[0].strip()
    body = re.sub(r"^\\boxed\{[^{}]*\}\s*", "", body)  # where the answer comes first
    steps = [line.strip() for line in body.splitlines() if line.strip()]
    if len(steps) < 3:
        steps = [part.strip() for part in re.split(r"(?<=[.!?])\s+", body) if part.strip()]
    before_answer = [step for step in steps[:-1] if "boxed" not in step]
    return [re.sub(r"<<[^<>]*>>", "", step) for step in before_answer]


FEEDBACK: Mapping[str, FeedbackFunction] = {
    "blind": BlindFeedback(prompts.BLIND),
    "oracle": OracleFeedback(),
    "self_check": BlindFeedback(prompts.SELF_CHECK),
    "hint": HintFeedback(),
    "none": BlindFeedback(prompts.NONE),
    "released_rise": BlindFeedback(prompts.RELEASED_RISE_RETRY),
}
"""Name -> function: what `feedback=` can name."""


def get_feedback(value: FeedbackLike) -> FeedbackFunction:
    """Return the function that `value` names, or `value` itself where it is callable.

    Raises:
        ConfigError: The name is unknown, or the value cannot be called.
    """
    if isinstance(value, str):
        return FEEDBACK[validate_choice(value, FEEDBACK, "feedback")]
    if not callable(value):
        raise ConfigError(
            f"feedback is a name or a function of (problem, check, turn), got {type(value).__name__}"
        )
    return value

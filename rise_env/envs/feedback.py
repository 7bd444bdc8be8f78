"""The message of an environment after an attempt: a name of the table `FEEDBACK`, texts, or a function.

To add a kind of feedback: write its text in `prompts.py`, add one entry to `FEEDBACK` below, and name it in
the docstring of `MathEnv`. The entry is a `TextFeedback`, a `VerdictFeedback`, or a new function or class in
this file.

A `TextFeedback` reads the question and the attempt and nothing else, so that no observation depends on the
reference answer. The others read the problem and the result of the check.
"""

import inspect
from collections.abc import Callable, Mapping, Sequence

from rise_env.envs import prompts
from rise_env.envs.hints import hint_steps
from rise_env.envs.prompts import Template
from rise_env.errors import ConfigError, EpisodeError
from rise_env.types import CheckResult, Conversation, Problem, Verdict
from rise_env.utils.suggestions import validate_choice

FeedbackFunction = Callable[[Problem, CheckResult, int], str]
"""(problem, check of the attempt, its turn counted from 0) -> the next user message."""

ConversationFeedback = Callable[[Conversation, CheckResult, int], str]
"""(conversation up to the attempt, its check, its turn counted from 0) -> the next user message. Its first
parameter is named `conversation` or `messages`."""

FeedbackLike = str | Mapping[str, str] | FeedbackFunction | ConversationFeedback
"""Values of the argument `feedback`: a name, a template, templates by verdict, or a function."""

FIELDS = ("question", "answer", "turn")
"""Fields of feedback templates: the question, the answer found in the attempt (empty if there is none),
and the number of attempts made so far."""

DEFAULT = "default"
"""The key of a mapping whose template is used after all verdicts that the mapping leaves out."""

_CHECKED: tuple[Verdict, ...] = tuple(verdict for verdict in Verdict if verdict is not Verdict.WITHHELD)
"""The verdicts of checkers: what feedback can follow. A withheld reply ends its episode."""

_SEARCHED = 64
"""Number of problems that are searched for a worked solution."""


class TextFeedback:
    """The same text after every attempt.

    Args:
        text: A template with the fields `FIELDS`.

    Raises:
        ConfigError: The text has other fields.
    """

    def __init__(self, text: str) -> None:
        self._text = Template(text, known=FIELDS, what="feedback")

    def __call__(self, problem: Problem, check: CheckResult, turn: int) -> str:
        """Return the text for this attempt."""
        return self._text.fill(problem.question, check.answer or "", turn + 1)


class VerdictFeedback:
    """A text for every verdict.

    Args:
        texts: Verdict -> template with the fields `FIELDS`; all verdicts but WITHHELD.

    Raises:
        ConfigError: A text has other fields.
    """

    def __init__(self, texts: Mapping[Verdict, str]) -> None:
        self._texts = {verdict: TextFeedback(texts[verdict]) for verdict in _CHECKED}

    def __call__(self, problem: Problem, check: CheckResult, turn: int) -> str:
        """Return the text for this verdict."""
        return self._texts[check.verdict](problem, check, turn)


class HintFeedback:
    """Shows one more step of the worked solution after each attempt that is not right.

    The first step that contains the answer's number and all steps after it are never shown. If no step is
    left, or the problem has no worked solution, the text is that of "oracle". Use it to make training data,
    not for evaluation, because the text depends on the solution.
    """

    def __call__(self, problem: Problem, check: CheckResult, turn: int) -> str:
        """Return the text for this turn."""
        steps = hint_steps(problem.solution or "", problem.reference)[: turn + 1]
        if check.correct or not steps:
            return prompts.ORACLE[check.verdict].format(question=problem.question)
        return prompts.HINT[check.verdict].format(hint="\n".join(steps), question=problem.question)


class WrittenFeedback:
    """Feedback that an agent writes: the caller of `step` asks it, and gives its text to the environment.

    The environment asks no agent, so that the caller can ask for many episodes at a time. See
    `MathEnv.write_feedback`.
    """

    def __call__(self, problem: Problem, check: CheckResult, turn: int) -> str:
        """Raise an error, because there is no text.

        Raises:
            EpisodeError: Always.
        """
        raise EpisodeError(
            'with feedback="agent" an agent writes the message after an attempt: play with a rollout whose '
            "plan has a FeedbackPlan, or call env.unwrapped.write_feedback(text) before each step"
        )


FEEDBACK: Mapping[str, FeedbackFunction] = {
    "blind": TextFeedback(prompts.BLIND),
    "oracle": VerdictFeedback(prompts.ORACLE),
    "self_check": TextFeedback(prompts.SELF_CHECK),
    "hint": HintFeedback(),
    "none": TextFeedback(prompts.NONE),
    "agent": WrittenFeedback(),
    "released_rise": TextFeedback(prompts.RELEASED_RISE_RETRY),
}
"""Name -> function: what `feedback=` can name."""


def get_feedback(value: FeedbackLike) -> FeedbackFunction | ConversationFeedback:
    """Return the function that `value` names or describes, or `value` itself if it is a function.

    A text with a space or a brace is a template, any other text is a name. A mapping has verdicts as keys
    ("correct", "wrong", "no_answer", "unreadable", "timeout", or "default" for all others) and templates as
    values; if it has no "default", verdicts that it leaves out get the text of "oracle".

    Raises:
        ConfigError: The name, a verdict or a field of a template is unknown, or the value is none of these.
    """
    if isinstance(value, str):
        if value not in FEEDBACK and any(mark in value for mark in " {}\n"):
            return TextFeedback(value)
        return FEEDBACK[validate_choice(value, FEEDBACK, "feedback")]
    if isinstance(value, Mapping):
        return _by_verdict(value)
    if not callable(value):
        raise ConfigError(
            "feedback is a name, a template, a mapping of verdicts to templates, or a function of "
            f"(problem, check, turn) or (conversation, check, turn); got {value!r}"
        )
    _require_three_parameters(value)
    return value


def reads_conversation(function: FeedbackFunction | ConversationFeedback) -> bool:
    """Return whether the first parameter of a function is named `conversation` or `messages`."""
    try:
        names = list(inspect.signature(function).parameters)
    except (TypeError, ValueError):  # a builtin without a signature
        return False
    return bool(names) and names[0] in ("conversation", "messages")


def require_solutions(function: FeedbackFunction | ConversationFeedback, problems: Sequence[Problem]) -> None:
    """Check that there are worked solutions if the feedback is "hint".

    Raises:
        ConfigError: None of the first problems has a worked solution.
    """
    if not isinstance(function, HintFeedback):
        return
    for index in range(min(len(problems), _SEARCHED)):
        if problems[index].solution:
            return
    raise ConfigError(
        f"feedback='hint' needs worked solutions, and problem {problems[0].id!r} has none, like those after "
        "it: use feedback='oracle'"
    )


def _by_verdict(texts: Mapping[str, str]) -> VerdictFeedback:
    known = [*(verdict.value for verdict in _CHECKED), DEFAULT]
    given = {key.value if isinstance(key, Verdict) else key: text for key, text in texts.items()}
    for key in given:
        validate_choice(key, known, "verdict of feedback")
    return VerdictFeedback(
        {
            verdict: given.get(verdict.value, given.get(DEFAULT, prompts.ORACLE[verdict]))
            for verdict in _CHECKED
        }
    )


def _require_three_parameters(function: Callable[..., str]) -> None:
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):  # a builtin without a signature
        return
    try:
        signature.bind(None, None, None)
    except TypeError:
        raise ConfigError(
            "a feedback function takes (problem, check, turn) or (conversation, check, turn), got "
            f"{function!r} with {signature}"
        ) from None

"""TRL: an environment for `GRPOTrainer(environment_factory=...)`, a reward function, rows of a data set."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from rise_env.adapters.text_episode import TextEpisode
from rise_env.checkers.base import Checker
from rise_env.envs.rewards import RewardsLike, get_rewards
from rise_env.registration import get_checker
from rise_env.types import CheckResult, Message, Problem, Verdict

OVER = "The episode is over. Do not submit another answer."
"""The result of the tool after the end of an episode."""


class AnswerEnvironment:
    """An environment of TRL, whose only tool is `submit_answer`.

    TRL makes one per rollout, resets it with the columns of a row, lets the model call the tool as often as
    it likes, and asks for the reward at the end.

    Args:
        env: An environment id, such as RISE-GSM8K-v0.
        **settings: Its arguments.
    """

    def __init__(self, env: str, **settings: Any) -> None:
        self._episode = TextEpisode(env, **settings)
        self._rewards: list[float] = []
        self._over = False

    def reset(self, *, index: int | None = None, **row: Any) -> str:
        """Start an episode and return the problem; TRL appends it to the last user message.

        Args:
            index: Index of the problem; a column that `dataset_rows` writes. None poses the next problem.
            **row: The other columns of the row; not used.
        """
        self._rewards, self._over = [], False
        conversation, _ = self._episode.begin(index=index)
        return conversation[-1]["content"]

    def submit_answer(self, answer: str) -> str:
        r"""Submit a solution to the problem and get feedback on it.

        Args:
            answer: The solution, which ends with the final answer in \boxed{}.

        Returns:
            The feedback.
        """
        if self._over:
            return OVER
        outcome = self._episode.reply(answer)
        self._rewards.append(outcome.reward)
        self._over = outcome.done
        return OVER if outcome.feedback is None else outcome.feedback

    def get_reward(self) -> float:
        """Return the sum of the rewards; without any attempt, the reward of a reply without an answer."""
        if self._rewards:
            return sum(self._rewards)
        return self._episode.math_env.rules.reward_function(CheckResult(Verdict.NO_ANSWER), 0)


def environment_factory(env: str, **settings: Any) -> Callable[[], AnswerEnvironment]:
    """Return a function that makes an `AnswerEnvironment`, for `GRPOTrainer(environment_factory=...)`."""
    return lambda: AnswerEnvironment(env, **settings)


def dataset_rows(problems: Sequence[Problem], instruction: str = "") -> list[dict[str, Any]]:
    """Return rows for `datasets.Dataset.from_list`, for both an environment and a reward function.

    Args:
        problems: The problems of the environment, in its order.
        instruction: The prompt of every row, to which an environment appends the problem. If it is empty, the
            prompt is the question itself, for training with a reward function alone.
    """
    return [
        {
            "prompt": [{"role": "user", "content": instruction or problem.question}],
            "answer": problem.reference,
            "question": problem.question,
            "index": index,
        }
        for index, problem in enumerate(problems)
    ]


def reward_function(
    checker: str | Checker = "symbolic", rewards: RewardsLike = "math"
) -> Callable[..., list[float]]:
    """Return a reward function for `GRPOTrainer(reward_funcs=...)`.

    Args:
        checker: A name of `rise_env.registration.CHECKERS`, or a checker.
        rewards: As in `MathEnv`; the reward of the first turn.
    """
    found, scheme = get_checker(checker), get_rewards(rewards)

    def rise_reward(
        completions: Iterable[str | Sequence[Message]],
        answer: Iterable[str],
        question: Iterable[str | None] | None = None,
        **columns: Any,
    ) -> list[float]:
        replies = [text if isinstance(text, str) else text[-1]["content"] for text in completions]
        questions = [None] * len(replies) if question is None else list(question)
        return [
            scheme(found.check(reply, reference, question=asked), 0)
            for reply, reference, asked in zip(replies, answer, questions, strict=True)
        ]

    return rise_reward

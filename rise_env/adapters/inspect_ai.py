"""Inspect: a task over the problems of an environment, played in several turns and scored by its checker."""

from typing import Any

from rise_env.adapters.text_episode import TextEpisode
from rise_env.checkers.base import Checker
from rise_env.utils.extras import missing_library

try:
    from inspect_ai import Task
    from inspect_ai.dataset import MemoryDataset, Sample
    from inspect_ai.model import ChatMessageAssistant, ChatMessageSystem, ChatMessageUser
    from inspect_ai.scorer import CORRECT, INCORRECT, Score, accuracy, scorer, stderr
    from inspect_ai.solver import solver
except ImportError:
    raise missing_library("inspect_ai", "rise_env.adapters.inspect_ai") from None

_MESSAGES = {"system": ChatMessageSystem, "user": ChatMessageUser, "assistant": ChatMessageAssistant}


def rise_task(env: str, *, limit: int | None = None, **settings: Any) -> Any:
    """Return an `inspect_ai.Task`.

    Args:
        env: An environment id, such as RISE-GSM8K-v0.
        limit: Number of problems, from the first; None takes all.
        **settings: Arguments of the environment.

    Raises:
        ConfigError: There is no such id or argument, or an argument is out of range.
    """
    episode = TextEpisode(env, **settings)
    problems = episode.math_env.problems
    samples = []
    for index in range(len(problems) if limit is None else min(limit, len(problems))):
        conversation, _ = episode.begin(index=index)
        problem = problems[index]
        samples.append(
            Sample(
                id=problem.id,
                input=[_MESSAGES[message["role"]](content=message["content"]) for message in conversation],
                target=problem.reference,
                metadata={"index": index, "question": problem.question},
            )
        )
    return Task(
        dataset=MemoryDataset(samples, name=env),
        solver=play_episode(env, settings),
        scorer=verdict_scorer(episode.math_env.checker),
    )


@solver  # type: ignore[untyped-decorator]
def play_episode(env: str, settings: dict[str, Any]) -> Any:
    """Return a solver that lets the model reply until the episode is over."""

    async def solve(state: Any, generate: Any) -> Any:
        episode = TextEpisode(env, **settings)
        episode.begin(index=state.metadata["index"])
        while True:
            state = await generate(state)
            outcome = episode.reply(state.output.completion)
            if outcome.feedback is None:
                return state
            state.messages.append(ChatMessageUser(content=outcome.feedback))

    return solve


@scorer(metrics=[accuracy(), stderr()])  # type: ignore[untyped-decorator]
def verdict_scorer(checker: Checker) -> Any:
    """Return a scorer of the last reply: correct or not, with the extracted answer and the verdict."""

    async def score(state: Any, target: Any) -> Any:
        check = checker.check(state.output.completion, target.text, question=state.metadata.get("question"))
        return Score(
            value=CORRECT if check.correct else INCORRECT,
            answer=check.answer,
            explanation=check.verdict.value,
        )

    return score

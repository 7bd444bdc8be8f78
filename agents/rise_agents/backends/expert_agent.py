r"""A teacher for problems that come with worked solutions: it is told them, and writes them down.

Used as the better agent of distillation (RISE, arXiv:2407.18219): the student plays the first turns, the
expert improves the last one.
"""

from collections.abc import Mapping, Sequence
from typing import Protocol, runtime_checkable

from rise_agents.types import Reply, SamplingConfig
from rise_env.envs import prompts
from rise_env.types import Conversation, Problem, Usage


@runtime_checkable
class ProblemAwareAgent(Protocol):
    """An agent that a rollout tells the problems of its episodes, before it asks: a teacher."""

    def set_problems(self, problems: Sequence[Problem]) -> None:
        """Take notice of these problems; former ones may be forgotten."""
        ...


class ExpertAgent:
    r"""Answers with the worked solution of the question it is asked.

    >>> agent = ExpertAgent({"1 + 1?": "One and one is two."}, {"1 + 1?": "2"})
    >>> agent.act([({"role": "user", "content": "1 + 1?"},)], SamplingConfig())[0].text
    'One and one is two. \\boxed{2}'

    Args:
        solutions: Question -> worked solution. A rollout tells further ones through `learn`.
        references: Question -> final answer; put into a box where the solution has none.
    """

    name = "expert"

    def __init__(
        self,
        solutions: Mapping[str, str] | None = None,
        references: Mapping[str, str] | None = None,
    ) -> None:
        known = references or {}
        self._given = {
            question: _boxed(solution, known.get(question))
            for question, solution in (solutions or {}).items()
        }
        self._told: dict[str, str] = {}

    def set_problems(self, problems: Sequence[Problem]) -> None:
        """Know the answers to these problems, and forget those told before."""
        self._told = {
            problem.question: _boxed(problem.solution or "", problem.reference) for problem in problems
        }

    def act(
        self,
        conversations: Sequence[Conversation],
        sampling: SamplingConfig,
        seeds: Sequence[int] | None = None,
    ) -> list[Reply]:
        """Answer each conversation; one about an unknown question gets a reply that failed."""
        known = self._given | self._told
        first = {prompts.FIRST.format(question=question): text for question, text in known.items()}
        return [_reply(_look_up(conversation, first, known)) for conversation in conversations]

    def close(self) -> None:
        """Nothing to free."""


def _boxed(solution: str, reference: str | None) -> str:
    if reference is None or "\\boxed" in solution:
        return solution
    return f"{solution} \\boxed{{{reference}}}".lstrip()


def _look_up(conversation: Conversation, first: Mapping[str, str], known: Mapping[str, str]) -> str | None:
    """Find the solution by the first message, else by the longest question that a message holds."""
    if conversation and conversation[0]["content"] in first:
        return first[conversation[0]["content"]]
    for message in reversed(conversation):
        if message["role"] == "user":
            held = [question for question in known if question in message["content"]]
            if held:
                return known[max(held, key=len)]
    return None


def _reply(text: str | None) -> Reply:
    if text is None:
        return Reply(text="the expert was not told this problem", finish="error")
    return Reply(text=text, usage=Usage(completion_tokens=text.count(" ") + 1))

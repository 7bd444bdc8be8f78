r"""A teacher that answers with the worked solutions of the problems.

Distillation uses it as the better agent (RISE, arXiv:2407.18219): the student plays the first turns, and the
expert writes the improved last turn.
"""

from collections.abc import Mapping, Sequence

from rise_agents.backends.expert_solutions import write_reply
from rise_agents.types import Reply, SamplingConfig
from rise_env.envs import prompts
from rise_env.types import Conversation, Problem, Usage


class ExpertAgent:
    r"""Answers with the worked solution of the question in the conversation.

    >>> agent = ExpertAgent({"1 + 1?": "One and one is two."}, {"1 + 1?": "2"})
    >>> agent.act([({"role": "user", "content": "1 + 1?"},)], SamplingConfig())[0].text
    'One and one is two. The final answer is \\boxed{2}.'

    It is a `ProblemAwareAgent`: a rollout passes it the problems of each batch.

    Args:
        solutions: Question -> worked solution. `set_problems` adds those of the current batch.
        references: Question -> final answer, which is appended in a box if the solution has none. See
            `expert_solutions` for how a solution becomes a reply.
    """

    name = "expert"

    def __init__(
        self,
        solutions: Mapping[str, str] | None = None,
        references: Mapping[str, str] | None = None,
    ) -> None:
        known = references or {}
        self._permanent = {
            question: write_reply(solution, known.get(question))
            for question, solution in (solutions or {}).items()
        }
        self._of_batch: dict[str, str] = {}

    def set_problems(self, problems: Sequence[Problem]) -> None:
        """Replace the solutions of the previous batch by those of these problems."""
        self._of_batch = {
            problem.question: write_reply(problem.solution or "", problem.reference) for problem in problems
        }

    def act(
        self,
        conversations: Sequence[Conversation],
        sampling: SamplingConfig,
        seeds: Sequence[int] | None = None,
    ) -> list[Reply]:
        """Answer each conversation; see `Agent.act`. `sampling` and `seeds` are ignored.

        A conversation about an unknown question gets a reply whose finish is "error".
        """
        known = self._permanent | self._of_batch
        by_first_prompt = {prompts.FIRST.format(question=question): text for question, text in known.items()}
        return [
            _reply(_find_solution(conversation, by_first_prompt, known)) for conversation in conversations
        ]

    def close(self) -> None:
        """Do nothing: the agent holds no resources."""


def _find_solution(
    conversation: Conversation, by_first_prompt: Mapping[str, str], known: Mapping[str, str]
) -> str | None:
    """Return the solution of the problem that a conversation is about; None if it is unknown.

    The first message decides if it is the first prompt of a known question. Otherwise the latest user message
    that contains a known question decides; if it contains several, the longest one counts.
    """
    if conversation and conversation[0]["content"] in by_first_prompt:
        return by_first_prompt[conversation[0]["content"]]
    for message in reversed(conversation):
        if message["role"] == "user":
            found = [question for question in known if question in message["content"]]
            if found:
                return known[max(found, key=len)]
    return None


def _reply(text: str | None) -> Reply:
    if text is None:
        return Reply(text="the expert has no solution of this problem", finish="error")
    return Reply(text=text, usage=Usage(completion_tokens=text.count(" ") + 1))

"""The messages that start an episode: system prompt, worked examples, the problem."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from rise_env.envs import prompts
from rise_env.envs.prompts import Template
from rise_env.errors import ConfigError
from rise_env.types import Conversation, Message, Problem

FewShotLike = int | Sequence[tuple[str, str]]
"""What the argument `few_shot` takes: a number of our own worked examples, or (question, answer) pairs."""


@dataclass(frozen=True, slots=True)
class InitialPrompt:
    """The messages before the first reply."""

    head: Conversation = ()
    """The messages before the problem; the same in every episode."""
    first: Template = field(default_factory=lambda: Template(prompts.FIRST))
    """The text of the problem's message, with a field {question}."""

    def messages(self, problem: Problem) -> list[Message]:
        """Return the messages that pose `problem`, in new dicts."""
        posed: Message = {"role": "user", "content": self.first.fill(problem.question)}
        return [*(message.copy() for message in self.head), posed] if self.head else [posed]


def make_initial_prompt(
    *, system_prompt: str | None = None, few_shot: FewShotLike = 0, released_rise: bool = False
) -> InitialPrompt:
    """Return the initial prompt for these arguments of `MathEnv`.

    Raises:
        ConfigError: There are not that many worked examples, or an example is not a pair of texts.
    """
    head: list[Message] = []
    if system_prompt is not None:
        head.append({"role": "system", "content": system_prompt})
    examples = worked_examples(few_shot)
    if not released_rise:
        for question, answer in examples:
            head += _exchange(prompts.FIRST.format(question=question), answer)
        return InitialPrompt(tuple(head))
    examples = examples or worked_examples(1)
    for index, (question, answer) in enumerate(examples):
        text = prompts.RELEASED_RISE_FIRST if index else prompts.RELEASED_RISE_INSTRUCTION
        head += _exchange(text.format(question=question), answer)
    return InitialPrompt(tuple(head), Template(prompts.RELEASED_RISE_FIRST))


def worked_examples(few_shot: FewShotLike) -> list[tuple[str, str]]:
    """Return (question, answer) pairs: the first `few_shot` of our own, or the given ones.

    Raises:
        ConfigError: There are not that many worked examples, or an example is not a pair of texts.
    """
    if isinstance(few_shot, int):
        if not 0 <= few_shot <= len(prompts.EXAMPLES):
            raise ConfigError(
                f"few_shot is 0 to {len(prompts.EXAMPLES)}, or a list of (question, answer); got {few_shot}"
            )
        return list(prompts.EXAMPLES[:few_shot])
    pairs = [tuple(pair) for pair in few_shot]
    for pair in pairs:
        if len(pair) != 2 or not all(isinstance(text, str) for text in pair):
            raise ConfigError(f"few_shot examples are pairs (question, answer) of texts, got {pair!r}")
    return [(question, answer) for question, answer in pairs]


def _exchange(question: str, answer: str) -> list[Message]:
    return [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]

r"""The pretraining corpus of the embedded model: generated text. `examples/pretrain_tiny.py` uses it.

There are two kinds of documents:

*Conversations* pose one to six unrelated problems, the first in the environment's first message, the others
in its feedback messages. Each problem is answered by a simulated writer. Writers make no mistakes, unless the
setting `sloppy` lets some of them make slips. A slip is a wrong result, a wrong person or the opposite
relation in one step of a solution. No problem is posed twice in a conversation, so no document shows an
attempt that is followed by a better one.

*Corrections* show a problem with a draft solution, in a prompt that no environment uses, and then the
corrected solution. They play the part that edits and reviews have in large corpora.

All problems come from the training split.
"""

import operator
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from rise_env.envs import prompts
from rise_env.problems.arithmetic.generator import ArithmeticProblems, Difficulty, Story
from rise_env.problems.arithmetic.steps import Draws, Step
from rise_env.problems.arithmetic.wording import write_solution
from rise_env.types import Message

CORRECT_THIS = "A student wrote the draft below. Write it out corrected.\n{question}\nDraft: {draft}"
_OPERATIONS: dict[str, tuple[str, Callable[[int, int], int]]] = {
    "more": ("+", operator.add),
    "sum": ("+", operator.add),
    "fewer": ("-", operator.sub),
    "times": ("*", operator.mul),
    "share": ("/", operator.floordiv),
}
_SWAPPED = {"more": "fewer", "fewer": "more", "times": "share", "share": "times", "sum": "sum"}


@dataclass(frozen=True, slots=True, kw_only=True)
class CorpusConfig:
    """The mixture of documents."""

    turns: int = 6
    """Maximal number of problems in a conversation."""
    corrections: float = 0.3
    """Fraction of documents that are corrections."""
    sloppy: float = 0.0
    """Probability that the writer of an answer in a conversation makes slips."""
    slip: float = 0.4
    """Probability of a slip in each step of such a writer, and in each step of a draft with slips."""
    clean_drafts: float = 0.3
    """Fraction of the drafts in corrections that have no slips."""
    difficulty: Difficulty = field(default_factory=Difficulty)
    """Difficulty of the problems."""


def slipped(story: Story, draws: Draws, slip: float) -> tuple[Step, ...]:
    """Return the steps of a solution in which each step has a slip with probability `slip`.

    Later steps use the result of a step with a slip.

    Args:
        story: The problem.
        draws: Source of random numbers.
        slip: Probability of a slip in each step.
    """
    values = [story.start]
    steps: list[Step] = []
    for step in story.steps:
        kind = draws.below(3) if draws.below(1000) < slip * 1000 else None
        of, relation, off = step.of, step.relation, 0
        if kind == 0:
            off = (-10, -2, -1, 1, 2, 10)[draws.below(6)]
        elif kind == 1:
            of = draws.below(len(values))
        elif kind == 2:
            relation = _SWAPPED[relation]
        a = values[of]
        b = values[step.number] if relation == "sum" else step.number
        sign, compute = _OPERATIONS[relation]
        value = max(0, compute(a, b) + off)
        values.append(value)
        steps.append(replace(step, of=of, relation=relation, expression=f"{a}{sign}{b}", value=value))
    return tuple(steps)


def written(story: Story, draws: Draws, slip: float) -> str:
    """Return an answer in which each step has a slip with probability `slip`.

    If the problem asks for the answer before the steps, slips change only the answer: the steps after it are
    correct.

    Args:
        story: The problem.
        draws: Source of random numbers.
        slip: Probability of a slip in each step.
    """
    steps = slipped(story, draws, slip)
    if not story.answer_first:
        return write_solution(story.people, steps)
    return write_solution(story.people, story.steps, answer=steps[-1].value, answer_first=True)


class Corpus:
    """The documents, each a list of messages. Document `i` is a pure function of (config, seed, i).

    All messages of the assistant are to be learned.
    """

    learned = "all"

    def __init__(self, config: CorpusConfig, seed: int = 0) -> None:
        self.config = config
        self.seed = seed
        # the environment generates its training problems with other seeds, so that these problems differ
        self._problems = ArithmeticProblems(
            split="train", seed=1_000_003 + seed, size=2**62, difficulty=config.difficulty
        )

    def document(self, index: int) -> list[Message]:
        """Return document `index`."""
        draws = Draws((self.seed, index))
        if draws.below(1000) < self.config.corrections * 1000:
            return self._correction(index, draws)
        return self._conversation(index, draws)

    def _conversation(self, index: int, draws: Draws) -> list[Message]:
        messages: list[Message] = []
        for turn in range(draws.between(1, self.config.turns)):
            story = self._problems.story(index * 8 + turn)
            later = prompts.ORACLE_WRONG if draws.below(5) == 0 else prompts.BLIND
            posed = later if turn else prompts.FIRST
            slip = self.config.slip if draws.below(1000) < self.config.sloppy * 1000 else 0.0
            messages.append(Message(role="user", content=posed.format(question=story.question)))
            answer = written(story, draws, slip)
            messages.append(Message(role="assistant", content=answer))
        return messages

    def _correction(self, index: int, draws: Draws) -> list[Message]:
        story = self._problems.story(index * 8)
        slip = 0.0 if draws.below(1000) < self.config.clean_drafts * 1000 else self.config.slip
        draft = written(story, draws, slip)
        asked = CORRECT_THIS.format(question=story.question, draft=draft)
        return [
            Message(role="user", content=asked),
            Message(role="assistant", content=story.solution),
        ]

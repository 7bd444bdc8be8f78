"""An agent that recalls reflections on earlier problems, and revises its answer until a reviewer accepts it.

    recalled = what the memory recalls to the question
    answer   = agent(conversation with recalled)
    up to `checks` times:
        rating, feedback = reviewer(question, recalled, answer)          # it sees no reference
        rating >= accept: stop
        answer = agent(conversation with recalled, the last answers and the feedback on them)

Source: SAGE (arXiv:2409.00872), whose Checker is called reviewer here. The paper's Checker compares an answer
with a reference; this reviewer never sees one.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from rise_agents.deliberation.deliberating_agent import DeliberatingAgent, composed_name
from rise_agents.deliberation.notes import Place, with_notes
from rise_agents.deliberation.script import Ask, Script, ask_seeds
from rise_agents.evaluation.verifier_questions import mean_rating
from rise_agents.mcts.critics import question_of
from rise_agents.memory.events import read_memory
from rise_agents.memory.items import Item, Memory, as_notes, digest
from rise_agents.memory.similarity import Recall
from rise_agents.registry import calls_per_reply, check_agent, load_agent
from rise_agents.rollouts.cleanup import close_all
from rise_agents.types import Agent, Considered, FormattedAgent, Reply, SamplingConfig
from rise_env.errors import ConfigError
from rise_env.types import Conversation, Message
from rise_env.utils.settings import ByContent

REVIEW = (
    "Here is a problem and a solution of it. Check the solution step by step, say what is wrong in it if "
    "anything is, and finish with \\boxed{{yes}} if its final answer is right or \\boxed{{no}} if it is not."
    "\n\nProblem: {question}\n\nSolution: {answer}"
)
"""What the reviewer is asked."""

REVISE = (
    "A reviewer says:\n{feedback}\n\nWrite an improved solution of the problem, in the same form as before."
)
"""The message before a revised answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SageSettings:
    """How an answer is found.

    Raises:
        ConfigError: A value is out of range.
    """

    checks: int = 2
    """Most reviews of an answer; 0 leaves the reviewer out."""
    accept: float = 0.5
    """Rating from which on an answer is accepted."""
    short: int = 8
    """Number of earlier answers, with the feedback on them, that a revision sees (short-term memory)."""
    give: Literal["last", "best"] = "last"
    """Which answer is given: the last one, or the one with the best rating (the later one among equals)."""
    recalled: int = 3
    """Most texts that are recalled."""
    least: float = 0.2
    """Similarity times retention above which a text is recalled."""
    gamma: float = 1.0
    """Exponent of the retention; 0 ignores forgetting."""
    place: Place = "user"
    """Put recalled texts before the first user message (user) or into the system message (system)."""

    def __post_init__(self) -> None:
        for name, least in (("checks", 0), ("short", 1), ("recalled", 1), ("least", 0), ("gamma", 0)):
            if getattr(self, name) < least:
                raise ConfigError(f"{name} must be at least {least}, got {getattr(self, name)}")
        if not 0 < self.accept <= 1:
            raise ConfigError(f"accept must be above 0 and at most 1, got {self.accept}")


class SageAgent(DeliberatingAgent):
    """Answers with recalled reflections, and with a reviewer.

    Args:
        agent: The agent that answers. `close` closes it, and the reviewer.
        memory: What it remembers; nothing is ever written into it.
        reviewer: Reviews answers; None: `agent` does.
        settings: How an answer is found.
        learned_in: Name of the environment in which the memory was filled, if it was.
    """

    def __init__(
        self,
        agent: Agent,
        memory: Memory | None = None,
        *,
        reviewer: Agent | None = None,
        settings: SageSettings | None = None,
        learned_in: str | None = None,
    ) -> None:
        self.learned_in = learned_in
        """Where the memory was filled; playing another environment gives a warning."""
        self.settings = settings = settings or SageSettings()
        self.memory = memory or Memory()
        """What it remembers."""
        self.agent = agent
        """The agent that answers."""
        self._reviewer = reviewer
        changed = [
            f"{name}={getattr(settings, name)}"
            for name, field in SageSettings.__dataclass_fields__.items()
            if getattr(settings, name) != field.default
        ]
        if reviewer is not None:
            changed.append(f"reviewer={reviewer.name}")
        if self.memory.items:
            changed.append(f"memory={digest(self.memory)}")
        others = [] if reviewer is None else [reviewer]
        super().__init__(composed_name("sage", agent.name, *changed), [agent, *others])
        if isinstance(agent, FormattedAgent):
            self.format = agent.format  # only then it is a `FormattedAgent`
        self._recall = Recall(self.memory, most=settings.recalled, least=settings.least, gamma=settings.gamma)

    def with_memory(self, memory: Memory) -> "SageAgent":
        """Return an agent with the same agents and settings and another memory. Close only one of the two."""
        return SageAgent(self.agent, memory, reviewer=self._reviewer, settings=self.settings)

    def recalled(self, conversation: Conversation) -> list[Item]:
        """Return the items that are recalled to the question of a conversation."""
        return self._recall.of(question_of(conversation))

    def script(self, conversation: Conversation, sampling: SamplingConfig, seed: int) -> Script[Reply]:
        """Return the script that answers a conversation; see `DeliberatingAgent.script`."""
        seeds, settings = ask_seeds(seed), self.settings
        items = self.recalled(conversation)
        notes = as_notes([item.text for item in items])
        posed = with_notes(conversation, notes, settings.place)
        question = "\n\n".join(part for part in (notes, question_of(conversation)) if part)
        answers: list[Reply] = []
        exchanges: list[tuple[Message, Message]] = []
        for number in range(1 + settings.checks):
            last = [message for exchange in exchanges[-settings.short :] for message in exchange]
            [answer] = yield [Ask(self.agent, (*posed, *last), next(seeds), sampling)]
            if answer.finish == "error":
                if not answers:
                    return answer
                break
            answers.append(answer)
            if number == settings.checks:
                break
            asked: Message = {"role": "user", "content": REVIEW.format(question=question, answer=answer.text)}
            [review] = yield [Ask(self._reviewer or self.agent, (asked,), next(seeds), sampling)]
            if review.finish == "error":
                break
            answers[-1] = replace(answer, score=mean_rating([review.text]))
            if mean_rating([review.text]) >= settings.accept:
                break
            feedback = REVISE.format(feedback=review.text)
            exchanges.append(
                ({"role": "assistant", "content": answer.text}, {"role": "user", "content": feedback})
            )
        return self._given(answers)

    def _given(self, answers: list[Reply]) -> Reply:
        place = len(answers) - 1
        if self.settings.give == "best":
            place = max(range(len(answers)), key=lambda at: (answers[at].score or 0.0, at))
        others = [answer for at, answer in enumerate(answers) if at != place]
        return replace(answers[place], considered=tuple(Considered(one.text, one.score) for one in others))


def load_sage_agent(
    agent: str,
    *,
    memory: ByContent[str | None] = None,
    reviewer: str | None = None,
    reviewer_settings: Mapping[str, Any] | None = None,
    inner: Mapping[str, Any] | None = None,
    checks: int = 2,
    accept: float = 0.5,
    short: int = 8,
    give: Literal["last", "best"] = "last",
    recalled: int = 3,
    least: float = 0.2,
    gamma: float = 1.0,
    place: Place = "user",
) -> SageAgent:
    """Load an agent that remembers, and that a reviewer checks.

    Args:
        agent: The agent that answers, as `load_agent` reads it.
        memory: File that `rise learn --method memory` wrote; None remembers nothing.
        reviewer: The agent that reviews answers; None: `agent` does.
        reviewer_settings: Settings of the reviewer.
        inner: Settings of the agent that answers.
        checks: See `SageSettings`, as for the others.
        accept: As there.
        short: As there.
        give: As there.
        recalled: As there.
        least: As there.
        gamma: As there.
        place: As there.

    Raises:
        ConfigError: A setting is wrong, or the file is not that of a memory.
        DataNotFoundError: There is no such file.
    """
    settings = SageSettings(
        checks=checks,
        accept=accept,
        short=short,
        give=give,
        recalled=recalled,
        least=least,
        gamma=gamma,
        place=place,
    )
    remembered, learned_in = (None, None) if memory is None else read_memory(memory)
    loaded = [load_agent(agent, **(inner or {}))]
    try:
        if reviewer is not None:
            loaded.append(load_agent(reviewer, **(reviewer_settings or {})))
        other = loaded[1] if reviewer is not None else None
        return SageAgent(
            loaded[0], remembered, reviewer=other, settings=settings, learned_in=learned_in or None
        )
    except BaseException:
        close_all(*loaded)
        raise


def check_sage_settings(
    agent: str,
    *,
    memory: str | None = None,
    reviewer: str | None = None,
    reviewer_settings: Mapping[str, Any] | None = None,
    inner: Mapping[str, Any] | None = None,
    **settings: Any,
) -> None:
    """Check the memory, the settings and the agents; see `registry.check_agent`.

    Raises:
        ConfigError, DataNotFoundError, MissingDependencyError, StoreError: See `load_sage_agent`.
    """
    SageSettings(**settings)
    if memory is not None:
        read_memory(memory)
    check_agent(agent, inner, here=True)
    if reviewer is not None:
        check_agent(reviewer, reviewer_settings, here=True)


def most_calls(
    agent: str,
    *,
    memory: str | None = None,
    reviewer: str | None = None,
    reviewer_settings: Mapping[str, Any] | None = None,
    inner: Mapping[str, Any] | None = None,
    **settings: Any,
) -> int | None:
    """Return how many calls one reply takes at most; see `registry.calls_per_reply`."""
    checks = SageSettings(**settings).checks
    answers = calls_per_reply(agent, inner)
    reviews = answers if reviewer is None else calls_per_reply(reviewer, reviewer_settings)
    return None if answers is None or reviews is None else (1 + checks) * answers + checks * reviews


load_sage_agent.calls_per_reply = most_calls  # type: ignore[attr-defined]
load_sage_agent.check_settings = check_sage_settings  # type: ignore[attr-defined]

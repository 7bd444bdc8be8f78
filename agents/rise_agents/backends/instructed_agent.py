"""An agent that reads learned rules before each problem; see `rise_agents.learning`."""

from collections.abc import Mapping
from typing import Any

from rise_agents.deliberation.deliberating_agent import DeliberatingAgent, composed_name
from rise_agents.deliberation.notes import Place, with_notes
from rise_agents.deliberation.script import Ask, Script
from rise_agents.registry import calls_per_reply, check_agent, load_agent
from rise_agents.rules.book import RuleBook, as_text, digest, read_book, read_learned_book
from rise_agents.types import Agent, FormattedAgent, Reply, SamplingConfig, can_continue
from rise_env.types import Conversation
from rise_env.utils.settings import ByContent


class InstructedAgent(DeliberatingAgent):
    """Adds rules to each conversation and passes it on to an agent, with the same seed.

    Stores hold the conversations without the rules, so that a fit on them trains the policy to act as if it
    had read them (prompt distillation). The log-probabilities that they hold are those with the rules.

    Args:
        agent: The agent that answers. `close` closes it.
        book: The rules. With an empty book, the replies are those of `agent`.
        place: Where the rules are put; see `with_notes`.
        learned_in: Name of the environment in which the rules were learned, if they were.
    """

    def __init__(
        self, agent: Agent, book: RuleBook, place: Place = "user", *, learned_in: str | None = None
    ) -> None:
        self.learned_in = learned_in
        """Where the rules were learned; playing another environment gives a warning."""
        parts = [agent.name, f"rules={digest(book)}", *([] if place == "user" else [f"place={place}"])]
        super().__init__(composed_name("instructed", *parts), [agent])
        self._agent = agent
        self._notes = as_text(book)
        self._place: Place = place
        if isinstance(agent, FormattedAgent):
            self.format = agent.format  # only then it is a `FormattedAgent`

    @property
    def continues(self) -> bool:
        """See `ContinuingAgent`."""
        return can_continue(self._agent)

    def script(self, conversation: Conversation, sampling: SamplingConfig, seed: int) -> Script[Reply]:
        """Return the script that asks the agent; see `DeliberatingAgent.script`."""
        [reply] = yield [Ask(self._agent, with_notes(conversation, self._notes, self._place), seed, sampling)]
        return reply


def load_instructed_agent(
    agent: str, *, rules: ByContent[str], place: Place = "user", inner: Mapping[str, Any] | None = None
) -> InstructedAgent:
    """Load an agent that reads rules.

    Args:
        agent: The agent that answers, as `load_agent` reads it.
        rules: File of rules that `rise learn --method rules` or a person wrote.
        place: Put the rules before the first user message ("user") or into the system message ("system").
        inner: Settings of the agent that answers.

    Raises:
        ConfigError: A setting is wrong, or the file is not one of rules.
        DataNotFoundError: There is no such file.
    """
    book, learned_in = read_learned_book(rules)
    return InstructedAgent(load_agent(agent, **(inner or {})), book, place, learned_in=learned_in)


def check_instructed_settings(
    agent: str, *, rules: str, place: Place = "user", inner: Mapping[str, Any] | None = None
) -> None:
    """Check the rules and the agent that answers; see `registry.check_agent`.

    Raises:
        ConfigError, DataNotFoundError, MissingDependencyError, StoreError: See `load_instructed_agent`.
    """
    read_book(rules)
    check_agent(agent, inner, here=True)


def most_calls(
    agent: str, *, rules: str, place: Place = "user", inner: Mapping[str, Any] | None = None
) -> int | None:
    """Return how many calls one reply takes at most; see `registry.calls_per_reply`."""
    return calls_per_reply(agent, inner)


load_instructed_agent.calls_per_reply = most_calls  # type: ignore[attr-defined]
load_instructed_agent.check_settings = check_instructed_settings  # type: ignore[attr-defined]

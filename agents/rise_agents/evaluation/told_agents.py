"""Agents that are told the problems with their reference answers: their results are not accuracy."""

from rise_agents.types import Agent, ProblemAwareAgent
from rise_env.errors import ConfigError

MARK = "told the answers"
"""What the row of such an agent says."""


def row_label(agent: Agent, label: str, *, told: bool) -> str:
    """Return the label of an agent's row, which says whether the agent is told the answers.

    Args:
        agent: The agent.
        label: Its label.
        told: Whether agents may be told.

    Raises:
        ConfigError: The agent is told, and `told` is False.
    """
    if not isinstance(agent, ProblemAwareAgent):
        return label
    if not told:
        raise ConfigError(
            f"{agent.name} is told the reference answers: its figures would not be accuracy; --told true "
            f"measures it in a row marked {MARK!r}"
        )
    return f"{label} ({MARK})"

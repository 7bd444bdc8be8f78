"""Texts in the settings of teachers that stand for models of the run."""

from collections.abc import Mapping
from typing import Any

from rise_agents.registry import agent_names, takes_model
from rise_env.errors import ConfigError

LEARNER = "{learner}"
"""Stands for the agent that plays the first turns of an iteration, such as transformers:runs/x/model."""

CRITIC = "{critic}"
"""Stands for the critic that the run fits, as an agent; see `rise_trainers.critic`."""


def with_models(value: Any, *, learner: str, critic: str | None = None) -> Any:
    """Return a setting in which the texts {learner} and {critic} are replaced.

    Args:
        value: A text, or a mapping or list of settings at any depth; other values are returned as they are.
        learner: The agent that plays.
        critic: The critic as an agent; None if the run has none.

    >>> with_models({"critic": "verifier:{learner}", "votes": 3}, learner="vllm:m")
    {'critic': 'verifier:vllm:m', 'votes': 3}
    """
    if isinstance(value, str):
        text = value.replace(LEARNER, learner)
        return text if critic is None else text.replace(CRITIC, critic)
    if isinstance(value, dict):
        return {key: with_models(part, learner=learner, critic=critic) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [with_models(part, learner=learner, critic=critic) for part in value]
    return value


def teacher_settings(teacher: str | None, settings: Mapping[str, Any], of_agent: Mapping[str, Any]) -> Any:
    """Return the settings of a teacher, in which models of the run have the settings of the run's agent.

    A search over {learner} gets them as `inner`, and its verifier {critic} as `critic_settings`, unless these
    are given. Otherwise a model that is loaded already would be loaded again with other settings.

    Args:
        teacher: The teacher, before its texts are replaced.
        settings: Its settings.
        of_agent: `agent.settings` of the run.

    >>> teacher_settings("mcts:{learner}", {"tokens": 90}, {"dtype": "float32"})
    {'tokens': 90, 'inner': {'dtype': 'float32'}}
    """
    found = dict(settings)
    if teacher == f"mcts:{LEARNER}" and of_agent:
        found.setdefault("inner", dict(of_agent))
    if found.get("critic") == f"verifier:{CRITIC}" and of_agent:
        found.setdefault("critic_settings", dict(of_agent))
    return found


def check_critic_texts(settings: Any, *, fitted: bool) -> None:
    """Check that a critic is fitted if and only if the settings of the teacher name it.

    Args:
        settings: The teacher and its settings.
        fitted: Whether the run fits a critic.

    Raises:
        ConfigError: The two contradict each other.
    """
    named = _names_critic(settings)
    if named and not fitted:
        raise ConfigError(
            "improve.teacher or its settings name {critic}, but the run fits no critic: set critic, such as "
            "{train: 1000}, or name another verifier"
        )
    if fitted and not named:
        raise ConfigError(
            "critic is set, but neither improve.teacher nor its settings name {critic}, so it would never be "
            "asked: add for example improve.teacher_settings.critic 'verifier:{critic}', or leave critic out"
        )


def _names_critic(value: Any) -> bool:
    if isinstance(value, str):
        return CRITIC in value
    if isinstance(value, Mapping):
        return any(map(_names_critic, value.values()))
    return isinstance(value, list | tuple) and any(map(_names_critic, value))


def is_local_model(agent: str) -> bool:
    """Return whether an agent is a local model, of which every worker has a copy.

    Several workers would not make other agents faster: servers, whose limits count per worker, and the
    solutions of the data set.
    """
    name = agent.partition(":")[0]
    return name in agent_names() and takes_model(name)

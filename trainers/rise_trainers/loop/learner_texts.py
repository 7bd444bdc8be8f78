"""Texts in settings that stand for the model of the present iteration."""

from typing import Any

LEARNER = "{learner}"
"""Stands for the agent that plays the first turns of an iteration, such as transformers:runs/x/model."""


def with_learner(value: Any, learner: str) -> Any:
    """Return a setting in which each text {learner} is replaced.

    Args:
        value: A text, or a mapping or list of settings at any depth; other values are returned as they are.
        learner: The agent that plays.

    >>> with_learner({"critic": "verifier:{learner}", "votes": 3}, "vllm:m")
    {'critic': 'verifier:vllm:m', 'votes': 3}
    """
    if isinstance(value, str):
        return value.replace(LEARNER, learner)
    if isinstance(value, dict):
        return {key: with_learner(part, learner) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [with_learner(part, learner) for part in value]
    return value

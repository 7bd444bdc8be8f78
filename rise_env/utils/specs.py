"""Gymnasium's specs of made environments."""

from typing import Any

from gymnasium.envs.registration import EnvSpec


class FilledInLimit(int):
    """A limit on turns that `with_turn_limit` wrote into a spec, and nobody gave to `make`.

    The class of the number is the mark: `gymnasium.make(env.spec)` makes a new spec from copies of the
    arguments, and an attribute of the old spec would be lost.
    """


def with_turn_limit(spec: EnvSpec | None, max_turns: int) -> EnvSpec | None:
    """Write the limit on turns into a spec, even if `make` was called without one.

    The limit is written to `spec.kwargs["max_turns"]`, not to `spec.max_episode_steps`. For the latter,
    `gymnasium.make(spec)` adds a `TimeLimit`, which would cut episodes if `max_turns` were raised later, and
    set `truncated` beside `terminated` when the last reply is right.

    Args:
        spec: The spec of an environment; it is changed in place.
        max_turns: The limit of that environment.

    Returns:
        The spec.
    """
    if spec is not None and "max_turns" not in spec.kwargs:
        spec.kwargs = {**spec.kwargs, "max_turns": FilledInLimit(max_turns)}
    return spec


def given_arguments(spec: EnvSpec) -> dict[str, Any]:
    """Return the arguments with which `make` was called, without a limit that `with_turn_limit` wrote."""
    return {name: value for name, value in spec.kwargs.items() if not isinstance(value, FilledInLimit)}

"""Gymnasium's specs of made environments."""

from gymnasium.envs.registration import EnvSpec


def with_turn_limit(spec: EnvSpec | None, max_turns: int) -> EnvSpec | None:
    """State the limit on turns in a spec, also where `make` was called without one.

    The limit is written to `spec.kwargs["max_turns"]`, not to `spec.max_episode_steps`. For the latter,
    `gymnasium.make(spec)` adds a `TimeLimit`, which would cut episodes if `max_turns` were raised later, and
    set `truncated` beside `terminated` when the last reply is right.

    Args:
        spec: Of a made environment; changed in place.
        max_turns: The limit of that environment.

    Returns:
        The spec.
    """
    if spec is not None:
        spec.kwargs = {"max_turns": max_turns, **spec.kwargs}
    return spec

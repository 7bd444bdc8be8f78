"""From an environment id to an environment for rollouts."""

from typing import Any

import gymnasium

import rise_env  # registers the environments
from rise_env.errors import ConfigError
from rise_env.naming import hint

assert rise_env


def make_environment(env: str, **settings: Any) -> gymnasium.Env[Any, str]:
    """Make one environment, without Gymnasium's checks of every step.

    Raises:
        ConfigError: There is no such id, or it has no such setting; says what was probably meant.
        DataNotFoundError: Its problems are not here; names the ways to get them.
    """
    if ":" not in env and env not in gymnasium.registry:
        ours = [name for name in gymnasium.registry if name.startswith("RISE-")]
        raise ConfigError(f"no environment {env!r}; {hint(env, ours)}")
    return gymnasium.make(env, disable_env_checker=True, **settings)

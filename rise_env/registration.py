"""Every environment id, and how an environment is made from its arguments."""

import inspect
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, cast

import gymnasium
from gymnasium.vector import VectorEnv

from rise_env.checkers import make_checker
from rise_env.checkers.base import Checker
from rise_env.checkers.released_rise import ReleasedRiseGSM8KChecker, ReleasedRiseMathChecker
from rise_env.envs.math_env import MathEnv
from rise_env.envs.vector_env import MathVectorEnv
from rise_env.errors import ConfigError
from rise_env.problems.loading import SETS, find_set, load_problems
from rise_env.types import Conversation, Problem
from rise_env.utils.suggestions import did_you_mean, validate_choice
from rise_env.wrappers import ContextWindow, VectorContextWindow

RELEASED_RISE: dict[str, type[Checker]] = {
    "released_rise_gsm8k": ReleasedRiseGSM8KChecker,
    "released_rise_math": ReleasedRiseMathChecker,
}
CHECKERS = ("numeric", "symbolic", "choice", "text", *RELEASED_RISE)
"""What `checker=` can name."""

_GIVEN = ("problems", "checker", "num_envs")


def env_id(name: str) -> str:
    """Return the environment id of a problem set."""
    return f"RISE-{name}-v0"


def register_all() -> None:
    """Register one id per problem set; doing it twice changes nothing."""
    for name in SETS:
        if env_id(name) not in gymnasium.registry:
            gymnasium.register(
                id=env_id(name),
                entry_point="rise_env.registration:make_env",
                vector_entry_point="rise_env.registration:make_vector_env",
                kwargs={"problem_set": name},
            )


def make(env: str, **settings: Any) -> gymnasium.Env[Any, str]:
    """Make one environment, without Gymnasium's checks of every step.

    Args:
        env: Its id, such as RISE-GSM8K-v0, or "module:id" for one that importing `module` registers.
        **settings: As in `make_env`.

    Raises:
        ConfigError: There is no such id, or it has no such setting; says what was probably meant.
        DataNotFoundError: Its problems are not here; names the ways to get them.
    """
    if ":" not in env and env not in gymnasium.registry:
        ours = [name for name in gymnasium.registry if name.startswith("RISE-")]
        raise ConfigError(f"no environment {env!r}; {did_you_mean(env, ours)}")
    return gymnasium.make(env, disable_env_checker=True, **settings)


def make_env(problem_set: str, **arguments: Any) -> gymnasium.Env[Conversation, str]:
    """Make an environment over a problem set: what `gymnasium.make` calls.

    Args:
        problem_set: Its name.
        **arguments: Those of `MathEnv`, those of the set (see `load_problems`); `checker`, a name or an
            object, by default the one that suits the set; and `history_turns`, how many turns observations
            show, by default all (see `ContextWindow`).

    Raises:
        ConfigError: An argument is unknown (says what was probably meant), or has a value it cannot have.
        DataNotFoundError: The problems are not here; names the ways to get them.
    """
    problems, checker, rest = prepare(problem_set, arguments, MathEnv)
    env = MathEnv(problems, checker, **rest)
    turns = arguments.get("history_turns")
    return env if turns is None else ContextWindow(env, turns)


def make_vector_env(
    problem_set: str, num_envs: int = 1, **arguments: Any
) -> VectorEnv[tuple[Conversation, ...], Sequence[str], Any]:
    """Make a batch of episodes over a problem set: what `gymnasium.make_vec` calls.

    Args:
        problem_set: Its name.
        num_envs: How many episodes run at a time.
        **arguments: As in `make_env`, and `autoreset_mode`.

    Raises:
        ConfigError: An argument is unknown (says what was probably meant), or has a value it cannot have.
        DataNotFoundError: The problems are not here; names the ways to get them.
    """
    problems, checker, rest = prepare(problem_set, arguments, MathVectorEnv)
    env = MathVectorEnv(problems, checker, num_envs, **rest)
    turns = arguments.get("history_turns")
    return env if turns is None else VectorContextWindow(env, turns)


def prepare(
    problem_set: str, arguments: Mapping[str, Any], env: type
) -> tuple[Sequence[Problem], Checker, dict[str, Any]]:
    """Load what `arguments` say of problems and checker; return both, and the environment's own arguments."""
    spec = find_set(problem_set)
    of_env = [name for name in inspect.signature(env).parameters if name not in _GIVEN]
    known = [*of_env, *spec.settings, "checker", "history_turns"]
    for name in arguments:
        if name not in known:
            raise ConfigError(f"{env_id(spec.name)} has no argument {name!r}; {did_you_mean(name, known)}")
    settings = {name: value for name, value in arguments.items() if name in spec.settings}
    problems = load_problems(spec.name, **settings)
    suited = getattr(problems, "checker", spec.checker)
    checker = get_checker(arguments.get("checker") or suited)
    return problems, checker, {name: value for name, value in arguments.items() if name in of_env}


def get_checker(value: "str | Checker") -> Checker:
    """Return the checker that `value` names, one of `CHECKERS`, or `value` itself.

    Raises:
        ConfigError: The name is unknown, or the object does not check.
    """
    if isinstance(value, str):
        return _named_checker(value)
    if not isinstance(value, Checker):
        raise ConfigError(f"a checker has a method check(reply, reference, *, question), got {value!r}")
    return value


@cache
def _named_checker(name: str) -> Checker:
    if name in RELEASED_RISE:
        return RELEASED_RISE[name]()
    return make_checker(cast(Any, validate_choice(name, CHECKERS, "checker")))

"""Registers every environment id, and makes environments from their arguments.

There is one id per problem set of `SETS` in `problems/loading.py`. To add a checker that `checker=` can name:
add one entry to the table `CHECKERS` below.
"""

import inspect
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any

import gymnasium
from gymnasium.vector import VectorEnv

from rise_env.checkers import ChoiceChecker, NumericChecker, SymbolicChecker, TextChecker
from rise_env.checkers.base import Checker, require_checker
from rise_env.checkers.released_rise import ReleasedRiseGSM8KChecker, ReleasedRiseMathChecker
from rise_env.envs.math_env import MathEnv
from rise_env.envs.vector_env import MathVectorEnv
from rise_env.errors import ConfigError, UnknownArgumentError
from rise_env.problems.loading import SETS, find_set, load_problems
from rise_env.problems.rows import check_references
from rise_env.types import Conversation, Problem
from rise_env.utils.plugins import CHECKERS as PLUGIN_CHECKERS
from rise_env.utils.plugins import find_plugin
from rise_env.utils.signatures import convert_value
from rise_env.utils.suggestions import did_you_mean, validate_choice
from rise_env.wrappers import ContextWindow, VectorContextWindow

CHECKERS: Mapping[str, Callable[[], Checker]] = {
    "numeric": NumericChecker,
    "symbolic": SymbolicChecker,
    "choice": ChoiceChecker,
    "text": TextChecker,
    "released_rise_gsm8k": ReleasedRiseGSM8KChecker,
    "released_rise_math": ReleasedRiseMathChecker,
}
"""Name, as `checker=` takes it -> class or function that makes the checker."""

_NOT_ARGUMENTS_OF_AN_ID = ("problems", "checker", "num_envs")
"""Parameters of the environment classes that `prepare` and `gymnasium.make_vec` fill in."""


def env_id(name: str) -> str:
    """Return the environment id of a problem set."""
    return f"RISE-{name}-v0"


def register_all() -> None:
    """Register one id per problem set. A second call changes nothing."""
    for name in SETS:
        if env_id(name) not in gymnasium.registry:
            gymnasium.register(
                id=env_id(name),
                entry_point="rise_env.rise:make_env",
                vector_entry_point="rise_env.rise:make_vector_env",
                kwargs={"problem_set": name},
            )


def make(env: str, **settings: Any) -> gymnasium.Env[Any, str]:
    """Make one environment, without Gymnasium's checks at every step.

    Args:
        env: An environment id, such as RISE-GSM8K-v0, or "module:id" for an id that `module` registers when
            it is imported.
        **settings: The arguments of `make_env`.

    Raises:
        ConfigError: There is no such id or argument (the message suggests a similar one), or an argument is
            out of range.
        DataNotFoundError: The problems are not on this machine; the message says how to get them.
    """
    if ":" not in env and env not in gymnasium.registry:
        ours = [name for name in gymnasium.registry if name.startswith("RISE-")]
        raise ConfigError(f"no environment {env!r}; {did_you_mean(env, ours)}")
    return gymnasium.make(env, disable_env_checker=True, **settings)


def make_env(problem_set: str, **arguments: Any) -> gymnasium.Env[Conversation, str]:
    """Make an environment over a problem set. `gymnasium.make` calls this function.

    Args:
        problem_set: Name of the set.
        **arguments: The arguments of `MathEnv` and those of the set (see `load_problems`); `checker`, a name
            of `CHECKERS` or an object, by default the checker that suits the set; and `history_turns`, the
            number of turns that observations show, by default all (see `ContextWindow`).

    Raises:
        ConfigError: An argument is unknown (the message suggests a similar one) or out of range.
        DataNotFoundError: The problems are not on this machine; the message says how to get them.
    """
    problems, checker, rest = prepare(problem_set, arguments, MathEnv)
    env = MathEnv(problems, checker, **rest)
    turns = arguments.get("history_turns")
    return env if turns is None else ContextWindow(env, turns)


def make_vector_env(
    problem_set: str, num_envs: int = 1, **arguments: Any
) -> VectorEnv[tuple[Conversation, ...], Sequence[str], Any]:
    """Make a batch of episodes over a problem set. `gymnasium.make_vec` calls this function.

    Args:
        problem_set: Name of the set.
        num_envs: Number of episodes that run at a time.
        **arguments: As in `make_env`, and `autoreset_mode`.

    Raises:
        ConfigError: An argument is unknown (the message suggests a similar one) or out of range.
        DataNotFoundError: The problems are not on this machine; the message says how to get them.
    """
    problems, checker, rest = prepare(problem_set, arguments, MathVectorEnv)
    env = MathVectorEnv(problems, checker, num_envs, **rest)
    turns = arguments.get("history_turns")
    return env if turns is None else VectorContextWindow(env, turns)


def prepare(
    problem_set: str, arguments: Mapping[str, Any], env: type
) -> tuple[Sequence[Problem], Checker, dict[str, Any]]:
    """Sort the arguments of an id into those of its set, its checker and its environment.

    Args:
        problem_set: Name of the set.
        arguments: As given to `gymnasium.make` or `gymnasium.make_vec`.
        env: `MathEnv` or `MathVectorEnv`: its signature says which arguments it takes.

    Returns:
        The problems, the checker, and the arguments of the environment.

    Raises:
        ConfigError: An argument is unknown (the message suggests a similar one), has the wrong type, or is
            out of range.
        DataNotFoundError: The problems are not on this machine; the message says how to get them.
    """
    spec = find_set(problem_set)
    parameters = inspect.signature(env, eval_str=True).parameters
    of_env = [name for name in parameters if name not in _NOT_ARGUMENTS_OF_AN_ID]
    known = [*of_env, *spec.settings, "checker", "history_turns"]
    for name in arguments:
        if name not in known:
            raise UnknownArgumentError(
                f"{env_id(spec.name)} got an unexpected keyword argument {name!r}; "
                f"{did_you_mean(name, known)}"
            )
    settings = {name: value for name, value in arguments.items() if name in spec.settings}
    problems = load_problems(spec.name, **settings)
    given = arguments.get("checker")
    named: str | Checker = getattr(problems, "checker", spec.checker) if given is None else given
    checker = get_checker(named)
    if arguments.get("dataset") is not None and isinstance(named, str):
        check_references(problems, checker)  # not with a user's own checker, which may be slow or cost money
    rest = {
        name: convert_value(value, parameters[name].annotation, what=f"{env_id(spec.name)}: {name}")
        for name, value in arguments.items()
        if name in of_env
    }
    return problems, checker, rest


def get_checker(value: "str | Checker") -> Checker:
    """Return the checker that `value` names, or `value` itself.

    A name is one of `CHECKERS`, or NAME:TEXT for a checker of the entry points `rise.checkers`, for example
    "judge:openai:gpt-4o". A name gives the same checker at every call.

    Raises:
        ConfigError: The name is unknown, or the object has no method `check`.
    """
    if isinstance(value, str):
        return _named_checker(value)
    return require_checker(value)


@cache
def _named_checker(name: str) -> Checker:
    kind, colon, text = name.partition(":")
    if colon:
        checker: Checker = find_plugin(PLUGIN_CHECKERS, kind, "checker").load()(text)
        return checker
    return CHECKERS[validate_choice(name, CHECKERS, "checker")]()

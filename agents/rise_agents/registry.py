"""Makes agents from strings such as "vllm:MODEL", which name an agent in commands, config files and code.

A string is NAME, NAME:ARGUMENT or module:factory. Names are the entry points of the group `rise.agents`:
those of RISE are in setup.cfg, and any installed package may add its own (see `rise_env.utils.plugins`). The
class or function that makes an agent takes ARGUMENT as its first parameter, if that parameter has no default;
its other parameters are the agent's settings.
"""

import functools
import importlib
import inspect
from collections.abc import Callable, Mapping
from typing import Any

import docstring_parser

from rise_agents.kept_agents import kept_or_loaded
from rise_agents.types import Agent
from rise_env.errors import ConfigError, MissingDependencyError, RiseError
from rise_env.utils import plugins
from rise_env.utils.extras import missing_library
from rise_env.utils.signatures import checked_arguments, deciding_arguments
from rise_env.utils.suggestions import did_you_mean

Factory = Callable[..., Any]


def load_agent(spec: str, **settings: Any) -> Agent:
    """Return the agent that a string names; see `kept_agents` for agents that are loaded already.

    Args:
        spec: The name of an agent, such as "expert"; a name and an argument, such as "transformers:MODEL";
            or "module:factory". The names are the entry points of the group `rise.agents`.
        **settings: Keyword arguments of the class or function that makes the agent.

    Raises:
        ConfigError: There is no such agent, it has no such setting, a setting has the wrong type, or making
            the agent failed. For an unknown name, the message suggests valid ones.
        MissingDependencyError: A library that the agent needs is not installed.
    """
    return kept_or_loaded(spec, settings, lambda: _new_agent(spec, settings))


def _new_agent(spec: str, settings: Mapping[str, Any]) -> Agent:
    factory, arguments = _resolve(spec)
    values = checked_arguments(factory, settings, what=f"agent {spec!r}", positional=len(arguments))
    try:
        agent = factory(*arguments, **values)
    except RiseError:
        raise
    except Exception as error:
        raise _failed(spec, error) from error
    if not isinstance(agent, Agent):
        raise ConfigError(
            f"{spec!r} made a {type(agent).__name__}, which is not an agent: "
            "an agent has the attributes name, act and close"
        )
    return agent


def check_agent(spec: str, settings: Mapping[str, Any] | None = None, *, here: bool = False) -> None:
    """Check the string that names an agent, and the agent's settings, without making the agent.

    The module of the agent is imported. If a library that the agent needs is not installed, its settings are
    not checked, because the agent may be made on another machine that has the library.

    Args:
        spec: See `load_agent`.
        settings: See `load_agent`.
        here: Whether the agent will be made on this machine. Then a missing library is an error, and the
            class method `check_settings` of the agent is called, if it has one, with the arguments with which
            the agent would be made. It checks keys, files and values, and loads no weights.

    Raises:
        ConfigError: See `load_agent`.
        DataNotFoundError, MissingDependencyError, StoreError: With `here`, something is not on this machine.
    """
    try:
        factory, arguments = _resolve(spec)
    except MissingDependencyError:
        if here:
            raise
        return
    what = f"agent {spec!r}"
    values = checked_arguments(factory, settings or {}, what=what, positional=len(arguments))
    check, arguments = _method(factory, "check_settings", arguments)
    if not here or check is None:
        return
    try:
        check(*arguments, **values)
    except ConfigError as error:
        raise ConfigError(f"{what}: {error}") from error


def calls_per_reply(spec: str, settings: Mapping[str, Any] | None = None) -> int | None:
    """Return how many calls of models one reply of an agent takes at most; None where this is unknown.

    It is 1, unless the class or function that makes the agent has a method `calls_per_reply`, which is called
    with the arguments with which the agent would be made. If a library that the agent needs is not installed,
    it is 1.

    Args:
        spec: See `load_agent`.
        settings: See `load_agent`.

    Raises:
        ConfigError: There is no such agent, or settings of that method are wrong.
    """
    try:
        factory, arguments = _resolve(spec)
    except MissingDependencyError:
        return 1
    count, all_arguments = _method(factory, "calls_per_reply", arguments)
    if count is None:
        return 1
    values = checked_arguments(factory, settings or {}, what=f"agent {spec!r}", positional=len(arguments))
    found: int | None = count(*all_arguments, **values)
    return found


def deciding_settings(spec: str, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings of an agent that must be the same when an interrupted command continues.

    They are those whose parameters are not `Changeable`. If a library that the agent needs is not installed,
    this is unknown, and all settings are returned.

    Args:
        spec: The string that names the agent.
        settings: Its settings.

    Raises:
        ConfigError: There is no such agent.
    """
    given = {name.replace("-", "_"): value for name, value in settings.items()}
    try:
        factory, _ = _resolve(spec)
    except MissingDependencyError:
        return given
    return deciding_arguments(factory, given)


def agent_names() -> list[str]:
    """Return the names of all agents that installed packages offer."""
    return list(plugins.plugins(plugins.AGENTS))


def takes_model(name: str) -> bool:
    """Return whether the argument of an agent, after the colon, is a model: a folder or a hub id.

    It is one if the first parameter of the class or function that makes the agent is called `model`. If a
    library that the agent needs is not installed, this is unknown and the result is true, because another
    machine may have the library.

    Raises:
        ConfigError: There is no agent with this name. The message suggests a similar name or lists the names.
    """
    try:
        factory = _import_named(name, name)
    except MissingDependencyError:
        return True
    return _argument_of(factory) == "model"


def _resolve(spec: str) -> tuple[Factory, tuple[str, ...]]:
    """Return the class or function that makes the agent, and its positional arguments."""
    name, colon, rest = spec.partition(":")
    if name in agent_names():
        factory = _import_named(spec, name)
        parameter = _argument_of(factory)
        if (parameter is not None) != bool(rest):
            raise ConfigError(f"write {_usage(name, factory, parameter)}, got {spec!r}")
        return factory, (rest,) if rest else ()
    if not colon or not rest.isidentifier() or "/" in name or not all(name.split(".")):
        hint = did_you_mean(name, agent_names())
        raise ConfigError(f"no agent {spec!r}; {hint} (write an agent of your own as 'module:factory')")
    return _import_own(spec, name, rest), ()


def _method(factory: Factory, name: str, arguments: tuple[Any, ...]) -> tuple[Any, tuple[Any, ...]]:
    """Return a method of what makes an agent, or None, and its positional arguments."""
    maker: Any = factory
    if isinstance(maker, functools.partial):
        maker, arguments = maker.func, (*maker.args, *arguments)
    return getattr(maker, name, None), arguments


def _import_named(spec: str, name: str) -> Factory:
    entry = plugins.find_plugin(plugins.AGENTS, name, "agent")
    try:
        factory: Factory = plugins.load(entry)
    except RiseError:
        raise
    except ModuleNotFoundError as error:
        if error.name is None or error.name.startswith("rise_"):
            raise
        raise missing_library(error.name, f"agent {name!r}") from error
    except Exception as error:  # the module may be another package's
        raise _failed(spec, error) from error
    return factory


def _import_own(spec: str, module: str, name: str) -> Factory:
    try:
        factory: Factory = getattr(importlib.import_module(module), name)
    except RiseError:
        raise
    except (ImportError, AttributeError) as error:
        raise ConfigError(f"no agent {spec!r}: {error}; {did_you_mean(module, agent_names())}") from error
    except Exception as error:  # the module is the user's own
        raise _failed(spec, error) from error
    if not callable(factory):
        raise ConfigError(
            f"{spec!r} is a {type(factory).__name__}, which cannot make an agent: name a class or function"
        )
    return factory


def _argument_of(factory: Factory) -> str | None:
    """Return the name of the parameter that takes the text after the colon, or None."""
    first = next(iter(inspect.signature(factory).parameters.values()), None)
    positional = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    if first is None or first.default is not inspect.Parameter.empty or first.kind not in positional:
        return None
    return first.name


def _usage(name: str, factory: Factory, parameter: str | None) -> str:
    """Return how to name the agent, with the description of the argument from the docstring."""
    if parameter is None:
        return repr(name)
    documented = docstring_parser.parse(inspect.getdoc(factory) or "").params
    said = next((p.description for p in documented if p.arg_name == parameter), None)
    meaning = f" ({' '.join(said.split())})" if said else ""
    return f"'{name}:{parameter.upper()}'{meaning}"


def _failed(spec: str, error: Exception) -> ConfigError:
    why = " ".join(f"{type(error).__name__}: {error}".split())
    return ConfigError(f"agent {spec!r} cannot be made: {why}")

"""From a text to an agent: the same text on the command line, in configs and in code."""

import importlib
import inspect
from typing import Any

from rise_agents.types import Agent
from rise_env.errors import ConfigError, MissingDependencyError, RiseError
from rise_env.utils.suggestions import did_you_mean

AGENTS = {
    "tiny": ("rise_agents.backends.transformers_agent:tiny_agent", "", "transformers"),
    "transformers": (
        "rise_agents.backends.transformers_agent:TransformersAgent",
        "PATH_OR_HUB_ID",
        "transformers",
    ),
    "vllm": ("rise_agents.backends.vllm_agent:VLLMAgent", "PATH_OR_HUB_ID", "vllm"),
    "openai": ("rise_agents.backends.openai_agent:OpenAIAgent", "MODEL@URL", "openai"),
    "expert": ("rise_agents.backends.expert_agent:ExpertAgent", "", ""),
    "replay": ("rise_agents.backends.replay_agent:ReplayAgent", "FILE", ""),
}
"""Name -> (factory, what follows the colon, the extra to install)."""


def load_agent(spec: str, **settings: Any) -> Agent:
    """Return the agent that a text names.

    Args:
        spec: "tiny", "transformers:PATH_OR_HUB_ID", "vllm:PATH_OR_HUB_ID", "openai:MODEL@URL", "expert",
            "replay:FILE", or "module:factory" for one of your own.
        settings: Handed to the agent's factory.

    Raises:
        ConfigError: There is no such agent, or it has no such setting; says what there is. Or it cannot be
            made; says why.
        MissingDependencyError: Its library is not installed.
    """
    check_spec(spec)
    name, _, rest = spec.partition(":")
    if name in AGENTS:
        target, argument, extra = AGENTS[name]
        return _build(spec, _import(target, extra), (rest,) if argument else (), settings)
    try:
        factory = getattr(importlib.import_module(name), rest)
    except RiseError:
        raise
    except (ImportError, AttributeError) as error:
        raise ConfigError(f"no agent {spec!r}: {error}; {did_you_mean(name, AGENTS)}") from error
    except Exception as error:  # the module is somebody's own
        raise _failed(spec, error) from error
    return _build(spec, factory, (), settings)


def check_spec(spec: str) -> None:
    """Raise ConfigError where a text cannot name an agent; nothing is imported."""
    name, colon, rest = spec.partition(":")
    if name in AGENTS:
        if bool(AGENTS[name][1]) != bool(rest):
            raise ConfigError(f"write {_usage(name)!r}, got {spec!r}")
    elif not colon or not rest.isidentifier() or "/" in name or not all(name.split(".")):
        raise ConfigError(f"no agent {spec!r}; {did_you_mean(name, AGENTS)}, or 'module:factory'")


def _usage(name: str) -> str:
    argument = AGENTS[name][1]
    return f"{name}:{argument}" if argument else name


def _import(target: str, extra: str) -> Any:
    module, function = target.split(":")
    try:
        return getattr(importlib.import_module(module), function)
    except ModuleNotFoundError as error:
        if not extra or (error.name or "").startswith("rise_"):
            raise
        raise MissingDependencyError(
            f"{error.name} is not installed: pip install 'rise-env[{extra}]'"
        ) from error


def _failed(spec: str, error: Exception) -> ConfigError:
    why = " ".join(f"{type(error).__name__}: {error}".split())
    return ConfigError(f"agent {spec!r} cannot be made: {why}")


def _build(spec: str, factory: Any, arguments: tuple[str, ...], settings: dict[str, Any]) -> Agent:
    if not callable(factory):
        raise ConfigError(f"{spec!r} is a {type(factory).__name__}: it makes no agent")
    signature = inspect.signature(factory)
    names = list(signature.parameters)[len(arguments) :]
    variable = any(p.kind is inspect.Parameter.VAR_KEYWORD for p in signature.parameters.values())
    for setting in settings:
        if not variable and setting not in names:
            raise ConfigError(f"agent {spec!r} has no setting {setting!r}; {did_you_mean(setting, names)}")
    try:
        signature.bind(*arguments, **settings)
    except TypeError as error:
        raise ConfigError(f"agent {spec!r} cannot be made: {error}") from error
    try:
        agent = factory(*arguments, **settings)
    except RiseError:
        raise
    except Exception as error:
        raise _failed(spec, error) from error
    if not isinstance(agent, Agent):
        raise ConfigError(
            f"{spec!r} made a {type(agent).__name__}, which is no agent: it needs name, act, close"
        )
    return agent

"""Settings that go to a function or class as keyword arguments, checked against its signature."""

import inspect
from collections.abc import Callable, Mapping
from typing import Any

import msgspec
import numpy as np

from rise_env.errors import ConfigError
from rise_env.utils.settings import mark_of, reason, refuse_nan
from rise_env.utils.suggestions import did_you_mean


def checked_arguments(
    function: Callable[..., Any], settings: Mapping[str, Any], *, what: str, positional: int = 0
) -> dict[str, Any]:
    """Return keyword arguments for a function, with the types that its annotations name.

    A parameter whose annotation is not a plain type (a function, an agent, an array) takes any value.

    Args:
        function: A function or class.
        settings: Keyword arguments, from a file, a command line or code. A list becomes a tuple, and a
            mapping a dataclass, if the annotation says so.
        what: The owner of the settings, for the messages, such as "agent 'tiny'".
        positional: The number of first parameters that the caller passes by position, and which are therefore
            no settings.

    Raises:
        ConfigError: There is no such parameter, a value has the wrong type, or a parameter without a default
            is missing.
    """
    signature = inspect.signature(function, eval_str=True)
    parameters = dict(list(signature.parameters.items())[positional:])
    takes_any = any(p.kind is inspect.Parameter.VAR_KEYWORD for p in parameters.values())
    values = {}
    for name, value in settings.items():
        if name in parameters:
            values[name] = convert_value(value, parameters[name].annotation, what=f"{what}: {name}")
        elif takes_any:
            values[name] = value
        else:
            raise ConfigError(f"{what} has no setting {name!r}; {did_you_mean(name, parameters)}")
    variable = (inspect.Parameter.VAR_KEYWORD, inspect.Parameter.VAR_POSITIONAL)
    for name, parameter in parameters.items():
        if parameter.default is parameter.empty and parameter.kind not in variable and name not in values:
            raise ConfigError(f"{what} needs a setting {name!r}")
    return values


def deciding_arguments(function: Callable[..., Any], settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings whose parameters have no mark; see `settings.deciding_settings`.

    Args:
        function: The function or class that takes the settings as keyword arguments.
        settings: The settings.
    """
    parameters = inspect.signature(function, eval_str=True).parameters
    marked = {name for name, parameter in parameters.items() if mark_of(parameter.annotation) is not None}
    return {name: value for name, value in settings.items() if name not in marked}


def convert_value(value: Any, kind: Any, *, what: str) -> Any:
    """Return a value as the type that an annotation names, such as a list as a tuple.

    Raises:
        ConfigError: It is not of this type; the message has `what` and the value.
    """
    if isinstance(value, float | Mapping):
        refuse_nan(value, what)
    if kind in (inspect.Parameter.empty, Any):
        return value
    try:
        return msgspec.convert(value.item() if isinstance(value, np.generic) else value, kind)
    except msgspec.ValidationError as error:
        raise ConfigError(f"{what} is {value!r}: {reason(error, kind, value)}") from None
    except TypeError:  # a type that msgspec does not know, such as a function, a path or an agent
        return value

"""Settings as frozen dataclasses, built from plain values of YAML files and command lines.

msgspec converts and checks the values. This module adds suggestions for misspelt names, layers of settings
over each other, YAML files, and marks of the settings that may change when an interrupted command continues:

    micro_batch_size: Changeable[int] = 4
"""

import enum
import math
import re
import types
import typing
from collections.abc import Mapping
from dataclasses import MISSING, Field, asdict, fields, is_dataclass
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin

import msgspec
import yaml

from rise_env.errors import ConfigError, RiseError
from rise_env.utils.suggestions import did_you_mean

Config = TypeVar("Config")
_T = TypeVar("_T")


class Mark(enum.Enum):
    """Says that a setting is not compared when an interrupted command continues."""

    CHANGEABLE = enum.auto()
    BY_CONTENT = enum.auto()


Changeable = Annotated[_T, Mark.CHANGEABLE]
"""The type of a setting that changes speed, memory or place, but no result: it may change when an interrupted
command continues. It also marks parameters of the classes and functions that make agents."""
ByContent = Annotated[_T, Mark.BY_CONTENT]
"""The type of a setting that names files: they may move, and what they hold is compared."""


class _Loader(yaml.SafeLoader):
    """Reads 1e-5 as a number, as YAML 1.2 does; YAML 1.1 takes it for a text."""


_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(r"[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)[eE][-+]?[0-9]+$"),
    list("-+0123456789."),
)


def build(config: type[Config], settings: Mapping[str, Any], *, where: str = "") -> Config:
    """Build a dataclass from plain values: numbers, strings, lists and mappings, as in YAML and JSON.

    Args:
        config: The dataclass.
        settings: Values of its fields, nested dataclasses as mappings. A string becomes a number or a boolean
            if the type of the field requires it; a number never becomes a string.
        where: Put before the names of settings in error messages, for example "fit.".

    Raises:
        ConfigError: A setting is unknown, missing, of the wrong type or out of range. The message has the
            dotted name and the value.
    """
    check_names(config, settings, where=where)
    try:
        built = msgspec.convert(settings, config, strict=False)
    except msgspec.ValidationError as error:
        if isinstance(error.__cause__, RiseError):  # raised by the dataclass itself, in __post_init__
            raise error.__cause__ from None
        raise ConfigError(_explained(config, str(error), settings, where)) from None
    refuse_nan(plain(built), where.rstrip("."))
    return built


def refuse_nan(value: Any, name: str) -> None:
    """Raise ConfigError if a number is NaN, which no comparison finds: `nan < 0` is false.

    Args:
        value: A value of a setting; values in mappings and lists count.
        name: The dotted name of the setting, for the message.
    """
    if isinstance(value, float) and math.isnan(value):
        raise ConfigError(f"{name} is nan, which is no number: correct it")
    if isinstance(value, Mapping):
        for key, inner in value.items():
            refuse_nan(inner, f"{name}.{key}" if name else str(key))
    elif isinstance(value, (list, tuple)):
        for inner in value:
            refuse_nan(inner, name)


def check_names(config: type, settings: Mapping[str, Any], *, where: str = "") -> None:
    """Raise ConfigError if `settings` names a field that a dataclass and those nested in it do not have."""
    known = field_types(config)
    for name, value in settings.items():
        if name not in known:
            raise ConfigError(f"no setting {where + str(name)!r}; {did_you_mean(str(name), known)}")
        nested = nested_dataclass(known[name])
        if nested is not None and isinstance(value, Mapping):
            check_names(nested, value, where=f"{where}{name}.")


def merged(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Return `base` with the values of `over`; mappings are merged key by key."""
    result = dict(base)
    for key, value in over.items():
        old = result.get(key)
        both = isinstance(value, Mapping) and isinstance(old, Mapping)
        result[key] = merged(old, value) if both else value  # type: ignore[arg-type]
    return result


def read_settings(path: str | Path) -> dict[str, Any]:
    """Return the settings in a YAML file; dashes in their names count as underscores.

    Raises:
        ConfigError: There is no such file, or it does not hold a YAML mapping.
    """
    if not Path(path).is_file():
        raise ConfigError(f"there is no config file {str(path)!r}: check the path")
    try:
        settings = yaml_value(Path(path).read_text(encoding="utf-8")) or {}
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} is not YAML: {' '.join(str(error).split())}") from error
    if not isinstance(settings, dict):
        kind = type(settings).__name__
        raise ConfigError(f"{path} holds no settings: it is a {kind}, not a mapping")
    return settings


def yaml_value(text: str) -> Any:
    """Return the value of a YAML text; dashes in the keys of mappings count as underscores."""
    return _with_underscores(yaml.load(text, _Loader))


def yaml_text(value: Any) -> str:
    """Return a value as YAML on one line."""
    text = yaml.safe_dump(plain(value), default_flow_style=True, width=10_000)
    return text.removesuffix("...\n").strip()


def mark_of(kind: Any) -> Mark | None:
    """Return the mark of a type annotation, or None."""
    marks = [mark for mark in getattr(kind, "__metadata__", ()) if isinstance(mark, Mark)]
    return marks[0] if marks else None


def deciding_settings(config: type, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings that must be the same when a command continues: those without a `Mark`.

    Args:
        config: The dataclass of the settings.
        settings: The settings as plain values, those of nested dataclasses as mappings.
    """
    kinds = typing.get_type_hints(config, include_extras=True)
    kept = {}
    for name, value in settings.items():
        kind = kinds.get(name)
        if mark_of(kind) is None:
            nested = nested_dataclass(kind)
            inner = nested is not None and isinstance(value, Mapping)
            kept[name] = deciding_settings(nested, value) if inner else plain(value)  # type: ignore[arg-type]
    return kept


def differences(before: Mapping[str, Any], now: Mapping[str, Any], prefix: str = "") -> list[str]:
    """Return the sorted dotted names of the settings whose values differ.

    Args:
        before: Settings as plain values.
        now: Other settings as plain values.
        prefix: Put before the names.
    """
    found = []
    for name in sorted(before.keys() | now.keys()):
        old, new = before.get(name), now.get(name)
        if isinstance(old, Mapping) and isinstance(new, Mapping):
            found += differences(old, new, f"{prefix}{name}.")
        elif old != new:
            found.append(prefix + name)
    return found


def defaults(config: type) -> dict[str, Any]:
    """Return the default values of a dataclass as plain values; fields without one are left out."""
    values = {field.name: default_of(field) for field in fields(config)}
    return {name: plain(value) for name, value in values.items() if value is not MISSING}


def default_of(field: "Field[Any]") -> Any:
    """Return the default value of a field, or `dataclasses.MISSING`."""
    return field.default if field.default_factory is MISSING else field.default_factory()


def plain(value: Any) -> Any:
    """Return a value with dataclasses and mappings as dictionaries, and tuples as lists."""
    if is_dataclass(value) and not isinstance(value, type):
        return plain(asdict(value))
    if isinstance(value, Mapping):
        return {key: plain(inner) for key, inner in value.items()}
    return [plain(item) for item in value] if isinstance(value, (list, tuple)) else value


def setting_names(config: type, prefix: str = "") -> list[str]:
    """Return the dotted names of all settings of a dataclass, including those of nested dataclasses."""
    found: list[str] = []
    for name, kind in field_types(config).items():
        nested = nested_dataclass(kind)
        found.append(prefix + name)
        if nested is not None:
            found += setting_names(nested, f"{prefix}{name}.")
    return found


@cache
def field_types(config: type) -> dict[str, Any]:
    """Return the types of a dataclass's fields by name."""
    hints = typing.get_type_hints(config)
    return {field.name: hints[field.name] for field in fields(config)}


def alternatives(kind: Any) -> tuple[Any, ...]:
    """Return the members of a union, or the type itself."""
    return get_args(kind) if get_origin(kind) in (Union, types.UnionType) else (kind,)


def nested_dataclass(kind: Any) -> type | None:
    """Return the dataclass in a type (`Config` for `Config` and `Config | None`), or None if it has none."""
    return next(
        (option for option in alternatives(kind) if isinstance(option, type) and is_dataclass(option)), None
    )


def is_mapping(kind: Any) -> bool:
    """Return whether a type is a mapping."""
    return get_origin(kind) in (dict, Mapping)


def reason(error: Exception | str, kind: Any, value: Any) -> str:
    """Return why msgspec refuses a value; for an unknown choice, a suggestion of a similar one."""
    choices = [str(choice) for choice in _choices(kind)]
    if choices and "Invalid enum value" in str(error):
        return did_you_mean(str(value), choices)
    text = str(error).partition(" - at `$")[0].replace("`", "")
    text = text.replace("object", "mapping").replace("array", "list")  # the words of YAML and Python
    return text[:1].lower() + text[1:]


def _choices(kind: Any) -> list[Any]:
    if get_origin(kind) is Literal:
        return list(get_args(kind))
    return [choice for part in get_args(kind) for choice in _choices(part)]


def _with_underscores(value: Any) -> Any:
    if not isinstance(value, Mapping):
        return value
    return {_underscored(name): _with_underscores(inner) for name, inner in value.items()}


def _underscored(name: Any) -> Any:
    """Return a key with underscores for dashes, if it is the name of a setting."""
    if isinstance(name, str) and name.replace("-", "_").isidentifier():
        return name.replace("-", "_")
    return name


def _explained(config: type, message: str, settings: Mapping[str, Any], where: str) -> str:
    """Turn a message of msgspec into one with the dotted name and the value."""
    text, _, path = message.partition(" - at `$")
    path = path.rstrip("`").lstrip(".")
    missing = re.match(r"Object missing required field `(\w+)`", text)
    if missing:
        name = where + ".".join(part for part in (path, missing[1]) if part)
        return f"{name} is missing: set it in a file or with --{name}"
    value: Any = settings
    kind: Any = config
    for key in re.findall(r"[^.\[\]]+", path):
        if isinstance(value, (list, tuple)):
            value = value[int(key)]
            continue
        value = value.get(key, "?")
        nested = nested_dataclass(kind)
        kind = field_types(nested)[key] if nested is not None else kind
    return f"{where}{path} is {value!r}: {reason(text, kind, value)}"

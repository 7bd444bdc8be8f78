"""From a frozen dataclass to a command line: `--config FILE`, `--field value`, `--nested.field value`.

Dashes and underscores in option names are the same. Several config files are laid over each other, mappings
key by key; the later one wins. `--print_config` shows the resolved settings.

In settings that are free mappings an option may go as deep as it likes: `--agent_settings.extra.top_k 5`.
Such options are laid over the mapping, key by key, and their values are read as YAML.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import is_dataclass
from pathlib import Path
from types import UnionType
from typing import Any, TypeVar, get_args, get_origin

import yaml

from rise_env.errors import ConfigError, RiseError

Config = TypeVar("Config")


def parse(
    config: type[Config],
    argv: Sequence[str],
    *,
    prog: str,
    positional: str | None = None,
    repeated: Sequence[str] = (),
) -> Config:
    """Return the settings that a command line and its config files give.

    Args:
        config: A dataclass; its docstring and those of its fields become the help text.
        argv: Arguments without the command.
        prog: The command as its help shows it.
        positional: Field that the first argument fills, when it is no option.
        repeated: Options that may be given several times; each adds to a tuple.

    Raises:
        ConfigError: An argument is unknown, missing, of the wrong type or out of range.
        SystemExit: Help or the settings were asked for, and are printed.
    """
    from jsonargparse import ArgumentParser, set_parsing_settings

    set_parsing_settings(docstring_parse_attribute_docstrings=True)
    arguments = list(argv)
    if positional and arguments and not arguments[0].startswith("-"):
        arguments[0] = f"--{positional}={arguments[0]}"
    parser = ArgumentParser(prog=prog, description=config.__doc__, exit_on_error=False)
    parser.add_argument("--config", action="config", help="YAML file of settings; later arguments win.")
    parser.add_class_arguments(config)
    flags = [name for name, known in config.__dataclass_fields__.items() if known.type is bool]  # type: ignore[attr-defined]
    lists = [
        name
        for name, known in config.__dataclass_fields__.items()  # type: ignore[attr-defined]
        if get_origin(known.type) is tuple and name not in repeated
    ]
    try:
        words = _with_values([_plain(word) for word in arguments], flags)
        words = _gathered(_as_lists(_one_config(words), lists), repeated)
        words = _with_deep(parser, *_deep_aside(words, _mappings(config)))
        found = parser.parse_args(words)
        values = parser.instantiate(found)
        return config(**{name: values[name] for name in config.__dataclass_fields__})  # type: ignore[attr-defined]
    except RiseError:
        raise
    except Exception as error:  # jsonargparse lets through what its types raise
        raise ConfigError(" ".join(str(error).split())) from error


def merged(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Return `base` with the values of `over`, mappings merged key by key."""
    result = dict(base)
    for key, value in over.items():
        old = result.get(key)
        both = isinstance(value, Mapping) and isinstance(old, Mapping)
        result[key] = merged(old, value) if both else value  # type: ignore[arg-type]
    return result


def _plain(word: str) -> str:
    """Write an option's name with underscores."""
    if not word.startswith("--"):
        return word
    name, equals, value = word.partition("=")
    return "--" + name[2:].replace("-", "_") + equals + value


def _with_values(words: Sequence[str], flags: Sequence[str]) -> list[str]:
    """Write `--flag`, where no value follows, as `--flag=true`."""
    names = {f"--{flag}" for flag in flags}
    following = [*words, "--"][1:]
    return [
        word + "=true" if word in names and after.startswith("-") else word
        for word, after in zip(words, following, strict=True)
    ]


def _as_lists(words: Sequence[str], lists: Sequence[str]) -> list[str]:
    """Write `--seeds 0` and `--seeds 0,1` as `--seeds [0]` and `--seeds [0,1]`."""
    names = {f"--{name}" for name in lists}
    result: list[str] = []
    previous = ""
    for word in words:
        name, equals, value = word.partition("=")
        if equals and name in names:
            result.append(f"{name}={_listed(value)}")
        else:
            result.append(_listed(word) if previous in names else word)
        previous = word
    return result


def _listed(value: str) -> str:
    return value if value.startswith(("[", "-")) else f"[{value}]"


def _one_config(words: Sequence[str]) -> list[str]:
    """Write several config files as one, in the place of the last: a parser would replace whole mappings."""
    rest: list[str] = []
    files: list[str] = []
    place = 0
    following = iter(words)
    for word in following:
        name, equals, value = word.partition("=")
        if name == "--config":
            files.append(value if equals else next(following, ""))
            place = len(rest)
        else:
            rest.append(word)
    if len(files) < 2:
        return list(words)
    settings: dict[str, Any] = {}
    for file in files:
        settings = merged(settings, _read(file))
    return [*rest[:place], "--config", yaml.safe_dump(settings, sort_keys=False), *rest[place:]]


def _mappings(config: type, prefix: str = "") -> list[str]:
    """Return the dotted names of the fields that are mappings of anything."""
    found: list[str] = []
    for name, known in config.__dataclass_fields__.items():  # type: ignore[attr-defined]
        kinds = get_args(known.type) if isinstance(known.type, UnionType) else [known.type]  # or None
        if isinstance(kinds[0], type) and is_dataclass(kinds[0]):
            found += _mappings(kinds[0], f"{prefix}{name}.")
        elif get_origin(known.type) in (dict, Mapping) and get_args(known.type)[1] is Any:
            found.append(prefix + name)
    return found


def _deep_aside(
    words: Sequence[str], mappings: Sequence[str]
) -> tuple[list[str], dict[str, list[tuple[str, Any]]]]:
    """Take out options two or more keys deep in a mapping, which a parser would let replace each other.

    Returns:
        The other words, and per mapping the dotted keys and their values.
    """
    from jsonargparse import get_loader

    rest: list[str] = []
    deep: dict[str, list[tuple[str, Any]]] = {}
    following = iter(words)
    for word in following:
        name, equals, value = word.partition("=")
        mapping = next((known for known in mappings if name.startswith(f"--{known}.")), None)
        keys = name[len(mapping) + 3 :] if mapping else ""
        if name == "--config":
            file = value if equals else next(following, "")
            whole = "\n" in file or file.startswith("{")  # settings, and not the name of a file
            settings = get_loader("yaml")(file) if whole else _read(file)
            for known, options in deep.items():  # a later file wins where it says something
                options[:] = [o for o in options if not _says(settings, f"{known}.{o[0]}".split("."))]
            rest += ["--config", file]
            continue
        if mapping is None or "." not in keys or not all(keys.split(".")):
            for known, options in deep.items():  # what comes later replaces all that is below it
                options[:] = [o for o in options if not f"--{known}.{o[0]}.".startswith(f"{name}.")]
            rest.append(word)
            continue
        if not equals:
            value = next(following, "--")
            if value.startswith("--"):
                raise ConfigError(f"argument {name}: expected one argument")
        try:
            read = get_loader("yaml")(value) if value else value
        except yaml.YAMLError:
            read = value  # plain text, as one key deep
        deep.setdefault(mapping, []).append((keys, read))
    return rest, deep


def _says(settings: Any, keys: Sequence[str]) -> bool:
    """Whether settings hold a value under these keys, or one in their way."""
    for key in keys:
        if not isinstance(settings, Mapping):
            return settings is not None
        if key not in settings:
            return False
        settings = settings[key]
    return True


def _with_deep(parser: Any, words: Sequence[str], deep: Mapping[str, Sequence[tuple[str, Any]]]) -> list[str]:
    """Write the mappings in which there are deep options as one option each, with all that they hold."""
    if not deep:
        return list(words)
    base = parser.parse_args([word for word in words if not word.startswith("--print_config")])
    whole = list(words)
    for mapping, options in deep.items():
        value: Mapping[str, Any] = base.get(mapping) or {}
        for keys, inner in options:
            for key in reversed(keys.split(".")):
                inner = {key: inner}
            value = merged(value, inner)
        whole.append(f"--{mapping}={json.dumps(value)}")
    return whole


def _read(file: str) -> Mapping[str, Any]:
    from jsonargparse import get_loader

    if not Path(file).is_file():
        raise ConfigError(f"there is no config file {file!r}")
    try:
        settings = get_loader("yaml")(Path(file).read_text()) or {}  # it reads 1e-5 as a number
    except yaml.YAMLError as error:
        raise ConfigError(f"{file} is no YAML: {' '.join(str(error).split())}") from error
    if not isinstance(settings, Mapping):
        raise ConfigError(f"{file} holds no settings: it is no mapping")
    return settings


def _gathered(words: Sequence[str], repeated: Sequence[str]) -> list[str]:
    """Write `--data A --data B` as `--data ["A", "B"]`."""
    rest: list[str] = []
    found: dict[str, list[str]] = {}
    following = iter(words)
    for word in following:
        name, equals, value = word.partition("=")
        if not name.startswith("--") or name[2:] not in repeated:
            rest.append(word)
            continue
        if not equals:
            value = next(following, "")
        if value.startswith("["):
            rest += [name, value]
        else:
            found.setdefault(name, []).append(value)
    for name, values in found.items():
        rest += [name, json.dumps(values)]
    return rest

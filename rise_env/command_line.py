"""From a frozen dataclass to a command line: `--config FILE`, `--field value`, `--nested.field value`.

Dashes and underscores in option names are the same. `--print_config` shows the resolved settings.
"""

import json
from collections.abc import Sequence
from typing import TypeVar

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
    try:
        found = parser.parse_args(_gathered([_plain(word) for word in arguments], repeated))
        values = parser.instantiate(found)
        return config(**{name: values[name] for name in config.__dataclass_fields__})  # type: ignore[attr-defined]
    except RiseError:
        raise
    except Exception as error:  # jsonargparse lets through what its types raise
        raise ConfigError(" ".join(str(error).split())) from error


def _plain(word: str) -> str:
    """Write an option's name with underscores."""
    if not word.startswith("--"):
        return word
    name, equals, value = word.partition("=")
    return "--" + name[2:].replace("-", "_") + equals + value


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

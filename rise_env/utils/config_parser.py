"""Command lines for frozen dataclasses of settings.

    --config FILE        settings from a YAML file; may be given several times
    --field VALUE        a setting; dashes and underscores in its name are the same
    --nested.field V     a setting of a nested dataclass
    --mapping.a.b V      an entry of a free mapping, at any depth
    --field              of a field that is true or false: the same as --field true
    --list A --list B    the items of a list; also '[A, B]', and A,B where the items are not free texts
    --print-config       prints the resolved settings as YAML and exits

Arguments apply in the order in which they are given: the later one wins. A file changes the settings that it
names, and mappings are merged key by key; a mapping that is given as one value replaces the former one.

A value is read as the type of its field says, so a string stays what was typed. In free mappings the type is
unknown: numbers, true, false, null, and anything in brackets or quotes are read as YAML, and everything else
is a string.
"""

import argparse
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, fields
from functools import cache
from typing import Any, Literal, NoReturn, TypeVar, get_args, get_origin

import msgspec
import yaml

from rise_env.errors import ConfigError
from rise_env.utils import settings as st
from rise_env.utils.suggestions import did_you_mean

Config = TypeVar("Config")
Given = list[tuple[str, Any]]
"""The arguments in order: ("config", the settings in a file) or (dotted name of a setting, its value)."""

_NULL = frozenset({"null", "none", "None", "~"})


def parse(config: type[Config], argv: Sequence[str], *, prog: str, positional: str | None = None) -> Config:
    """Return the settings that a command line and its config files give.

    Args:
        config: A frozen dataclass. Its docstring and the docstrings of its fields become the help text.
        argv: The arguments after the command.
        prog: The command, for the help text.
        positional: The field that an argument without an option name sets; a list takes several arguments.

    Raises:
        ConfigError: An argument is unknown, missing, of the wrong type or out of range.
        SystemExit: The help or the resolved settings were asked for, and have been printed.
    """
    words = [_underscored(word) for word in argv]
    given: Given = []
    known, unknown = _make_parser(config, prog, positional, words, given).parse_known_args(words)
    if unknown:
        raise ConfigError(_unknown_word(unknown[0], config))
    settings = st.defaults(config)
    for name, value in given:
        if name == "config":
            settings = st.merged(settings, value)
        else:
            settings = _assigned(settings, name.split("."), value)
    if known.print_config:
        print(yaml.safe_dump(st.plain(settings), sort_keys=False), end="")
        raise SystemExit(0)
    return st.build(config, settings)


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise ConfigError(message)


class _Items(list[Any]):
    """Items of a list; those given by one option are added to those given before."""


def _make_parser(
    config: type, prog: str, positional: str | None, words: Sequence[str], given: Given
) -> argparse.ArgumentParser:
    """Return a parser whose options append to `given`."""
    several = positional is not None and get_origin(st.field_types(config)[positional]) is tuple
    shown = f"[{positional.upper()}{' ...' if several else ''}] " if positional else ""
    parser = _Parser(
        prog=prog,
        usage=f"{prog} {shown}[--config FILE] [--SETTING VALUE ...]",
        description=(config.__doc__ or "").strip(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument(
        "--config",
        action=_Record,
        given=given,
        read=_file_reader(config),
        metavar="FILE",
        help="YAML file of settings",
    )
    parser.add_argument("--print_config", action="store_true", help="print the resolved settings and exit")
    mappings = _add_options(parser, config, given)
    if positional:
        kind = st.field_types(config)[positional]
        parser.add_argument(
            positional,
            nargs="*" if several else "?",
            action=_Record,
            given=given,
            read=_reader(kind),
            kind=kind,
            metavar=positional.upper(),
            help=f"the same as --{positional}",
        )
    for option in dict.fromkeys(word.partition("=")[0] for word in words):
        if option.startswith(tuple(f"--{mapping}." for mapping in mappings)) and all(option[2:].split(".")):
            parser.add_argument(option, action=_Record, given=given, read=_untyped, help=argparse.SUPPRESS)
    return parser


class _Record(argparse.Action):
    """Records an option and its value, in the order of the command line.

    Args:
        given: The list to which (dotted name of the setting, value) is appended.
        read: Converts the text that was typed to a plain value.
        kind: The type of the value.
    """

    def __init__(
        self, *args: Any, given: Given, read: Callable[[str], Any], kind: Any = str, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self._given = given
        self._read = read
        self._kind = kind

    def __call__(self, parser: Any, namespace: Any, values: Any, option_string: str | None = None) -> None:
        """Record one argument. argparse also calls this for a positional argument that is left out."""
        if option_string is None and not values:
            return
        for text in values if isinstance(values, list) else [values]:
            value = self._value(text) if isinstance(text, str) else text
            if isinstance(value, _Items):
                before = next((old for name, old in reversed(self._given) if name == self.dest), None) or []
                value = _Items([*before, *value])
            self._given.append((self.dest, value))

    def _value(self, text: str) -> Any:
        try:
            return self._read(text)
        except msgspec.ValidationError as error:
            why = st.reason(error, self._kind, text)
            raise ConfigError(f"{self.dest} is {text!r}: {why}") from None


def _add_options(
    parser: argparse.ArgumentParser,
    config: type,
    given: Given,
    group: argparse._ActionsContainer | None = None,
    prefix: str = "",
) -> list[str]:
    """Add an option per field and a group per nested dataclass.

    Args:
        parser: The parser to which new groups are added.
        config: The dataclass.
        given: The list to which the options append the arguments.
        group: The group to which the options are added; None is the parser itself.
        prefix: Put before the names of the fields.

    Returns:
        The dotted names of the free mappings, whose entries are options too.
    """
    group = parser if group is None else group
    helps, kinds = field_docstrings(config), st.field_types(config)
    mappings: list[str] = []
    for field in fields(config):
        name, kind = prefix + field.name, kinds[field.name]
        nested = st.nested_dataclass(kind)
        if nested is not None:
            title = f"--{name}" + (" (may be null)" if type(None) in get_args(kind) else "")
            text = helps.get(field.name) or " ".join((nested.__doc__ or "").split())
            inner = parser.add_argument_group(title, text)
            inner.add_argument(
                f"--{name}",
                action=_Record,
                given=given,
                read=_reader(kind),
                metavar="MAPPING",
                help="all settings of this group as one YAML mapping",
            )
            mappings += _add_options(parser, nested, given, inner, f"{name}.")
            continue
        if st.is_mapping(kind):
            mappings.append(name)
        switch: dict[str, Any] = {"nargs": "?", "const": True} if kind is bool else {}
        default = st.default_of(field)
        shown = "required" if default is MISSING else f"default: {st.yaml_text(default)}"
        group.add_argument(
            f"--{name}",
            action=_Record,
            given=given,
            read=_reader(kind),
            kind=kind,
            metavar=shown_type(kind),
            help=f"{helps.get(field.name, '')} ({shown})".strip().replace("%", "%%"),
            **switch,
        )
    return mappings


def _reader(kind: Any) -> Callable[[str], Any]:
    """Return a function that converts the text of a value to a plain value of the given type.

    It raises msgspec.ValidationError if the text is not such a value. A mapping for a nested dataclass may be
    incomplete; it is checked when all settings are known.
    """
    options = st.alternatives(kind)
    item = next((get_args(option)[0] for option in options if get_origin(option) is tuple), None)
    is_structure = st.nested_dataclass(kind) is not None or any(st.is_mapping(option) for option in options)

    def read(text: str) -> Any:
        if type(None) in options and text in _NULL:
            return None
        if is_structure:
            return _yaml(text)
        if item is None:
            return msgspec.convert(text, kind, strict=False)
        if text.startswith("["):
            items = _yaml(text)
        elif text.startswith("{") and any(st.is_mapping(option) for option in st.alternatives(item)):
            items = [_yaml(text)]
        else:
            items = [text] if str in st.alternatives(item) else text.replace(",", " ").split()
        return _Items(msgspec.convert(items, list[item], strict=False))  # type: ignore[valid-type]

    return read


def _untyped(text: str) -> Any:
    """Return the value of a text in a free mapping; "{question}" is a template and not a mapping."""
    if re.fullmatch(r"\{\w+\}", text):
        return text
    try:
        value = st.yaml_value(text)
    except yaml.YAMLError:
        return text
    is_yaml = text.startswith(("[", "{", '"', "'"))
    return value if is_yaml or (text and isinstance(value, (bool, int, float, type(None)))) else text


def _yaml(text: str) -> Any:
    try:
        return st.yaml_value(text)
    except yaml.YAMLError as error:
        raise ConfigError(f"{text!r} is not YAML: {' '.join(str(error).split())}") from error


def _file_reader(config: type) -> Any:
    def read(path: str) -> dict[str, Any]:
        settings = st.read_settings(path)
        try:
            st.check_names(config, settings)
        except ConfigError as error:
            raise ConfigError(f"{path}: {error}") from None
        return settings

    return read


def _assigned(settings: Mapping[str, Any], keys: Sequence[str], value: Any) -> dict[str, Any]:
    """Return `settings` with a value at the end of a path of keys.

    Values on the path that are not mappings are replaced by mappings.
    """
    result = dict(settings)
    if len(keys) > 1:
        inner = result.get(keys[0])
        value = _assigned(inner if isinstance(inner, Mapping) else {}, keys[1:], value)
    result[keys[0]] = value
    return result


def _underscored(word: str) -> str:
    """Write the name of an option with underscores; its value stays as it is."""
    if not word.startswith("--"):
        return word
    name, equals, value = word.partition("=")
    return "--" + name[2:].replace("-", "_") + equals + value


def _unknown_word(word: str, config: type) -> str:
    if not word.startswith("--"):
        return f"{word!r} is one argument too many: settings are given as --NAME VALUE"
    name = word.partition("=")[0][2:]
    return f"no option --{name}; {did_you_mean(name, st.setting_names(config))}"


@cache
def field_docstrings(config: type) -> dict[str, str]:
    """Return the docstrings below the fields of a dataclass, by the names of the fields."""
    import docstring_parser

    found = docstring_parser.parse_from_object(config).params
    return {param.arg_name: " ".join((param.description or "").split()) for param in found}


def shown_type(kind: Any) -> str:
    """Return how the help shows the values that a type takes."""
    if get_origin(kind) is Literal:
        return "{" + ",".join(map(str, get_args(kind))) + "}"
    if get_origin(kind) is tuple:
        return f"{shown_type(get_args(kind)[0])},..."
    if st.is_mapping(kind):
        return "MAPPING"
    options = [option for option in st.alternatives(kind) if option is not type(None)]
    if options != [kind]:
        return "|".join(shown_type(option) for option in options)
    return {str: "TEXT", bool: "{true,false}"}.get(kind, getattr(kind, "__name__", str(kind)).upper())

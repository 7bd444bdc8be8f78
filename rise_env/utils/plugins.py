"""Entry points: the commands, agents, collecting engines and checkers of all installed packages.

A package adds a command, an agent, a collecting engine or a checker by an entry point in its own metadata:

    [project.entry-points."rise.agents"]
    mine = "my_package.my_module:MyAgent"
"""

from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from rise_env.errors import ConfigError
from rise_env.utils.suggestions import did_you_mean

COMMANDS = "rise.commands"
"""Commands of `rise`: functions that take the arguments after the command's name and return an exit code."""
AGENTS = "rise.agents"
"""Agents by name: classes or functions that return an `Agent`; see `rise_agents.load_agent`."""
ENGINES = "rise.engines"
"""Engines that collect with several workers, by name; see `rise_agents.engines.engine_table`."""
CHECKERS = "rise.checkers"
"""Checkers that take a text, by name: functions from the text after the colon in `checker=NAME:TEXT`."""


@cache
def plugins(group: str) -> dict[str, EntryPoint]:
    """Return name -> entry point of a group: first those of RISE, then those of other packages, each by name.

    If another package uses a name of RISE, the entry point of RISE is returned.
    """
    found = sorted(entry_points(group=group), key=lambda entry: (not _is_ours(entry), entry.name))
    return {entry.name: entry for entry in found if _is_ours(entry) or entry.name not in _our_names(group)}


def find_plugin(group: str, name: str, what: str) -> EntryPoint:
    """Return the entry point with a name.

    Args:
        group: The group of entry points, for example `AGENTS`.
        name: The name of the entry point.
        what: What the group holds, for the message, for example "agent".

    Raises:
        ConfigError: There is no such entry point. The message suggests a similar name or lists the names.
    """
    known = plugins(group)
    if name not in known:
        raise ConfigError(f"no {what} {name!r}; {did_you_mean(name, sorted(known))}")
    return known[name]


def _is_ours(entry: EntryPoint) -> bool:
    return entry.module.partition(".")[0] in ("rise_env", "rise_agents", "rise_trainers", "rise_benchmarks")


def _our_names(group: str) -> set[str]:
    return {entry.name for entry in entry_points(group=group) if _is_ours(entry)}


def load(entry: EntryPoint) -> Any:
    """Import what an entry point names."""
    return entry.load()

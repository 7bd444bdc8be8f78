"""The file of a memory: JSON lines of events, from which its state is computed.

    {"kind": "memory", "schema": 1, "env": "...", "settings": {...}}     the first line
    {"problem": id, "used": [numbers], "success": true, "new": [[text, about]]}       and "compressed": true
    {"end": 0, "clock": 32}                                              a generation is complete

The state is that after the last complete generation; events after it, which a kill leaves, do not count.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rise_agents.learning.json_lines import read_lines
from rise_agents.memory.items import Memory, remember, tick, use
from rise_agents.memory.settings import MemorySettings
from rise_env.errors import ConfigError, DataNotFoundError, StoreError
from rise_env.utils.settings import build, plain

SCHEMA = 1
"""Version of the file format."""


def head(env: str, settings: MemorySettings) -> dict[str, Any]:
    """Return the first line of a file."""
    return {"kind": "memory", "schema": SCHEMA, "env": env, "settings": plain(settings)}


def event(
    problem: str,
    used: Sequence[int],
    *,
    success: bool,
    new: Sequence[tuple[str, str]] = (),
    compressed: bool = False,
) -> dict[str, Any]:
    """Return the event of one episode.

    Args:
        problem: Id of the problem.
        used: Numbers of the items that were recalled.
        success: Whether the episode succeeded.
        new: (text, about) of what is remembered of it.
        compressed: Whether these texts were shortened.
    """
    found = {"problem": problem, "used": list(used), "success": success, "new": [list(pair) for pair in new]}
    return {**found, "compressed": True} if compressed else found


def end(generation: int, clock: int) -> dict[str, Any]:
    """Return the event that ends a generation."""
    return {"end": generation, "clock": clock}


def after(memory: Memory, events: Sequence[Mapping[str, Any]]) -> Memory:
    """Return the memory after some events."""
    for one in events:
        if "end" in one:
            continue
        memory = use(memory, one["used"], success=one["success"])
        for text, about in one["new"]:
            memory = remember(memory, text, about, compressed=one.get("compressed", False))
        memory = tick(memory)
    return memory


def complete(lines: Sequence[Mapping[str, Any]]) -> int:
    """Return the number of lines up to the last complete generation, the first line included."""
    ends = [place for place, line in enumerate(lines) if "end" in line]
    return ends[-1] + 1 if ends else min(1, len(lines))


def read_memory(path: str | Path) -> tuple[Memory, str]:
    """Return the memory in a file, and the environment whose problems it was made from.

    Raises:
        DataNotFoundError: There is no such file.
        ConfigError: It is not the file of a memory, or of another version.
        StoreError: A line is damaged.
    """
    if not Path(path).is_file():
        raise DataNotFoundError(f"there is no memory {str(path)!r}: rise learn --method memory makes one")
    lines = read_lines(Path(path))
    if not lines or lines[0].get("kind") != "memory" or lines[0].get("schema") != SCHEMA:
        raise ConfigError(f"{path} is not a memory of schema {SCHEMA}: its first line does not say so")
    settings = build(MemorySettings, lines[0]["settings"])
    try:
        return after(Memory(settings), lines[1 : complete(lines)]), str(lines[0].get("env", ""))
    except (KeyError, TypeError, ValueError) as error:
        raise StoreError(f"{path} is damaged: {error!r}") from error

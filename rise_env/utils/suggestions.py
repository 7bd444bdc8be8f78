"""Suggestions for misspelt names, choices with such suggestions, and the natural order of names."""

import difflib
import re
from collections.abc import Collection, Iterable

from rise_env.errors import ConfigError


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return "did you mean ...?", or the list of known names if none is similar."""
    names = list(known)
    by_lower = {known_name.lower(): known_name for known_name in names}
    near = difflib.get_close_matches(name.lower(), by_lower, n=1, cutoff=0.6)
    return f"did you mean {by_lower[near[0]]!r}?" if near else f"there are: {', '.join(names)}"


def validate_choice(name: str, known: Collection[str], what: str) -> str:
    """Return `name` if it is one of `known`.

    Raises:
        ConfigError: It is not; the message has a suggestion or lists the known names.
    """
    if name not in known:
        raise ConfigError(f"no {what} {name!r}; {did_you_mean(str(name), known)}")
    return name


def natural_sort_key(name: str) -> list[tuple[int, str]]:
    """Return a sort key by which numbers in names are ordered as numbers.

    >>> sorted(["iteration-10", "iteration-9"], key=natural_sort_key)
    ['iteration-9', 'iteration-10']
    """
    parts = re.split(r"([0-9]+)", name)
    return [(int(part), "") if i % 2 else (-1, part) for i, part in enumerate(parts)]

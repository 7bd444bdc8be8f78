"""Filters: which rows of a data set are wanted. Values are compared; nothing is evaluated."""

import math
from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from typing import Any

from rise_env.errors import ConfigError
from rise_env.problems.reading.columns import get, has
from rise_env.problems.reading.row_set import Row
from rise_env.problems.reading.values import plain, shown
from rise_env.utils.suggestions import did_you_mean

Where = Mapping[str, Any]
"""Column -> wanted value, list of wanted values, or {"min": ..., "max": ...} (both included)."""

_BOUNDS = {"min", "max"}
_SHOWN_VALUES = 8
"""Maximal number of values of a column that an error message names."""


def check_where(where: Any) -> dict[str, Any]:
    """Return a filter as a flat dict of conditions; entries of nested mappings get names with dots.

    >>> check_where({"reward_model": {"style": "rule"}, "level": {"min": 3}})
    {'reward_model.style': 'rule', 'level': {'min': 3}}

    Raises:
        ConfigError: It is not a mapping, or a condition is malformed; the message has the column and value.
    """
    if not isinstance(where, Mapping):
        raise ConfigError(f'where is a mapping from columns to values, such as {{"level": 5}}, got {where!r}')
    return dict(_conditions(plain(where), ""))


def _conditions(where: Mapping[str, Any], prefix: str) -> Iterable[tuple[str, Any]]:
    for column, wanted in where.items():
        name = prefix + column
        if isinstance(wanted, Mapping) and wanted and not wanted.keys() & _BOUNDS:
            yield from _conditions(wanted, f"{name}.")
            continue
        if isinstance(wanted, Mapping):
            _check_range(name, wanted)
        elif isinstance(wanted, list):
            if not wanted or any(isinstance(value, list | Mapping) for value in wanted):
                raise ConfigError(
                    f"where.{name} is {wanted!r}: a list holds the values of which one is wanted"
                )
        elif wanted is None:
            raise ConfigError(f"where.{name} is None: give a value, a list or a range")
        yield name, wanted


def _check_range(name: str, wanted: Mapping[str, Any]) -> None:
    bounds = {key: _number(value) for key, value in wanted.items()}
    if not bounds or bounds.keys() - _BOUNDS or None in bounds.values():
        raise ConfigError(f"where.{name} is {dict(wanted)!r}: a range has the numbers min, max or both")
    low, high = bounds.get("min"), bounds.get("max")
    if low is not None and high is not None and low > high:
        raise ConfigError(f"where.{name} is {dict(wanted)!r}: min is above max")


def select(rows: Sequence[Row], conditions: Mapping[str, Any], what: str) -> list[int]:
    """Return the indices of the rows that meet all conditions.

    Args:
        rows: All rows.
        conditions: As `check_where` returns them.
        what: The origin of the rows, for error messages.

    Raises:
        ConfigError: No row has a column of the filter, or no row is left; the message has the known values.
    """
    kept = list(range(len(rows)))
    for column, wanted in conditions.items():
        if rows and not any(has(row, column) for row in rows):
            raise ConfigError(f"where: no column {column!r} in {what}; {did_you_mean(column, rows[0])}")
        left = [index for index in kept if meets(get(rows[index], column), wanted)]
        if kept and not left:
            there = list(dict.fromkeys(shown(plain(get(rows[index], column))) for index in kept))
            more = ", ..." if len(there) > _SHOWN_VALUES else ""
            raise ConfigError(
                f"where: no row of {what} is left with {column} = {wanted!r}; "
                f"its values are: {', '.join(there[:_SHOWN_VALUES])}{more}"
            )
        kept = left
    return kept


def meets(value: Any, wanted: Any) -> bool:
    """Return whether a value meets a condition. Of a list of values, one must.

    Numbers in texts count as numbers, so that columns of CSV files and pass rates such as "3/8" can be
    compared.

    >>> meets("5", 5), meets(["Algebra", "Geometry"], "Algebra"), meets("3/8", {"min": 0.25, "max": 0.5})
    (True, True, True)
    """
    value = plain(value)
    if isinstance(value, list):
        return any(meets(entry, wanted) for entry in value)
    if isinstance(wanted, Mapping):
        number = _number(value)
        low, high = _number(wanted.get("min")), _number(wanted.get("max"))
        return number is not None and (low is None or number >= low) and (high is None or number <= high)
    if isinstance(wanted, list):
        return any(meets(value, entry) for entry in wanted)
    if isinstance(value, bool) or isinstance(wanted, bool):
        return isinstance(wanted, bool) and str(value).lower() == str(wanted).lower()
    if isinstance(value, str) and isinstance(wanted, str):
        return value == wanted
    number = _number(value)
    return number is not None and number == _number(wanted)


def _number(value: Any) -> Fraction | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    if isinstance(value, float) and not math.isfinite(value):
        return None
    try:
        return Fraction(value)
    except (ValueError, ZeroDivisionError):  # a text that is no number, or n/0
        return None

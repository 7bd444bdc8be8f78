"""Checks the arrays that metrics are given, so that a wrong shape raises an error instead of broadcasting."""

from typing import Any, Literal

import numpy as np

from rise_env.errors import ConfigError

Kind = Literal["float", "integer", "bool", "number"]
_CODES: dict[Kind, str] = {"float": "f", "integer": "iu", "bool": "b", "number": "fiub"}
"""Kind of a dtype -> NumPy's codes for it."""


def check_array(name: str, value: Any, kind: Kind, *axes: str) -> None:
    """Check the dtype and the number of axes of an array.

    Args:
        name: Name of the argument, for the message.
        value: The value of the argument.
        kind: The kind of dtype that it must have; "number" is any real number or bool.
        axes: Names of the axes that it must have; "..." at the beginning stands for any number of axes.

    Raises:
        ConfigError: The value is not a NumPy array, or has another dtype or number of axes.
    """
    if isinstance(value, np.ndarray):
        enough = value.ndim >= len(axes) - 1 if axes[0] == "..." else value.ndim == len(axes)
        if enough and value.dtype.kind in _CODES[kind]:
            return
        found = f"shape {value.shape} and dtype {value.dtype}"
    else:
        found = f"a {type(value).__name__}"
    raise ConfigError(
        f"{name} must be a NumPy array of shape [{', '.join(axes)}] and {kind} dtype, got {found}"
    )


def check_range(name: str, value: float) -> None:
    """Check that a number lies between 0 and 1.

    Raises:
        ConfigError: The number is outside this range.
    """
    if not 0 <= value <= 1:
        raise ConfigError(f"{name} must be between 0 and 1, got {value}")

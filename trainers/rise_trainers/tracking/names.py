"""The names of metrics in W&B and TensorBoard.

W&B asks for names of letters, digits and underscores that do not start with a digit (docs.wandb.ai, "Metric
naming constraints"): other names cannot be sorted, filtered or used in custom charts. A slash separates the
section from the name. metrics.jsonl has the names of the report instead: "eval/m1@t5 - m5@t1" there is
"eval/m1_t5_minus_m5_t1" here.
"""

import re
from collections.abc import Mapping
from typing import Any

NAME = re.compile(r"[_a-zA-Z][_a-zA-Z0-9]*")
"""What W&B accepts between two slashes."""
_NUMBER = re.compile(r"(-?)(\d+)(?:\.(\d+))?")


def valid_name(key: str) -> str:
    """Return the name of a metric of metrics.jsonl, in which W&B accepts every part."""
    return "/".join(_valid_part(part) for part in key.split("/"))


def scalars(line: Mapping[str, Any]) -> dict[str, float]:
    """Return the numbers of a line of metrics.jsonl by their names.

    A number in a mapping has the name of its key, "verdicts/wrong" or "weight_share/reward_minus_1". A number
    in a list has that of its turn, "replies_by_turn/t1", or of its number of draws, "pass_at_k/k1".
    """
    return {valid_name(key): value for key, value in _flat(line).items()}


def _flat(line: Mapping[str, Any]) -> dict[str, float]:
    found: dict[str, float] = {}
    for key, value in line.items():
        if isinstance(value, Mapping):
            found |= _flat({f"{key}/{_of_reward(name)}": part for name, part in value.items()})
        elif isinstance(value, list):
            letter = "k" if key.endswith("_at_k") else "t"
            found |= _flat({f"{key}/{letter}{number}": part for number, part in enumerate(value, start=1)})
        elif isinstance(value, int | float):
            found[key] = value
    return found


def _of_reward(name: str) -> str:
    """Return "reward_minus_1" for "-1.0" and "reward_0_5" for "0.5"; other names are returned as they are."""
    match = _NUMBER.fullmatch(name)
    if match is None:
        return name
    sign, whole, decimals = match.groups()
    fraction = f"_{decimals}" if decimals and int(decimals) else ""
    return f"reward_{'minus_' if sign else ''}{whole}{fraction}"


def _valid_part(part: str) -> str:
    part = re.sub(r"\W+", "_", part.replace(" - ", "_minus_"), flags=re.ASCII)
    return part if NAME.fullmatch(part) else f"_{part}"

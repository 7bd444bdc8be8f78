"""What counts as the same answer where reasonable people differ."""

from dataclasses import dataclass
from typing import Literal

from rise_env.errors import ConfigError


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """How to find and compare answers. The defaults accept the same mathematical object, spelled anyhow."""

    extraction: Literal["boxed", "stated", "last"] = "stated"
    """Where an answer may stand: in a box only; also behind words such as "the answer is" or `####`; or,
    where neither is there, also the last formula or number of the reply. "last" pays for repeating the
    question, so it is for scoring old transcripts, not for training."""
    digits: int | None = None
    """Decimals to which numbers are rounded before they are compared; None compares exactly."""
    list_order: bool = False
    """Whether `1, 2` and `2, 1`, or two spellings of a set, differ."""
    tuple_order: bool = True
    """Whether `(1, 2)` and `(2, 1)` differ."""
    percent: Literal["either", "value"] = "either"
    """`25%` always equals 0.25; "either" lets it equal a bare 25 as well."""
    units: Literal["optional", "ignored", "required"] = "optional"
    """Units, currencies and degree signs: may be left out but not changed; do not matter; must be there."""
    equation_as_value: bool = True
    """Whether `x = 5` and `5` are the same answer."""

    def __post_init__(self) -> None:
        choices = {"extraction": ("boxed", "stated", "last"), "percent": ("either", "value"),
                   "units": ("optional", "ignored", "required")}  # fmt: skip
        for name, allowed in choices.items():
            if getattr(self, name) not in allowed:
                raise ConfigError(f"{name} must be one of {', '.join(allowed)}, got {getattr(self, name)!r}")
        if self.digits is not None and not 0 <= self.digits <= 100:
            raise ConfigError(f"digits must be between 0 and 100, or None for exact, got {self.digits}")


DEFAULT = Policy()

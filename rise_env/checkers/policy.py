"""The rules on which graders differ: where an answer may stand, and which answers count as the same."""

from dataclasses import dataclass
from typing import Literal

from rise_env.errors import ConfigError


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """How to find and compare answers. The defaults accept every spelling of the same object."""

    extraction: Literal["boxed", "stated", "last"] = "stated"
    r"""Where an answer may stand. "boxed": only in `\boxed{}`. "stated": also after a marker such as "the
    answer is" or `####`. "last": if there is neither, the last formula or number of the reply; this rewards
    replies that only repeat the question, so use it to score old transcripts, and not for training."""
    digits: int | None = None
    """Decimal places to which numbers are rounded before they are compared; None compares them exactly."""
    list_order: bool = False
    """Whether order matters in lists and sets: whether `1, 2` and `2, 1` differ."""
    tuple_order: bool = True
    """Whether order matters in tuples: whether `(1, 2)` and `(2, 1)` differ."""
    percent: Literal["either", "value"] = "either"
    """What `25%` equals. "value": 0.25. "either": 0.25, and also 25 without a sign."""
    units: Literal["optional", "ignored", "required"] = "optional"
    """How units, currencies and degree signs count. "optional": they may be missing on one side, but if both
    sides have one, they must agree. "ignored": they do not matter. "required": both sides must have them."""
    equation_as_value: bool = True
    """Whether `x = 5` and `5` are the same answer."""

    def __post_init__(self) -> None:
        choices = {"extraction": ("boxed", "stated", "last"), "percent": ("either", "value"),
                   "units": ("optional", "ignored", "required")}  # fmt: skip
        for name, allowed in choices.items():
            if getattr(self, name) not in allowed:
                raise ConfigError(f"{name} must be one of {', '.join(allowed)}, got {getattr(self, name)!r}")
        if self.digits is not None and not 0 <= self.digits <= 100:
            raise ConfigError(
                f"digits must be between 0 and 100, or None to compare exactly, got {self.digits}"
            )


DEFAULT = Policy()

"""One way to train in a suite of `rise bench`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

UNMEASURED = {"problems": {"test": 0}}
"""Setting of the runs that train: the suite or the recipe measures their models, all on the same problems."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """One way to train: settings of `RunConfig` that replace those of the recipe that all variants share."""

    settings: Mapping[str, Any] = field(default_factory=dict)
    rows: Mapping[str, str] = field(default_factory=dict)
    """Label in its run -> name of the row in the suite's table. Other labels are left out."""
    rollouts_of: str | None = None
    """An earlier variant whose first iteration plays the same episodes, which are copied from its run."""
    what: str = ""
    """How the variant differs from the others, in words."""

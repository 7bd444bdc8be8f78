"""Optional libraries: which extra of setup.cfg installs them, and the error if one is missing."""

import re
from functools import cache
from importlib.metadata import PackageNotFoundError, requires

from rise_env.errors import MissingDependencyError

DISTRIBUTION = "rise-env"
"""The name under which this package is installed."""


def missing_library(name: str, why: str = "") -> MissingDependencyError:
    """Return the error to raise if a library is not installed; it says how to install the library.

    Args:
        name: Import name of the library, or of a module of it, such as "vllm" or "vllm.sampling_params".
        why: What needs it, such as "lora.bits"; left out of the message if empty.
    """
    library = name.partition(".")[0]
    extra = _extras().get(_normal(library))
    remedy = (
        install_hint(extra)
        if extra
        else f"pip install {library}, or the package that has the module {library}"
    )
    need = f"{why} needs {library}, which is not installed" if why else f"{library} is not installed"
    return MissingDependencyError(f"{need}: {remedy}")


def install_hint(extra: str) -> str:
    """Return how to install the libraries of an extra. No package index has this package yet."""
    return f"pip install '.[{extra}]' in the clone of the repository"


@cache
def _extras() -> dict[str, str]:
    """Return library -> the extra that installs it, from the metadata that setup.cfg was installed with."""
    try:
        requirements = requires(DISTRIBUTION) or []
    except PackageNotFoundError:  # the source tree is on the path, but was never installed
        return {}
    found = [
        re.match(r"([\w.-]+)[^;[]*;.*\bextra == [\"']([\w-]+)[\"']", requirement)
        for requirement in requirements
    ]
    return {_normal(match[1]): match[2] for match in reversed(found) if match}


def _normal(library: str) -> str:
    """Return a package name as the name of its module: "math-verify" is imported as `math_verify`."""
    return library.lower().replace("-", "_").replace(".", "_")

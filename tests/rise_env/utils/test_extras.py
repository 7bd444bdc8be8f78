"""The messages about libraries that are not installed."""

import configparser
import re

import pytest

from rise_env.utils.extras import install_hint, missing_library
from tests.source_tree import ROOT


def libraries() -> dict[str, str]:
    """Return library -> the first extra of setup.cfg that requires it, without the extra of the tests."""
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg")
    found: dict[str, str] = {}
    for extra, lines in config["options.extras_require"].items():
        for line in lines.split("\n"):
            if line and not line.startswith("rise-env[") and extra != "test":
                found.setdefault(re.split(r"[ <>=]", line)[0], extra)
    return found


@pytest.mark.parametrize(("library", "extra"), libraries().items())
def test_a_missing_library_names_the_extra_that_installs_it(library: str, extra: str) -> None:
    module = library.replace("-", "_")
    message = str(missing_library(f"{module}.part", "what you asked for"))
    assert message == (f"what you asked for needs {module}, which is not installed: {install_hint(extra)}")


def test_a_library_that_is_in_no_extra_is_named_as_a_module() -> None:
    assert str(missing_library("zebra_models.core")) == (
        "zebra_models is not installed: pip install zebra_models, or the package that has the module "
        "zebra_models"
    )

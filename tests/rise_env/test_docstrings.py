import doctest
import importlib
import pkgutil

import pytest

import rise_env


@pytest.mark.parametrize(
    "name",
    [
        module.name
        for module in pkgutil.walk_packages(rise_env.__path__, "rise_env.")
        if not module.name.startswith("rise_env.checkers")
    ],
)
def test_the_docstrings_of_a_module_are_true(name: str) -> None:
    assert doctest.testmod(importlib.import_module(name)).failed == 0

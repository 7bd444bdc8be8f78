"""The examples in the docstrings of the checkers are true."""

import doctest
import importlib
import pkgutil

import pytest

import rise_env.checkers

MODULES = [
    module.name
    for module in pkgutil.walk_packages(rise_env.checkers.__path__, "rise_env.checkers.")
    if not module.name.endswith(".worker")
]


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_in_docstrings_are_true(name: str) -> None:
    assert doctest.testmod(importlib.import_module(name)).failed == 0

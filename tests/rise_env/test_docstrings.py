import doctest
import importlib
import pkgutil

import pytest

import rise_env
from rise_env.errors import MissingDependencyError


@pytest.mark.parametrize(
    "name",
    [
        module.name
        for module in pkgutil.walk_packages(rise_env.__path__, "rise_env.")
        if not module.name.startswith("rise_env.checkers")
    ],
)
def test_the_docstrings_of_a_module_are_true(name: str) -> None:
    try:
        module = importlib.import_module(name)
    except MissingDependencyError as error:  # an adapter to a library that is not installed here
        pytest.skip(str(error))
    assert doctest.testmod(module).failed == 0

import pytest

from rise_env.checkers.sandbox.worker_pool import default_service


@pytest.fixture(scope="package", autouse=True)
def _loaded_service() -> None:
    """Load sympy before the tests, so that no check times out because of it."""
    default_service().warm_up()

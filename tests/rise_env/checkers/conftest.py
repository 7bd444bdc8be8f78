import pytest

from rise_env.checkers.sandbox.worker_pool import default_service


@pytest.fixture(scope="package", autouse=True)
def _loaded_service() -> None:
    """Load sympy once, so that a busy machine makes no check time out."""
    default_service().warm_up()

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def random_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a small random model."""
    from .tiny_models import save_random_model

    return save_random_model(tmp_path_factory.mktemp("models") / "random")

from collections.abc import Iterator
from pathlib import Path

import pytest

from rise_agents.client.backoff import Backoff
from tests.rise_agents.backends.faulty_server import FaultyServer, serving


@pytest.fixture(scope="session")
def random_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a small random model."""
    from tests.rise_agents.small_models import save_random_model

    return save_random_model(tmp_path_factory.mktemp("models") / "random")


@pytest.fixture
def short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shorten the waits between retries to a hundredth."""
    seconds = Backoff.seconds
    monkeypatch.setattr(Backoff, "seconds", lambda self, *given: seconds(self, *given) / 100)


@pytest.fixture
def healthy() -> Iterator[FaultyServer]:
    """A chat server without faults."""
    with serving(lambda text: []) as server:
        yield server

from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from rise_agents.cli.collect import run
from rise_agents.engines.engine_table import parse_workers
from rise_agents.rollouts.collect_config import CollectConfig
from rise_agents.rollouts.progress import Progress
from rise_env.errors import ConfigError
from rise_env.utils import plugins
from rise_env.utils.plugins import plugins as installed


def config(out: Path, workers: str) -> CollectConfig:
    return CollectConfig(
        env="RISE-Arithmetic-v0", agent="expert", out=str(out), turns=1, limit=3, workers=workers
    )


@pytest.mark.parametrize(
    ("workers", "message"),
    [
        pytest.param("ray", "workers must be ray:N with N at least 1, got 'ray'", id="no number"),
        pytest.param("ray:0", "workers must be ray:N", id="zero"),
        pytest.param("ray:x", "workers must be ray:N", id="not a number"),
        pytest.param("zebra:2", "no collecting engine 'zebra'; there are: .*local", id="unknown engine"),
        pytest.param(
            "local:2", "'local:2', but the engine 'local' has one worker.*ray:2", id="several local workers"
        ),
    ],
)
def test_malformed_workers_are_named_and_nothing_is_stored(
    tmp_path: Path, workers: str, message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        run(config(tmp_path / "out", workers), show=False)
    assert not (tmp_path / "out").exists()


def test_no_workers_is_one_worker_in_this_process(tmp_path: Path) -> None:
    assert parse_workers("") == parse_workers("local:1") == ("local", 1)
    assert run(config(tmp_path, ""), show=False).done == 3


def collect_nothing(config: CollectConfig, indices: range, on_progress: object, count: int) -> Progress:
    return Progress(done=count, total=len(indices))


def test_an_engine_is_one_entry_point(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    entry = EntryPoint("nothing", f"{__name__}:collect_nothing", plugins.ENGINES)
    monkeypatch.setattr(plugins, "plugins", lambda group: {"nothing": entry, **installed(group)})
    assert run(config(tmp_path, "nothing:7"), show=False) == Progress(done=7, total=3)

"""Wrong settings are refused before a model is loaded or a file is written."""

from pathlib import Path

import pytest

from rise_env.cli.main import main
from rise_env.utils.config_parser import parse
from rise_trainers.loop.config import RunConfig
from rise_trainers.loop.preflight import check_run
from tests.rise_trainers.loop.wrong_settings import CASES, make_files


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("files")
    make_files(folder)
    return folder


def all_paths(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*"))


def test_the_list_has_at_least_sixty_cases() -> None:
    assert len(CASES) >= 60


@pytest.mark.parametrize(("arguments", "message"), CASES, ids=[message for _, message in CASES])
def test_a_wrong_setting_of_a_run_is_refused_before_a_model_is_loaded_or_a_file_written(
    arguments: list[str],
    message: str,
    files: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    given = [word.replace("{tmp}", str(files)) for word in arguments]
    before = all_paths(files)
    # the weights of this model are damaged: a command that loads them fails with another message
    assert main(["run", "--agent.model", str(files / "model"), "--out", "run", *given]) == 2
    # transformers may warn before
    before_last, last = capsys.readouterr().err.rstrip("\n").rpartition("rise run: ")[::2]
    assert "rise run: " not in before_last
    assert message in last
    assert "\n" not in last
    assert all_paths(tmp_path) == []
    assert all_paths(files) == before


def test_the_checks_of_a_right_run_load_no_weights_and_write_nothing(files: Path, tmp_path: Path) -> None:
    options = ["--agent.model", str(files / "model"), "--out", str(tmp_path / "run")]
    assert check_run(parse(RunConfig, options, prog="rise run")) > 0
    assert all_paths(tmp_path) == []

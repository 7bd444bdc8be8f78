from pathlib import Path

import pytest

from rise_env.errors import ConfigError
from rise_env.trajectories.output_folder import check_output_folder, make_output_folder


def test_a_folder_that_can_be_made_is_not_made_by_the_check(tmp_path: Path) -> None:
    check_output_folder(tmp_path / "new" / "folder")
    check_output_folder(tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["file", "file/below/it"])
def test_a_file_in_the_place_of_a_folder_is_refused(name: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    with pytest.raises(ConfigError, match=r"output is .*file is no folder"):
        check_output_folder(tmp_path / name, setting="output")
    with pytest.raises(ConfigError, match="cannot be made"):
        make_output_folder(tmp_path / name)


def test_an_empty_name_is_refused() -> None:
    with pytest.raises(ConfigError, match="out is empty"):
        check_output_folder("")


def test_a_folder_is_made_with_those_around_it(tmp_path: Path) -> None:
    make_output_folder(tmp_path / "a" / "b")
    make_output_folder(tmp_path / "a" / "b")
    assert (tmp_path / "a" / "b").is_dir()

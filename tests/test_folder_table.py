"""The table of folders in CONTRIBUTING.md is true."""

from tests import folder_table


def test_the_table_has_the_folders_of_today_and_what_they_are_for() -> None:
    assert folder_table.written() == folder_table.table(), "run `make folder-table`"


def test_every_folder_says_what_it_is_for_in_one_sentence() -> None:
    assert not [folder for folder, text in folder_table.rows() if not text.endswith(".")]

"""The table of folders in CONTRIBUTING.md is true."""

import re

from tests import house


def test_the_table_of_folders_has_today_s_folders_files_and_purposes() -> None:
    without_lines = re.compile(
        r"(\| `[^|]*` \| \d+ \|) [\d,]* \|"
    )  # lines are rounded and may be out of date
    expected = without_lines.sub(r"\1", house.table())
    assert without_lines.sub(r"\1", house.written()) == expected, "run `make house`"


def test_every_folder_says_what_it_is_for_in_one_sentence() -> None:
    assert not [row.folder for row in house.rows() if not row.purpose.endswith(".")]

"""Fits train what was played, in every style of chat template; the table in docs/trainer.md says so."""

import functools

import pytest

from tests.rise_trainers import template_table
from tests.rise_trainers.chat_templates import FOLDER, STYLES
from tests.rise_trainers.template_table import Row

OTHER_SPACES = {"deepseek-v3.1, thinking"}
"""Styles whose template shows nowhere which spaces the model writes around thoughts, and it writes others."""


@functools.cache
def rows() -> dict[str, Row]:
    return {row.style: row for row in template_table.rows()}


@pytest.mark.parametrize("style", STYLES)
def test_a_style_is_trained_as_it_was_played_or_refused_with_a_reason(style: str) -> None:
    found = rows()[style]
    if found.refused:
        assert ":" in found.refused
    elif style in OTHER_SPACES:
        assert found.faults == ["other spaces"] == [found.text_reply]
    else:
        assert found.faults == []


def test_the_page_has_the_table_of_today() -> None:
    assert template_table.written() == template_table.page(list(rows().values())), "run `make template-table`"


def test_every_template_file_says_where_it_comes_from() -> None:
    sources = (FOLDER / "SOURCES.md").read_text()
    published = sorted(path.relative_to(FOLDER).as_posix() for path in FOLDER.glob("published/*"))
    assert [name for name in published if f"| {name} |" not in sources] == []
    used = {f"{style.file}.jinja" for style in STYLES.values()}
    assert used == {path.relative_to(FOLDER).as_posix() for path in FOLDER.glob("*/*")}


def test_the_table_has_twenty_styles_and_ten_published_templates() -> None:
    assert len({style.file for style in STYLES.values()}) >= 20
    assert len({style.file for style in STYLES.values() if style.published}) >= 10

import re
from pathlib import Path

import gymnasium
import pytest

DOCS = sorted((Path(__file__).parents[2] / "docs").glob("*.md"))


@pytest.mark.parametrize("page", DOCS, ids=lambda page: page.stem)
def test_every_id_that_a_page_names_is_registered(page: Path) -> None:
    for name in set(re.findall(r"RISE-[A-Za-z0-9]+-v\d+", page.read_text())):
        assert name in gymnasium.registry


def test_the_code_of_the_page_on_environments_runs() -> None:
    page = next(page for page in DOCS if page.stem == "environments").read_text()
    blocks = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    assert len(blocks) == 2
    exec("\n".join(blocks), {})  # noqa: S102 our own page

import json
from pathlib import Path

import pytest

from rise_agents.mcts.presets import search_settings
from rise_benchmarks.bench import BenchConfig, run
from rise_benchmarks.search.rows import EMBEDDED_SEARCH, TOKENS
from rise_benchmarks.search.tree_speed import measure
from rise_env.errors import ConfigError


def test_all_searches_of_the_suite_have_the_same_budget() -> None:
    for row in EMBEDDED_SEARCH.values():
        if row.agent.startswith("mcts:"):
            assert search_settings(**row.settings).tokens == TOKENS
            assert row.told == (row.settings.get("critic") == "told")


@pytest.mark.slow
def test_the_suite_measures_its_own_agents_at_equal_tokens(tmp_path: Path) -> None:
    out = run(BenchConfig(suite="embedded-search", limit=2, seeds=(0,), out=str(tmp_path / "out")))
    [report] = json.loads((out / "result.json").read_text())["reports"].values()
    names = [row["name"] for row in report["equal"]["rows"]]
    assert names[0] == "base"
    assert len(names) == len(EMBEDDED_SEARCH)
    assert "search, told (told the answers)" in names
    search = next(row for row in report["equal"]["rows"] if row["name"] == "search, agreement")
    # a tree ends earlier when it has nothing left, and later by at most one round
    assert TOKENS / 2 < search["generated"] < 2 * TOKENS
    table = (out / "result.md").read_text()
    assert "best of n by confidence at its generated" in table
    assert "turn 1 - turn 1" not in table  # there is one turn
    assert "search, told (told the answers) against base: m1@t1" in table
    with pytest.raises(ConfigError, match="names its agents itself: leave out --agent tiny"):
        BenchConfig(suite="embedded-search", agent=("tiny",))


def test_searches_and_the_same_requests_at_once_generate_the_same_tokens() -> None:
    found = measure("tiny", trees=2, repeats=1)
    assert found["generated_tokens"] > TOKENS
    assert found["requests"] >= 8
    assert len(found["search_over_limit"]) == 1

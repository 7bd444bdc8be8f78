import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from rise_benchmarks.performance.history import (
    COMMITS,
    COMMITTED_IN,
    MADE_AFTER,
    MEASURED_AT,
    NAMED,
    digest,
    own_commit,
    update,
)
from rise_benchmarks.performance.page import machine, page
from rise_benchmarks.performance.provenance import git
from rise_benchmarks.performance.results import RESULTS
from tests.source_tree import ROOT

FOLDER = ROOT / "benchmarks" / "results"
ENTRIES: dict[str, Any] = json.loads((FOLDER / COMMITS).read_text())["results"]
REMEDY = "run `make performance-page`"
PRESENT = [result for result in RESULTS if (FOLDER / result.file).exists()]


def test_the_page_is_what_the_command_writes() -> None:
    assert (ROOT / "docs" / "performance.md").read_text() == page(FOLDER), REMEDY


def test_every_result_file_is_in_the_table_of_results() -> None:
    known = {file for result in RESULTS for file in (result.file, *result.with_it)}
    for path in FOLDER.rglob("*"):
        name = path.relative_to(FOLDER).as_posix()
        if path.is_file() and name != COMMITS and "__pycache__" not in name:
            assert name in known or name.partition("/")[0] in known, (
                f"add {name} to rise_benchmarks.performance.results"
            )


@pytest.mark.parametrize("result", PRESENT, ids=lambda result: result.file)
def test_every_result_names_the_commit_of_its_present_numbers(result: Any) -> None:
    entry = ENTRIES[result.file]
    path = FOLDER / result.file
    named = own_commit(path)
    if named is not None:
        assert (entry["how"], True) == (named[0], entry["commit"].startswith(named[1])), REMEDY
    elif not result.by_hand:
        assert entry["sha256"] == digest(path), REMEDY


@pytest.mark.parametrize("result", PRESENT, ids=lambda result: result.file)
def test_the_commit_of_every_result_exists(result: Any) -> None:
    if not (ROOT / ".git").exists():
        pytest.skip("this is not a clone: there is no history")
    if git("rev-parse", "--is-shallow-repository", at=ROOT) == "true":
        pytest.skip("this clone is shallow: its history is cut")
    entry = ENTRIES[result.file]
    git("merge-base", "--is-ancestor", entry["commit"], "HEAD", at=ROOT)
    if entry["how"] == COMMITTED_IN:
        changed = git("show", "--format=", "--name-only", entry["commit"], at=ROOT).splitlines()
        assert f"benchmarks/results/{result.file}" in changed


@pytest.mark.parametrize("result", RESULTS, ids=lambda result: result.file)
def test_the_code_that_can_change_a_result_is_there(result: Any) -> None:
    for name in result.code:
        assert (ROOT / name).exists()


@pytest.fixture
def results(tmp_path: Path) -> Path:
    """The results of a clone with one commit, with a later commit to the code."""
    folder = tmp_path / "benchmarks" / "results"
    shutil.copytree(FOLDER, folder, ignore=shutil.ignore_patterns("figures", "*.html", "checker.*"))
    git("init", "--quiet", at=tmp_path)
    files = [*folder.glob("*.json"), *folder.rglob("report.json")]
    for path in files:  # commits of the real repository are not in this one
        content = json.loads(path.read_text())
        path.write_text(json.dumps({name: value for name, value in content.items() if name != "commit"}))
    commit_all(tmp_path)
    (tmp_path / "rise_env" / "trajectories").mkdir(parents=True)
    (tmp_path / "rise_env" / "trajectories" / "store.py").write_text("")
    commit_all(tmp_path)
    return folder


def commit_all(clone: Path) -> None:
    git("add", ".", at=clone)
    git("-c", "user.name=a", "-c", "user.email=a@b.c", "commit", "--quiet", "-m", "all", at=clone)


def test_the_commit_of_a_result_is_that_of_the_file_or_the_one_that_it_names(results: Path) -> None:
    for path in results.glob("*/README.md"):
        path.unlink()
    first, second = git("rev-list", "--reverse", "HEAD", at=results).split()
    named = json.loads((results / "fit_speed.json").read_text())
    (results / "fit_speed.json").write_text(json.dumps({**named, "commit": second}))
    (results / "store_speed.json").write_text((results / "store_speed.json").read_text() + "\n")
    (results / "real" / "README.md").write_text(f"Code: commit {second[:9]}, changed.\n")
    found = update(results)["results"]
    assert (found["fit_speed.json"]["how"], found["fit_speed.json"]["commit"]) == (MEASURED_AT, second)
    assert (found["store_speed.json"]["how"], found["store_speed.json"]["commit"]) == (MADE_AFTER, second)
    assert (found["real/report.json"]["how"], found["real/report.json"]["commit"]) == (NAMED, second)
    assert (found["env_speed.json"]["how"], found["env_speed.json"]["commit"]) == (COMMITTED_IN, first)


def test_the_page_says_which_results_are_older_than_their_code(results: Path) -> None:
    for path in results.glob("*/README.md"):
        path.unlink()
    commit_all(results.parents[1])
    found = update(results)["results"]
    newer = {name: entry["newer_commits_of_the_code"] for name, entry in found.items()}
    assert newer["store_speed.json"] == 1
    assert newer["fit_memory.json"] == 0
    text = page(results)
    [row] = [line for line in text.splitlines() if "[Stores of trajectories](" in line]
    assert row.endswith("| 1 |")
    old = sum(count > 0 for count in newer.values())
    assert f"{old} of {len(newer)} results are older than the code." in text


def test_a_folder_without_history_cannot_be_updated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    with pytest.raises(subprocess.CalledProcessError):
        update(tmp_path)


def test_the_machine_of_a_result_is_told_with_its_versions() -> None:
    recorded = {"machine": {"processor": "A", "cores": 2, "load_average": [0.5, 1, 1], "torch": "2.1"}}
    assert machine(recorded) == "A, 2 cores, load average 0.5, torch 2.1"
    assert machine({}) == "not recorded in the file"

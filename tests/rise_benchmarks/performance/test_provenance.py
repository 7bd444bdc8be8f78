import ast
import json
import subprocess
from pathlib import Path

import pytest

from rise_benchmarks.performance import provenance
from rise_benchmarks.performance.provenance import CHANGED, commit, git, write_result
from tests.source_tree import ROOT


def clone(folder: Path) -> Path:
    """A clone with one commit."""
    (folder / "rise_env").mkdir(parents=True)
    (folder / "rise_env" / "__init__.py").write_text("")
    git("init", "--quiet", at=folder)
    git("add", ".", at=folder)
    git("-c", "user.name=a", "-c", "user.email=a@b.c", "commit", "--quiet", "-m", "first", at=folder)
    return folder


def run_from(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(provenance.rise_env, "__file__", str(folder / "rise_env" / "__init__.py"))


def test_a_result_has_the_commit_of_the_code_and_the_date(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = clone(tmp_path / "clone")
    run_from(folder, monkeypatch)
    write_result(tmp_path / "result.json", {"rate": 3})
    found = json.loads((tmp_path / "result.json").read_text())
    assert found["rate"] == 3
    assert found["commit"] == git("rev-parse", "HEAD", at=folder)
    assert len(found["date"]) == len("2026-01-31")


def test_the_commit_says_that_code_was_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = clone(tmp_path / "clone")
    run_from(folder, monkeypatch)
    (folder / "notes.txt").write_text("no code")
    assert commit() == git("rev-parse", "HEAD", at=folder)
    (folder / "rise_env" / "__init__.py").write_text("changed = True\n")
    assert commit() == git("rev-parse", "HEAD", at=folder) + CHANGED


@pytest.mark.parametrize("place", ["nowhere", "clone/.venv/site-packages"])
def test_code_outside_a_clone_of_its_own_has_no_commit(
    place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clone(tmp_path / "clone")
    (tmp_path / place / "rise_env").mkdir(parents=True)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path))
    run_from(tmp_path / place, monkeypatch)
    assert commit() is None


def test_every_benchmark_writes_its_result_with_its_commit() -> None:
    reports = {"report.py"}  # `rise report` is for the runs of users
    for path in (ROOT / "benchmarks" / "rise_benchmarks").rglob("*.py"):
        if path.parent.name == "performance" or path.name in reports:
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and ast.unparse(node.func).endswith(".write_text"):
                written = ast.unparse(node.args[0])
                assert not written.startswith("json.dumps("), f"{path}: use write_result"


def test_git_says_why_it_failed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    with pytest.raises(subprocess.CalledProcessError):
        git("rev-parse", "HEAD", at=tmp_path)

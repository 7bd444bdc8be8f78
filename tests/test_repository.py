"""The files around the code: continuous integration, hooks, templates, packaging."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.source_tree import ROOT

WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
TARGETS = re.findall(r"^([a-z][a-z-]*):", (ROOT / "Makefile").read_text(), re.MULTILINE)


def parsed(path: Path) -> Any:
    return yaml.safe_load(path.read_text())


def steps(workflow: Path) -> list[dict[str, Any]]:
    return [step for job in parsed(workflow)["jobs"].values() for step in job["steps"]]


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.stem)
def test_a_workflow_may_only_read_and_ends_the_run_before_it(workflow: Path) -> None:
    settings = parsed(workflow)
    assert settings["permissions"] == {"contents": "read"}
    assert "github.ref" in settings["concurrency"]["group"]
    assert all(job["timeout-minutes"] for job in settings["jobs"].values())
    assert not [job for job in settings["jobs"].values() if "permissions" in job]


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.stem)
def test_a_workflow_uses_actions_at_a_fixed_commit(workflow: Path) -> None:
    used = [step["uses"] for step in steps(workflow) if "uses" in step]
    assert used
    assert not [action for action in used if not re.fullmatch(r"actions/[\w-]+@[0-9a-f]{40}", action)]


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.stem)
def test_a_workflow_runs_targets_of_the_makefile(workflow: Path) -> None:
    commands = [step["run"] for step in steps(workflow) if "run" in step]
    assert commands
    assert {command.removeprefix("make ") for command in commands} <= set(TARGETS)


def test_the_tests_run_on_every_python_that_the_package_supports() -> None:
    tests = parsed(ROOT / ".github" / "workflows" / "checks.yml")["jobs"]["tests"]
    assert tests["strategy"]["matrix"]["python"] == ["3.11", "3.12", "3.13"]


def test_every_target_is_phony_or_a_file() -> None:
    [phony] = re.findall(r"^\.PHONY: (.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert sorted(phony.split()) == sorted(TARGETS)


def test_the_hooks_run_the_programs_of_the_environment_that_make_installs() -> None:
    [repository] = parsed(ROOT / ".pre-commit-config.yaml")["repos"]
    assert repository["repo"] == "local"
    assert [hook["entry"].split()[0] for hook in repository["hooks"]] == [
        ".venv/bin/ruff",
        ".venv/bin/ruff",
        ".venv/bin/mypy",
    ]


@pytest.mark.parametrize("name", ["bug_report", "feature_request"])
def test_an_issue_template_has_questions_with_different_ids(name: str) -> None:
    template = parsed(ROOT / ".github" / "ISSUE_TEMPLATE" / f"{name}.yml")
    assert {"name", "description", "body"} <= template.keys()
    ids = [question["id"] for question in template["body"]]
    assert len(ids) == len(set(ids)) > 1


def test_everything_that_the_sdist_is_to_hold_exists() -> None:
    lines = [line.split() for line in (ROOT / "MANIFEST.in").read_text().splitlines()]
    names = [name for action, *rest in lines if action in ("include", "graft") for name in rest]
    assert {"CHANGELOG.md", "docs", "examples", "tests"} <= set(names)
    assert not [name for name in names if not (ROOT / name).exists()]

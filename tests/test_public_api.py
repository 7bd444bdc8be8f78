"""What the four packages export, and what importing them loads."""

import configparser
import importlib
import importlib.metadata
import re
import subprocess
import sys

import pytest

import rise_env
from tests.source_tree import FOLDERS, ROOT, modules

EXPORTED = {
    "rise_env": """
                Attempt CheckResult Checker Conversation MathEnv MathVectorEnv Message ModelFormat
        NumericChecker Problem         Rewards RiseError SymbolicChecker Trajectory TrajectoryStore
        Turn Usage Verdict __version__ check_answer         equivalent get_checker load_problems
        make read_trajectories
    """,
    "rise_agents": """
        Agent ExpertAgent OpenAIAgent ReplayAgent Reply SamplingConfig ScriptedAgent StreamingAgent
        TransformersAgent TurnPlan VLLMAgent collect evaluate load_agent rollout
    """,
    "rise_trainers": """
        FitConfig RWRTrainer RunConfig Selection exponential_weights fit run select_targets weighted_nll
    """,
    "rise_benchmarks": "SUITES make_report",
}
"""Everything that users may rely on. All other names may change in any release."""

HEAVY = (
    "torch",
    "transformers",
    "vllm",
    "openai",
    "deepspeed",
    "peft",
    "ray",
    "wandb",
    "matplotlib",
    "datasets",
)


def python(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("package", EXPORTED)
def test_a_package_exports_exactly_its_public_names(package: str) -> None:
    assert sorted(importlib.import_module(package).__all__) == EXPORTED[package].split()


@pytest.mark.parametrize("package", EXPORTED)
def test_every_exported_name_is_there_and_says_what_it_is(package: str) -> None:
    module = importlib.import_module(package)
    for name in EXPORTED[package].split():
        value = getattr(module, name)
        if callable(value):
            assert value.__doc__, f"{package}.{name} has no docstring"


@pytest.mark.parametrize("package", EXPORTED)
def test_a_name_that_is_not_exported_is_an_attribute_error(package: str) -> None:
    with pytest.raises(AttributeError, match="no_such_name"):
        importlib.import_module(package).no_such_name  # noqa: B018


@pytest.mark.parametrize("package", EXPORTED)
def test_importing_a_package_loads_no_heavy_library(package: str) -> None:
    loaded = python(f"import sys, {package}; print(*sys.modules)").split()
    assert not set(HEAVY) & set(loaded)


def test_the_packages_are_imported_where_no_extra_is_installed() -> None:
    python(
        "import sys\n"
        f"sys.modules.update(dict.fromkeys({HEAVY!r}))\n"  # None there makes an import fail
        "import rise_env, rise_agents, rise_trainers, rise_benchmarks"
    )


def test_the_version_is_the_same_everywhere() -> None:
    cited = re.search(r"^version: (.+)$", (ROOT / "CITATION.cff").read_text(), re.MULTILINE)
    assert cited
    assert rise_env.__version__ == cited.group(1) == importlib.metadata.version("rise-env")


def test_setup_cfg_reads_the_version_from_the_package() -> None:
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg")
    assert config["metadata"]["version"] == "attr: rise_env.utils.versions.__version__"


def test_the_changelog_has_a_part_on_this_version() -> None:
    assert f"\n## {rise_env.__version__}" in (ROOT / "CHANGELOG.md").read_text()


def test_every_package_says_that_it_is_typed() -> None:
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg")
    for package in EXPORTED:
        assert (FOLDERS[package] / "py.typed").exists()
        assert "py.typed" in config["options.package_data"][package]


@pytest.mark.parametrize("package", EXPORTED)
def test_no_exported_name_is_replaced_when_a_module_of_that_name_is_imported(package: str) -> None:
    # importing a.b sets the attribute b of the package a
    assert not [name for name in EXPORTED[package].split() if f"{package}.{name}" in modules()]

"""Who may import whom, and where the heavy libraries load."""

import ast
import configparser
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FOLDERS = {
    "rise_env": ROOT / "rise_env",
    "rise_agents": ROOT / "agents" / "rise_agents",
    "rise_trainers": ROOT / "trainers" / "rise_trainers",
    "rise_benchmarks": ROOT / "benchmarks" / "rise_benchmarks",
}
ORDER = list(FOLDERS)  # each may import those before it
HEAVY = {
    "torch",
    "transformers",
    "vllm",
    "deepspeed",
    "ray",
    "wandb",
    "datasets",
    "openai",
    "matplotlib",
    "peft",
}
ANYWHERE_BELOW = {"torch", "transformers"}  # below agents/ and trainers/; the others in one file each
LIGHT = ("rise_env",)


def imports(path: Path) -> list[tuple[str, bool]]:
    """Return (module, whether at the top of the file) for every import of a file."""
    tree = ast.parse(path.read_text())
    found = []
    for node in ast.walk(tree):
        top = node in tree.body
        if isinstance(node, ast.Import):
            found += [(alias.name, top) for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            found.append((node.module, top))
    return found


def files(package: str) -> list[Path]:
    return sorted(FOLDERS[package].rglob("*.py"))


@pytest.mark.parametrize("package", ORDER)
def test_packages_import_only_those_below_them(package: str) -> None:
    above = ORDER[ORDER.index(package) + 1 :]
    wrong = [
        f"{path.relative_to(ROOT)} imports {module}"
        for path in files(package)
        for module, _ in imports(path)
        if module.split(".")[0] in above
    ]
    assert not wrong


def test_the_environments_load_no_heavy_library_on_import() -> None:
    wrong = [
        f"{path.relative_to(ROOT)} imports {module}"
        for path in files("rise_env")
        for module, top in imports(path)
        if module.split(".")[0] in HEAVY and (top or module.split(".")[0] in ANYWHERE_BELOW)
    ]
    assert not wrong


@pytest.mark.parametrize("library", ["vllm", "ray", "openai"])
def test_a_heavy_library_loads_only_in_files_named_after_it(library: str) -> None:
    users = {
        path.name
        for package in ("rise_env", "rise_agents", "rise_trainers")
        for path in files(package)
        for module, _ in imports(path)
        if module.split(".")[0] == library
    }
    assert all(name.startswith(f"{library}_") for name in users), users


def test_setup_cfg_names_every_package() -> None:
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg")
    named = set(config["options"]["packages"].split())
    there = {
        ".".join([package, *path.parent.relative_to(folder).parts])
        for package, folder in FOLDERS.items()
        for path in folder.rglob("__init__.py")
    }
    assert named == there


def test_no_file_is_too_long_to_be_one_idea() -> None:
    long = {
        str(path.relative_to(ROOT)): lines
        for package in ORDER
        for path in files(package)
        if (lines := len(path.read_text().splitlines())) > 400
    }
    assert not long

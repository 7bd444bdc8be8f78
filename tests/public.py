"""What users may import: the names of docs/api.md."""

import ast
import importlib
import importlib.util
import re
from pathlib import Path

from rise_env.errors import MissingDependencyError
from tests.source_tree import FOLDERS, ROOT

API = (ROOT / "docs" / "api.md").read_text()


def exported() -> dict[str, list[str]]:
    """Return the names that docs/api.md lists, per package."""
    sections = re.findall(r"^## `(\w+)`\n(.*?)(?=^## |\Z)", API, re.MULTILINE | re.DOTALL)
    return {package: re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE) for package, text in sections}


def public_modules() -> list[str]:
    """Return the further modules that docs/api.md lists."""
    [section] = re.findall(r"^## Modules\n(.*?)(?=^## |\Z)", API, re.MULTILINE | re.DOTALL)
    return re.findall(r"^\| `([\w.]+)` \|", section, re.MULTILINE)


def not_public(tree: ast.Module) -> list[str]:
    """Return the imports from our packages that are not public, or that do not exist."""
    wrong = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [(alias.name, None) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [(node.module or "", alias.name) for alias in node.names]
        else:
            continue
        wrong += [
            f"{module}.{name}" if name else module for module, name in names if not _public(module, name)
        ]
    return wrong


def _public(module: str, name: str | None) -> bool:
    if module.split(".")[0] not in FOLDERS:
        return True
    if name is None:
        return module in FOLDERS or module in public_modules()
    if name.startswith("_"):
        return False
    try:
        loaded = importlib.import_module(module)
    except MissingDependencyError:  # an adapter to a library that is not installed here
        return module in public_modules() and name in names_in_source(module)
    if module in FOLDERS:
        return name in loaded.__all__
    return module in public_modules() and hasattr(loaded, name)


def source_of(module: str) -> ast.Module:
    spec = importlib.util.find_spec(module)
    assert spec is not None
    assert spec.origin is not None
    return ast.parse(Path(spec.origin).read_text(encoding="utf-8"))


def names_in_source(module: str) -> set[str]:
    """Return the names of the functions and classes of a module, which is not imported."""
    body = source_of(module).body
    return {node.name for node in body if isinstance(node, ast.FunctionDef | ast.ClassDef)}

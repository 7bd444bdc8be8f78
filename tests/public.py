"""What users may import: the names of docs/api.md."""

import ast
import importlib
import re

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
    loaded = importlib.import_module(module)
    if module in FOLDERS:
        return name in loaded.__all__
    return module in public_modules() and hasattr(loaded, name) and not name.startswith("_")

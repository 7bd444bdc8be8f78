"""The source files of the four packages, and what each of them imports."""

import ast
import functools
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parent.parent
FOLDERS = {
    "rise_env": ROOT / "rise_env",
    "rise_agents": ROOT / "agents" / "rise_agents",
    "rise_trainers": ROOT / "trainers" / "rise_trainers",
    "rise_benchmarks": ROOT / "benchmarks" / "rise_benchmarks",
}
"""Package -> folder. Each package may import those before it."""


class Import(NamedTuple):
    """One import statement, resolved to the module that it loads."""

    importer: str
    module: str
    at_top: bool
    """Whether it runs when the importing module is loaded; False inside a function."""


def files(package: str) -> list[Path]:
    """Return the Python files of a package."""
    return sorted(FOLDERS[package].rglob("*.py"))


def module_name(path: Path) -> str:
    """Return the dotted name of a source file."""
    [(package, folder)] = [(name, folder) for name, folder in FOLDERS.items() if folder in path.parents]
    parts = path.relative_to(folder).with_suffix("").parts
    return ".".join([package, *(part for part in parts if part != "__init__")])


@functools.cache
def modules() -> dict[str, Path]:
    """Return module name -> file, over all packages."""
    return {module_name(path): path for package in FOLDERS for path in files(package)}


@functools.cache
def all_imports() -> tuple[Import, ...]:
    """Return every import of every module, without those under TYPE_CHECKING."""
    return tuple(found for name, path in modules().items() for found in imports_of(name, path))


def imports_of(name: str, path: Path) -> Iterator[Import]:
    """Yield the imports of one file.

    `from package import submodule` counts as an import of the submodule, and `from package import name` as an
    import of the package.
    """
    for statement, at_top in _statements(ast.parse(path.read_text()), at_top=True):
        if isinstance(statement, ast.Import):
            for alias in statement.names:
                yield Import(name, alias.name, at_top)
        else:
            base = _absolute(statement, name, path)
            for alias in statement.names:
                submodule = f"{base}.{alias.name}"
                yield Import(name, submodule if submodule in modules() else base, at_top)


def _statements(node: ast.AST, *, at_top: bool) -> Iterator[tuple[ast.Import | ast.ImportFrom, bool]]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import | ast.ImportFrom):
            yield child, at_top
        elif isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
            for other in child.orelse:
                yield from _statements(ast.Module([other], []), at_top=at_top)
        else:
            inside = isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
            yield from _statements(child, at_top=at_top and not inside)


def _absolute(statement: ast.ImportFrom, name: str, path: Path) -> str:
    if statement.level == 0:
        return statement.module or ""
    package = name.split(".") if path.name == "__init__.py" else name.split(".")[:-1]
    parent = package[: len(package) - statement.level + 1]
    return ".".join([*parent, *([statement.module] if statement.module else [])])

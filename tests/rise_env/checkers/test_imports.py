"""The modules of the checkers import one another in one direction only."""

import ast
from pathlib import Path

import rise_env.checkers

PACKAGE = "rise_env.checkers"
FOLDER = Path(rise_env.checkers.__file__).parent


def imported_modules(path: Path) -> set[str]:
    """Return the modules that a file imports anywhere, also in functions and under TYPE_CHECKING."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
            names.update(f"{node.module}.{alias.name}" for alias in node.names)
    return names


def test_no_module_imports_one_that_imports_it() -> None:
    modules = {
        ".".join([PACKAGE, *path.relative_to(FOLDER).with_suffix("").parts]): path
        for path in FOLDER.rglob("*.py")
        if path.name != "__init__.py"
    }
    imports = {name: imported_modules(path) & set(modules) for name, path in modules.items()}
    while True:
        independent = {name for name, needed in imports.items() if not needed & set(imports)}
        if not independent:
            break
        imports = {name: needed for name, needed in imports.items() if name not in independent}
    assert not imports, f"a circle among {sorted(imports)}"

"""The notebook of the tutorials runs from its first cell to its last one."""

import json
import re
import sys
from pathlib import Path

import pytest

from tests.source_tree import ROOT

NOTEBOOK = ROOT / "docs" / "tutorials" / "notebook.ipynb"


def test_the_notebook_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    nbformat = pytest.importorskip("nbformat", reason="nbformat is not installed: pip install '.[docs]'")
    nbclient = pytest.importorskip("nbclient", reason="nbclient is not installed: pip install '.[docs]'")
    pytest.importorskip("ipykernel", reason="ipykernel is not installed: pip install '.[docs]'")
    monkeypatch.setenv("JUPYTER_PATH", str(_kernel(tmp_path)))
    monkeypatch.chdir(tmp_path)
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    nbclient.NotebookClient(notebook, timeout=600, kernel_name="of_the_tests").execute()
    printed = "".join(output.get("text", "") for cell in notebook.cells for output in cell.get("outputs", []))
    assert "0.0 wrong" in printed
    assert re.search(r"m1@t1, .*: 0\.\d", printed)


def _kernel(folder: Path) -> Path:
    """Make a kernel with the interpreter of the tests, and return the folder for JUPYTER_PATH."""
    kernel = folder / "jupyter" / "kernels" / "of_the_tests"
    kernel.mkdir(parents=True)
    command = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    spec = {"argv": command, "display_name": "tests", "language": "python"}
    (kernel / "kernel.json").write_text(json.dumps(spec))
    return folder / "jupyter"


def test_the_stored_notebook_has_no_error_and_installs_only_where_rise_is_missing() -> None:
    cells = [cell for cell in json.loads(NOTEBOOK.read_text())["cells"] if cell["cell_type"] == "code"]
    assert not [output for cell in cells for output in cell["outputs"] if output["output_type"] == "error"]
    [install] = ["".join(cell["source"]) for cell in cells if "%pip" in "".join(cell["source"])]
    assert 'find_spec("rise_env") is None' in install

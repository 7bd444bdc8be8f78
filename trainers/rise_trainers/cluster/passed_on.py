"""Passes environment variables on to ranks that are started on other machines.

DeepSpeed passes on only a few variables, and it writes them into the command lines that it logs. So the
launcher of a fit writes these into a file in the partial folder, and every rank reads it when it starts.
"""

import json
import os
from collections.abc import Mapping
from pathlib import Path

ENVIRONMENT = "environment.json"
"""Name of the file. It can hold tokens: only its owner can read it, and it is deleted when the ranks end."""
_PREFIXES = (
    *("HF_", "HUGGING_FACE_", "TRANSFORMERS_", "TOKENIZERS_", "WANDB_", "PYTORCH_", "TORCH_", "TRITON_"),
    *("OMP_", "XDG_CACHE_HOME", "RISE_DATA_DIR"),
)


def write_environment(folder: Path, variables: Mapping[str, str]) -> None:
    """Write those of some environment variables that all ranks of a fit need."""
    kept = {name: value for name, value in variables.items() if name.startswith(_PREFIXES)}
    (folder / ENVIRONMENT).unlink(missing_ok=True)
    handle = os.open(folder / ENVIRONMENT, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with open(handle, "w") as file:
        json.dump(kept, file)


def read_environment(folder: Path) -> None:
    """Set the variables of the file in this process; do nothing if there is no file."""
    path = folder / ENVIRONMENT
    if path.exists():
        os.environ.update(json.loads(path.read_text()))


def delete_environment(folder: Path) -> None:
    """Delete the file if it exists."""
    (folder / ENVIRONMENT).unlink(missing_ok=True)

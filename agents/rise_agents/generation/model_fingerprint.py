"""Names of models that say which weights they are, wherever those lie."""

import hashlib
from pathlib import Path

_BLOCK = 4096
_BLOCKS = 64


def model_name(model: str, commit: str | None) -> str:
    """Return the hub id with its commit, or the folder's name with a fingerprint of its content.

    A folder that is moved keeps its name's fingerprint; new weights in the same folder get another one.
    """
    folder = Path(model)
    if not folder.is_dir():
        return f"{model}@{commit[:12]}" if commit else model
    return f"{folder.resolve().name}@{fingerprint(folder)}"


def fingerprint(folder: Path) -> str:
    """Return 12 hex digits that depend on a model folder's settings, tokenizer and weights.

    Small files count in full, large ones by their size and `_BLOCKS` blocks spread over them: quick for
    any model, and weights that were trained further differ in every block.
    """
    digest = hashlib.sha256()
    for path in sorted(folder.iterdir()):
        if path.suffix not in {".json", ".jinja", ".safetensors", ".bin", ".model", ".txt"}:
            continue
        size = path.stat().st_size
        digest.update(f"{path.name}:{size}\n".encode())
        with path.open("rb") as file:
            if size <= _BLOCK * _BLOCKS:
                digest.update(file.read())
            else:
                for block in range(_BLOCKS):
                    file.seek(block * (size - _BLOCK) // (_BLOCKS - 1))
                    digest.update(file.read(_BLOCK))
    return digest.hexdigest()[:12]

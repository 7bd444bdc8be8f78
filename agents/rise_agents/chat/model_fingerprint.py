"""Names that identify a model by its content, wherever its folder is."""

import hashlib
from pathlib import Path

_BLOCK = 4096
"""Size in bytes of each hashed block of a large file."""

_BLOCKS = 64
"""Number of hashed blocks of a large file."""


def model_name(model: str, commit: str | None) -> str:
    """Return the hub id with its commit, or the folder's name with a fingerprint of its content.

    Args:
        model: Folder or hub id.
        commit: The commit of the hub repository; None if it is unknown.
    """
    folder = Path(model)
    if not folder.is_dir():
        return f"{model}@{commit[:12]}" if commit else model
    return f"{folder.resolve().name}@{fingerprint(folder)}"


def fingerprint(folder: Path) -> str:
    """Return 12 hex digits that depend on a model folder's settings, tokenizer and weights.

    Small files are hashed in full. Of a large file, its size and `_BLOCKS` evenly spaced blocks are hashed.
    This takes little time for a model of any size, and training changes nearly all weights, so it is enough
    to tell models apart.
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

"""Digests of the inputs of a fit or a run, which tell whether a path still holds what it held before."""

import hashlib
from pathlib import Path
from typing import IO

from rise_agents.chat.model_fingerprint import fingerprint, model_name
from rise_trainers.fitting.paths import model_path

_BLOCK = 1 << 20


def model_digest(model: str, revision: str | None = None) -> str:
    """Return a digest of a model's settings, tokenizer and weights.

    Of a hub id it is the id with the commit that is in the cache of this machine; without one, the id alone.

    Args:
        model: A folder, a hub id, or the name of an embedded model.
        revision: Branch, tag or commit of the hub repository; None is its main branch.
    """
    folder = Path(model_path(model))
    if folder.is_dir():
        return fingerprint(folder)
    cached = cached_config(model, revision)
    return model_name(model, None if cached is None else cached.parent.name)


def cached_config(model: str, revision: str | None = None) -> Path | None:
    """Return config.json of a hub id in the cache of this machine, or None. It asks no server.

    Args:
        model: A hub id; of another text there is none.
        revision: Branch, tag or commit of the hub repository; None is its main branch.
    """
    from huggingface_hub import try_to_load_from_cache

    try:
        cached = try_to_load_from_cache(model, "config.json", revision=revision or "main")
    except ValueError:  # no hub id
        return None
    return Path(cached) if isinstance(cached, str) else None


def file_digest(path: str | Path) -> str:
    """Return a digest of a file."""
    with open(path, "rb") as file:
        return _digest(file, Path(path).stat().st_size)


def store_digest(path: str | Path) -> str:
    """Return a digest of the complete lines of a store: an incomplete last line is no part of it."""
    with open(path, "rb") as file:
        size = 0
        for line in file:
            size += len(line) if line.endswith(b"\n") else 0
        file.seek(0)
        return _digest(file, size)


def _digest(file: IO[bytes], size: int) -> str:
    """Return 16 hex digits that depend on the next `size` bytes of a file."""
    digest = hashlib.sha256()
    while size and (block := file.read(min(size, _BLOCK))):
        digest.update(block)
        size -= len(block)
    return digest.hexdigest()[:16]

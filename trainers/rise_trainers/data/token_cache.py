"""Caches the token ids of training targets in a file next to the store that they come from.

The name of a cache file contains a hash of everything that decides its content: the targets, the tokenizer
with its chat template, and the settings of the tokenisation. Weights are not cached: another `tau` reuses the
token ids.
"""

import hashlib
import os
import zipfile
from collections.abc import Callable, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from rise_agents.chat.chat import Chat
from rise_trainers.data.targets import TrainingTarget
from rise_trainers.data.tokenization import Span, Tokenized, TokenSequence

FORMAT = 2
"""Version of the cache. Increase it when the file format or the tokenisation changes."""


def load_or_make(
    make: Callable[[], Tokenized],
    targets: Sequence[TrainingTarget],
    *,
    beside: Path,
    chat: Chat,
    settings: Any,
) -> Tokenized:
    """Return the tokenised targets from the cache, or from `make` where the cache has none.

    Args:
        make: Tokenises the targets.
        targets: The targets.
        beside: The store; the cache file is `<store>.tokens-<hash>.npz`.
        chat: How the model reads conversations and writes replies.
        settings: JSON values that change the result of `make`.
    """
    path = beside.with_name(f"{beside.name}.tokens-{_key(targets, chat, settings)}.npz")
    try:
        return _read(path)
    except (OSError, EOFError, ValueError, KeyError, zipfile.BadZipFile):
        found = make()
        _write(path, found)
        return found


def _key(targets: Sequence[TrainingTarget], chat: Chat, settings: Any) -> str:
    digest = hashlib.sha256(repr([FORMAT, settings, chat.format("")]).encode())
    digest.update(chat.tokenizer.backend_tokenizer.to_str().encode())
    for target in targets:
        used = (
            target.trajectory,
            target.prompt,
            target.reply,
            target.complete,
            target.reasoning,
            target.token_ids,
            target.logprobs,
            target.prompt_tokens,
        )
        digest.update(repr(used).encode(errors="surrogatepass"))
    return digest.hexdigest()[:16]


def _write(path: Path, found: Tokenized) -> None:
    placed = [(i, span) for i, sequence in enumerate(found.sequences) for span in sequence.spans]
    spans = [(i, s.target, s.start, s.stop, s.logprobs is not None) for i, s in placed]
    logprobs = [value for _, s in placed for value in s.logprobs or ()]
    drifted = [(n, place) for n, (_, s) in enumerate(placed) for place in s.drifted]
    unfinished = path.with_name(f"{path.name}.{os.getpid()}.new")
    try:
        with open(unfinished, "wb") as file:
            np.savez(
                file,
                ids=np.concatenate([np.asarray(q.ids, dtype=np.int32) for q in found.sequences]),
                lengths=np.array([len(q.ids) for q in found.sequences]),
                spans=np.array(spans, dtype=np.int64),
                logprobs=np.array(logprobs, dtype=np.float32),
                drifted=np.array(drifted, dtype=np.int64).reshape(-1, 2),
                shortened=np.array(found.shortened),
                counts=np.array(list(found.counts.items()), dtype=np.str_).reshape(-1, 2),
                dropped=np.array(found.dropped, dtype=np.int64),
                notes=np.array(found.notes),
            )
        unfinished.replace(path)
    except OSError:  # the cache is optional: the disk of the store may be read-only
        unfinished.unlink(missing_ok=True)


def _read(path: Path) -> Tokenized:
    with open(path, "rb") as raw, np.load(raw, allow_pickle=False) as file:
        ends = np.cumsum(file["lengths"])
        parts = np.split(file["ids"], ends[:-1])
        spans: list[list[Span]] = [[] for _ in parts]
        drifted: dict[int, list[int]] = {}
        for number, place in file["drifted"].tolist():
            drifted.setdefault(number, []).append(place)
        values = iter(file["logprobs"].tolist())
        for number, (sequence, target, start, stop, known) in enumerate(file["spans"].tolist()):
            logprobs = tuple(islice(values, stop - start)) if known else None
            spans[sequence].append(Span(target, start, stop, logprobs, tuple(drifted.get(number, ()))))
        return Tokenized(
            [TokenSequence(ids.tolist(), own) for ids, own in zip(parts, spans, strict=True)],
            int(file["shortened"]),
            file["dropped"].tolist(),
            {name: int(count) for name, count in file["counts"].tolist()},
            tuple(str(note) for note in file["notes"]),
        )

"""A file that holds the replies of an agent, so that the same request always gets the same reply.

The format is JSON lines. The first line names the recorded agent, and has its `ModelFormat` if that is known.
Each further line is one reply with its key, a hash of the conversation, the sampling settings and the seed,
or the usage of a try that was billed and gave no reply.
Equal requests without a seed are numbered from 1, and the number is part of their key.
"""

import contextlib
import hashlib
import json
import os
import threading
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

from rise_agents.types import Reply, SamplingConfig
from rise_env.errors import StoreError
from rise_env.trajectories.model_formats import format_from_json, format_to_json
from rise_env.types import ModelFormat, Usage

SCHEMA = 1
"""Version of the file format."""

_TEXTS = ("reasoning", "finish_reason", "served_model", "system_fingerprint")
"""Fields of a reply that are left out of the file where they are empty."""

_FIRST_BYTES = b'{"kind":"replay",'


class ReplyLog:
    """The replies in a file, which are kept in memory as well. It is thread safe.

    Args:
        path: The file; it is created when the first reply is added.
        agent: Name of the recorded agent; None opens the log for reading only.
        logprobs: Whether the replies must have log-probabilities; None accepts both.
        model_format: The format of the recorded agent; None if it knows none.

    Raises:
        StoreError: The file is not a reply log, is damaged, holds the replies of another agent or format, or
            does not match `logprobs`.
    """

    def __init__(
        self,
        path: str | Path,
        agent: str | None = None,
        *,
        logprobs: bool | None = None,
        model_format: ModelFormat | None = None,
    ) -> None:
        self.path = Path(path)
        self.agent = agent
        self.model_format = model_format
        """The format of the recorded agent; None if it is unknown."""
        self._logprobs = logprobs
        self._replies: dict[str, Reply] = {}
        self.billable_usage: list[Usage] = []
        """Billed usage of each try that was in the file when it was opened."""
        self._repeats: Counter[str] = Counter()
        self._lock = threading.Lock()
        if self.path.exists():
            self._load()

    def __len__(self) -> int:
        return len(self._replies)

    def keys(
        self,
        conversations: Sequence[Sequence[Mapping[str, Any]]],
        sampling: SamplingConfig,
        seeds: Sequence[int] | None,
    ) -> list[str]:
        """Return the key of each request, in order.

        Call it once per request and in a fixed order: it numbers the requests without a seed.
        """
        found = []
        for place, conversation in enumerate(conversations):
            seed = None if seeds is None else seeds[place]
            content = [list(conversation), asdict(sampling), seed]
            text = json.dumps(content, sort_keys=True, separators=(",", ":"))
            key = hashlib.sha256(text.encode()).hexdigest()[:32]
            if seed is None:
                self._repeats[key] += 1
                key = f"{key}-{self._repeats[key]}"
            found.append(key)
        return found

    def get(self, key: str) -> Reply | None:
        """Return the reply with this key; None if there is none."""
        return self._replies.get(key)

    def add(self, key: str, reply: Reply, billable_usage: Usage | None = None) -> None:
        """Append a reply to the file immediately.

        Args:
            key: The key of the request, from `keys`.
            reply: The reply.
            billable_usage: Usage that the reply is billed for; None is `reply.usage`.

        Raises:
            StoreError: The file cannot be written, for example because the disk is full. The earlier replies
                in the file stay intact.
        """
        row = {"key": key, **_to_json(reply)}
        if billable_usage is not None and billable_usage != reply.usage:
            row["billable_usage"] = _counts(billable_usage)
        self._append(row)
        self._replies[key] = reply

    def add_charge(self, usage: Usage) -> None:
        """Append the usage of a try that was billed and gave no reply.

        Raises:
            StoreError: See `add`.
        """
        self._append({"charge": _counts(usage)})

    def _append(self, row: dict[str, Any]) -> None:
        with self._lock:
            try:
                self._write(_line(row))
            except OSError as error:
                raise StoreError(
                    f"cannot write to {self.path}: {error.strerror or error}; "
                    "make room and run the same command to continue"
                ) from error

    def _write(self, data: bytes) -> None:
        """Append whole lines; if that fails, restore the file's former size."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with open(self.path, "ab", buffering=0) as file:
            size = file.seek(0, os.SEEK_END)
            view = memoryview(data if size else _line(self._head()) + data)
            try:
                while view:
                    view = view[file.write(view) :]
            except BaseException:  # includes Ctrl-C
                with contextlib.suppress(OSError):
                    file.truncate(size)
                raise

    def _head(self) -> dict[str, Any]:
        head: dict[str, Any] = {"kind": "replay", "schema": SCHEMA, "agent": self.agent}
        if self._logprobs:
            head["logprobs"] = True
        if self.model_format is not None:
            head["format"] = format_to_json(self.model_format)
        return head

    def _load(self) -> None:
        data = self.path.read_bytes()
        whole = data.rfind(b"\n") + 1
        if self.agent is not None and not whole and data[: len(_FIRST_BYTES)] == _FIRST_BYTES[: len(data)]:
            self._cut(0)  # an empty file, or a partial first line after a kill or a full disk
            return
        lines = data[:whole].split(b"\n")[:-1]
        try:
            head = json.loads(lines[0])
            if head["kind"] not in ("replay", "cassette") or head["schema"] != SCHEMA:
                raise ValueError("not a reply log of this version")
            for line in lines[1:]:
                row = json.loads(line)
                if "charge" in row:
                    self.billable_usage.append(_usage(row["charge"]))
                    continue
                self._replies[row["key"]] = _from_json(row)
                self.billable_usage.append(_usage(row.get("billable_usage", row["usage"])))
            known_format = format_from_json(head["format"]) if "format" in head else None
        except (ValueError, KeyError, TypeError, IndexError) as error:
            raise StoreError(f"{self.path} is not a reply log, choose another file: {error!r}") from error
        if self.agent is not None and head["agent"] != self.agent:
            raise StoreError(
                f"{self.path} holds replies of {head['agent']!r}, not of {self.agent!r}: choose another file"
            )
        known = bool(head.get("logprobs"))
        if self._logprobs not in (None, known):
            raise StoreError(
                f"{self.path} holds replies {'with' if known else 'without'} log-probabilities: "
                f"set logprobs to {known}, or choose another file"
            )
        if None not in (self.model_format, known_format) and self.model_format != known_format:
            different = [
                field.name
                for field in fields(ModelFormat)
                if getattr(known_format, field.name) != getattr(self.model_format, field.name)
            ]
            raise StoreError(
                f"{self.path} holds replies of {self.agent!r} with another {', '.join(different)}: choose "
                "another file or the same settings"
            )
        self.model_format = self.model_format or known_format
        if self.agent is not None and whole < len(data):  # a partial last line after a kill
            self._cut(whole)
        self.agent = head["agent"]

    def _cut(self, size: int) -> None:
        with open(self.path, "r+b") as file:
            file.truncate(size)


def _line(value: dict[str, Any]) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode() + b"\n"


def _to_json(reply: Reply) -> dict[str, Any]:
    row: dict[str, Any] = {"text": reply.text, "finish": reply.finish, "latency": reply.latency}
    row["usage"] = _counts(reply.usage)
    row.update((name, getattr(reply, name)) for name in _TEXTS if getattr(reply, name))
    if reply.token_ids is not None:
        row["token_ids"] = list(reply.token_ids)
    if reply.logprobs is not None:
        row["logprobs"] = list(reply.logprobs)
    return row


def _from_json(row: dict[str, Any]) -> Reply:
    token_ids, logprobs = row.get("token_ids"), row.get("logprobs")
    return Reply(
        text=row["text"],
        finish=row["finish"],
        token_ids=None if token_ids is None else tuple(token_ids),
        logprobs=None if logprobs is None else tuple(map(float, logprobs)),
        usage=_usage(row["usage"]),
        latency=row["latency"],
        **{name: row.get(name, "") for name in _TEXTS},
    )


def _counts(usage: Usage) -> list[int]:
    return [usage.prompt_tokens, usage.completion_tokens, usage.cached_tokens]


def _usage(counts: list[int]) -> Usage:
    prompt, completion, cached = counts
    return Usage(prompt_tokens=prompt, completion_tokens=completion, cached_tokens=cached)

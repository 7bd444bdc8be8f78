"""Requests and replies in a file of JSON lines, to be played back bit for bit.

The first line names the agent that was recorded; every further line is one reply, keyed by a hash of the
conversation, the sampling settings, the seed, and, for requests without a seed, how often the same one
was made before.
"""

import contextlib
import hashlib
import json
import os
import threading
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rise_agents.types import Reply, SamplingConfig
from rise_env.errors import StoreError
from rise_env.types import Conversation, Usage

SCHEMA = 1

_START = b'{"kind":"replay",'


class ReplyLog:
    """A file of replies. Threads may share one.

    Args:
        path: The file; it is made when the first reply is added.
        agent: Name of who is recorded; None where nothing will be added.
        logprobs: Whether the replies have log-probabilities; None where that does not matter.

    Raises:
        StoreError: The file is no tape, damaged, of another agent, or without the log-probabilities.
    """

    def __init__(self, path: str | Path, agent: str | None = None, *, logprobs: bool | None = None) -> None:
        self.path = Path(path)
        self.agent = agent
        self._logprobs = logprobs
        self._replies: dict[str, Reply] = {}
        self.billable_usage: list[Usage] = []
        """What the replies that the file held are to be paid for."""
        self._asked: Counter[str] = Counter()
        self._lock = threading.Lock()
        if self.path.exists():
            self._load()

    def __len__(self) -> int:
        return len(self._replies)

    def keys(
        self,
        conversations: Sequence[Conversation],
        sampling: SamplingConfig,
        seeds: Sequence[int] | None,
    ) -> list[str]:
        """Return the key of each request, in order; ones without a seed are counted."""
        found = []
        for place, conversation in enumerate(conversations):
            seed = None if seeds is None else seeds[place]
            content = [list(conversation), asdict(sampling), seed]
            text = json.dumps(content, sort_keys=True, separators=(",", ":"))
            key = hashlib.sha256(text.encode()).hexdigest()[:32]
            if seed is None:
                self._asked[key] += 1
                key = f"{key}-{self._asked[key]}"
            found.append(key)
        return found

    def get(self, key: str) -> Reply | None:
        """Return the reply with this key, if there is one."""
        return self._replies.get(key)

    def add(self, key: str, reply: Reply, billable_usage: Usage | None = None) -> None:
        """Write a reply down at once.

        Args:
            key: From `keys`.
            reply: The reply.
            billable_usage: What it is to be paid for; None is its usage.

        Raises:
            StoreError: The disk is full. The replies that the file held before are whole.
        """
        row = {"key": key, **_to_json(reply)}
        if billable_usage is not None and billable_usage != reply.usage:
            row["billable_usage"] = _counts(billable_usage)
        with self._lock:
            try:
                self._write(_line(row))
            except OSError as error:
                raise StoreError(
                    f"cannot write to {self.path}: {error.strerror or error}; "
                    "make room and run the same command to go on"
                ) from error
            self._replies[key] = reply

    def _write(self, data: bytes) -> None:
        """Write lines, all or none."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with open(self.path, "ab", buffering=0) as file:
            size = file.seek(0, os.SEEK_END)
            view = memoryview(data if size else _line(self._head()) + data)
            try:
                while view:
                    view = view[file.write(view) :]
            except BaseException:  # Ctrl-C, too
                with contextlib.suppress(OSError):
                    file.truncate(size)
                raise

    def _head(self) -> dict[str, Any]:
        head: dict[str, Any] = {"kind": "replay", "schema": SCHEMA, "agent": self.agent}
        return {**head, "logprobs": True} if self._logprobs else head

    def _load(self) -> None:
        data = self.path.read_bytes()
        whole = data.rfind(b"\n") + 1
        if self.agent is not None and not whole and data[: len(_START)] == _START[: len(data)]:
            self._cut(0)  # nothing, or a torn first line, from a kill or a full disk
            return
        lines = data[:whole].split(b"\n")[:-1]
        try:
            head = json.loads(lines[0])
            if head["kind"] != "replay" or head["schema"] != SCHEMA:
                raise ValueError("not a cassette")
            for line in lines[1:]:
                row = json.loads(line)
                self._replies[row["key"]] = _from_json(row)
                self.billable_usage.append(_usage(row.get("billable_usage", row["usage"])))
        except (ValueError, KeyError, TypeError, IndexError) as error:
            raise StoreError(f"{self.path} is not a replay: {error!r}") from error
        if self.agent is not None and head["agent"] != self.agent:
            raise StoreError(f"{self.path} holds replies of {head['agent']!r}, not of {self.agent!r}")
        known = bool(head.get("logprobs"))
        if self._logprobs not in (None, known):
            raise StoreError(
                f"{self.path} holds replies {'with' if known else 'without'} log-probabilities: "
                f"set logprobs to {known}, or choose another file"
            )
        if self.agent is not None and whole < len(data):  # a torn last line, from a kill: will be asked again
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
        logprobs=None if logprobs is None else tuple(logprobs),
        usage=_usage(row["usage"]),
        latency=row["latency"],
    )


def _counts(usage: Usage) -> list[int]:
    return [usage.prompt_tokens, usage.completion_tokens, usage.cached_tokens]


def _usage(counts: list[int]) -> Usage:
    prompt, completion, cached = counts
    return Usage(prompt_tokens=prompt, completion_tokens=completion, cached_tokens=cached)

"""Several copies of one agent, each in a process of its own with its own devices: data parallel.

A conversation goes to the copy that answered its beginning, whose prefix cache holds it, as long as that copy
has no more to do than the others. Replies depend on their seeds, never on which copy gives them.
"""

import multiprocessing
import os
import signal
import sys
import traceback
from collections.abc import Mapping, Sequence
from multiprocessing.connection import Connection
from typing import Any

from rise_agents.base import Agent, Reply, SamplingConfig
from rise_env.errors import AgentError, RiseError
from rise_env.types import Conversation

_PATIENCE = 60.0
"""Seconds that a copy has to close before it is killed."""


class Replicas:
    """Copies of one agent, used together.

    Scripts need the usual `if __name__ == "__main__":` around their work, as processes are spawned.

    Args:
        spec: Of the agent, as `load_agent` reads it.
        settings: For `load_agent`, the same for every copy.
        environments: One per copy: environment variables that its process gets, such as
            {"CUDA_VISIBLE_DEVICES": "2,3"}.
        known: Names of the agent's attributes to keep, in `attributes`.

    Raises:
        RiseError: What the first copy that failed says.
    """

    def __init__(
        self,
        spec: str,
        settings: Mapping[str, Any],
        environments: Sequence[Mapping[str, str]],
        *,
        known: Sequence[str] = (),
    ) -> None:
        self._homes: dict[int, int] = {}
        """Hash of the beginning of a conversation -> the copy that answered it."""
        spawn = multiprocessing.get_context("spawn")
        self._lines: list[Connection] = []
        self._processes = []
        try:
            for environment in environments:
                here, there = spawn.Pipe()
                arguments = (there, spec, dict(settings), dict(environment), tuple(known))
                process = spawn.Process(target=_serve, args=arguments)
                process.start()
                there.close()
                self._lines.append(here)
                self._processes.append(process)
            known_by_all: list[dict[str, Any]] = [self._receive(i) for i in range(len(self._lines))]
        except BaseException:
            self._end()
            raise
        self.attributes = known_by_all[0]
        self.name = str(self.attributes["name"])

    def act(
        self,
        conversations: Sequence[Conversation],
        sampling: SamplingConfig,
        seeds: Sequence[int] | None = None,
    ) -> list[Reply]:
        """Answer each conversation; see `Agent.act`. After an error or Ctrl-C, the copies are gone."""
        if not self._lines:
            raise AgentError(f"agent {self.name} is closed")
        parts = self._deal(conversations)
        replies: dict[int, Reply] = {}
        try:
            for line, part in zip(self._lines, parts, strict=True):
                own = None if seeds is None else [seeds[i] for i in part]
                self._send(line, ([conversations[i] for i in part], sampling, own))
            for copy, part in enumerate(parts):
                replies |= zip(part, self._receive(copy), strict=True)
        except BaseException:
            self._end()  # what the others still answer would be taken for answers to the next questions
            raise
        return [replies[i] for i in range(len(conversations))]

    def close(self) -> None:
        """Close every copy and end its process."""
        for line in self._lines:
            self._send(line, None)
        for process in self._processes:
            process.join(_PATIENCE)
        self._end()

    def _end(self) -> None:
        """End all processes, also those that are busy."""
        for process in self._processes:
            process.terminate()
        for process in self._processes:
            process.join(_PATIENCE)
            process.kill()
            process.join()
        for line in self._lines:
            line.close()
        self._lines, self._processes = [], []

    def _deal(self, conversations: Sequence[Conversation]) -> list[list[int]]:
        """Return which conversations each copy answers."""
        share = -(-len(conversations) // len(self._lines))
        parts: list[list[int]] = [[] for _ in self._lines]
        strangers = []
        for index, conversation in enumerate(conversations):
            home = self._homes.get(_beginning(conversation))
            if home is None or len(parts[home]) == share:
                strangers.append(index)
            else:
                parts[home].append(index)
        for index in strangers:
            home = min(range(len(parts)), key=lambda i: len(parts[i]))
            parts[home].append(index)
            self._homes[_beginning(conversations[index])] = home
        return parts

    def _send(self, line: Connection, message: Any) -> None:
        try:
            line.send(message)
        except OSError:  # the process ended; whoever waits for its answer is told
            return

    def _receive(self, copy: int) -> Any:
        try:
            kind, value = self._lines[copy].recv()
        except (EOFError, OSError):
            self._processes[copy].join(_PATIENCE)
            code = self._processes[copy].exitcode
            raise AgentError(f"copy {copy} of the agent ended with exit code {code}") from None
        if kind == "error":
            raise value
        return value


def _beginning(conversation: Conversation) -> int:
    """Return a hash of the messages up to the first of the user."""
    texts = []
    for message in conversation:
        texts.append(message["content"])
        if message["role"] == "user":
            break
    return hash(tuple(texts))


def _serve(
    line: Connection, spec: str, settings: dict[str, Any], environment: dict[str, str], known: tuple[str, ...]
) -> None:
    """Be one copy: answer what comes until the other side is gone."""
    os.environ.update(environment)  # before a library looks at the devices
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to handle
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # so that the agent is closed
    agent: Agent | None = None
    try:
        from rise_agents.loading import load_agent

        agent = load_agent(spec, **settings)
        line.send(("value", {name: getattr(agent, name) for name in ("name", *known)}))
        while (work := line.recv()) is not None:
            conversations, sampling, seeds = work
            line.send(("value", agent.act(conversations, sampling, seeds) if conversations else []))
    except (EOFError, BrokenPipeError):
        return
    except RiseError as error:
        line.send(("error", error))
    except Exception as error:
        traceback.print_exc()
        line.send(("error", AgentError(f"a copy of the agent failed: {error!r}")))
    finally:
        if agent is not None:
            agent.close()

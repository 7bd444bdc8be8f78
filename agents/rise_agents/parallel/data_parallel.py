"""Several copies of one agent, each in a process of its own with its own devices: data parallel.

A conversation goes to the copy that answered its beginning, whose prefix cache holds it, as long as that copy
has no more to do than the others. Replies depend on their seeds, never on which copy gives them.

Between two calls no copy has anything left to say: a call hears all of them out before it raises what one of
them, or its caller, raised. Where that cannot be, as a copy died or after Ctrl-C, all copies are ended.
"""

import contextlib
import multiprocessing
import os
import signal
import sys
import threading
import traceback
from collections.abc import Collection, Mapping, Sequence
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from multiprocessing.util import Finalize
from typing import Any

from rise_agents.types import Agent, OnReply, Reply, Requests, SamplingConfig, StreamingAgent
from rise_env.errors import AgentError, RiseError
from rise_env.types import Conversation

_PATIENCE = 60.0
"""Seconds that a copy has to close before it is killed."""

_MAX_PREFIXES = 1 << 16
"""Conversations whose copies are remembered; no prefix cache holds more."""

_LOOK = 1.0
"""Seconds of silence after which the copies are looked at, whether they live."""


class DataParallelAgent:
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
        self._why_closed = ""
        spawn = multiprocessing.get_context("spawn")
        self._lines: list[Connection] = []
        Finalize(self, _hang_up, (self._lines,), exitpriority=0)  # an exit waits for copies that wait for us
        self._processes: list[BaseProcess] = []
        try:
            for environment in environments:
                here, there = spawn.Pipe()
                arguments = (there, spec, dict(settings), dict(environment), tuple(known))
                process = spawn.Process(target=_serve, args=arguments)
                process.start()
                there.close()
                self._lines.append(here)
                self._processes.append(process)
            known_by_all: list[dict[str, Any]] = [_good(self._receive(i)) for i in range(len(self._lines))]
        except BaseException:
            self._end()
            raise
        self.attributes = known_by_all[0]
        self.name = str(self.attributes["name"])
        self.max_concurrent_requests = len(environments) * int(self.attributes["max_concurrent_requests"])
        """How many requests all copies can use at a time; 0 if the agent that is copied does not stream."""

    def act(
        self,
        conversations: Sequence[Conversation],
        sampling: SamplingConfig,
        seeds: Sequence[int] | None = None,
    ) -> list[Reply]:
        """Answer each conversation; see `Agent.act`.

        Raises:
            AgentError: A copy's agent raised, or returned too few replies: the copies live, and this was all
                they had to say. Or a copy died: all are ended, as after Ctrl-C.
            RiseError: As a copy's agent raised it; the copies live.
        """
        self._check_open()
        parts = self._deal(conversations)
        works = []
        for part in parts:
            own = None if seeds is None else [seeds[i] for i in part]
            works.append(("act", [conversations[i] for i in part], sampling, own))
        try:
            for line, work in zip(self._lines, works, strict=True):
                _send(line, work)
            told = [self._receive(copy) for copy in range(len(parts))]
        except BaseException as error:
            self._give_up(error)
            raise
        replies: dict[int, Reply] = {}
        for copy, part in enumerate(parts):
            made = _good(told[copy])
            if len(made) != len(part):
                raise AgentError(
                    f"copy {copy} of the agent returned {len(made)} replies to {len(part)} conversations"
                )
            replies |= zip(part, made, strict=True)
        return [replies[i] for i in range(len(conversations))]

    def stream(
        self,
        requests: Requests,
        sampling: SamplingConfig,
        on_reply: OnReply,
    ) -> None:
        """Answer conversations and what follows from the answers; see `StreamingAgent.stream`.

        What follows from an answer goes to the copy that gave it, so a quick copy does more of the work than
        a slow one.

        Raises:
            Exception: The first that `on_reply` or a copy's agent raised. Each of the other copies was
                stopped at its next reply, which nobody heard; the copies live.
            AgentError: A copy died: all are ended, as after Ctrl-C.
        """
        self._check_open()
        items = list(requests.items())
        parts = self._deal([conversation for conversation, _ in requests.values()])
        busy = {copy for copy, part in enumerate(parts) if part}
        failure: Exception | None = None
        try:
            for copy in busy:
                _send(self._lines[copy], ("stream", dict(items[i] for i in parts[copy]), sampling))
            while busy:
                for copy in self._ready(busy):
                    told = self._receive(copy)
                    if told is None or isinstance(told, Exception):
                        busy.remove(copy)
                        failure = failure or told
                    elif failure is not None:
                        _send(self._lines[copy], None)
                    else:
                        failure = self._pass_on(copy, told, on_reply)
        except BaseException as error:
            self._give_up(error)
            if failure is not None and isinstance(error, AgentError):
                raise failure from error
            raise
        if failure is not None:
            raise failure

    def _pass_on(
        self,
        copy: int,
        told: tuple[int, Reply],
        on_reply: OnReply,
    ) -> Exception | None:
        """Tell a copy what follows from its reply; or stop it and return what went wrong."""
        try:
            following = dict(on_reply(*told))
            for said, _ in following.values():
                self._remember(said, copy)
            _send(self._lines[copy], following)  # last, so that nothing was sent where something was raised
        except Exception as error:
            _send(self._lines[copy], None)
            return error
        return None

    def close(self) -> None:
        """Close every copy and end its process."""
        for line in self._lines:
            _send(line, None)
        for process in self._processes:
            process.join(_PATIENCE)
        self._end()

    def _check_open(self) -> None:
        if not self._lines:
            raise AgentError(f"agent {self.name} is closed{self._why_closed}")

    def _give_up(self, error: BaseException) -> None:
        self._why_closed = f": {error}" if isinstance(error, RiseError) else f": {error!r}"
        self._end()

    def _end(self) -> None:
        """End all processes, also those that are busy."""
        for process in self._processes:
            process.terminate()
        for process in self._processes:
            process.join(_PATIENCE)
            process.kill()
            process.join()
        _hang_up(self._lines)
        self._processes = []

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
            self._remember(conversations[index], home)
        return parts

    def _remember(self, conversation: Conversation, copy: int) -> None:
        if len(self._homes) == _MAX_PREFIXES:
            self._homes.clear()
        self._homes[_beginning(conversation)] = copy

    def _ready(self, copies: Collection[int]) -> list[int]:
        """Wait until one of these copies has said something or has ended; return which."""
        while True:
            spoken = wait([self._lines[copy] for copy in copies], _LOOK)
            if spoken:
                return [copy for copy in copies if self._lines[copy] in spoken]
            # what a copy has forked keeps its line open
            ended = [copy for copy in copies if not self._processes[copy].is_alive()]
            if ended:
                return ended

    def _receive(self, copy: int) -> Any:
        """Return what a copy says next: an answer, or an error; raise only where it died."""
        try:
            self._ready([copy])
            if not self._lines[copy].poll():
                raise EOFError
            return self._lines[copy].recv()
        except (EOFError, OSError):
            self._processes[copy].join(_PATIENCE)
            code = self._processes[copy].exitcode
            raise AgentError(f"copy {copy} of the agent ended with exit code {code}") from None


def _good(told: Any) -> Any:
    if isinstance(told, Exception):
        raise told
    return told


def _send(line: Connection, message: Any) -> None:
    try:
        line.send(message)
    except OSError:  # the other side ended; whoever waits for its answer finds out
        return


def _hang_up(lines: list[Connection]) -> None:
    while lines:
        lines.pop().close()


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
    leaving = threading.Event()  # an agent may make an error of the exit

    def leave(*_: object) -> None:
        leaving.set()
        sys.exit(0)  # so that the agent is closed

    signal.signal(signal.SIGTERM, leave)
    agent: Agent | None = None
    try:
        from rise_agents.registry import load_agent

        agent = load_agent(spec, **settings)
        told = {name: getattr(agent, name) for name in ("name", *known)}
        told["max_concurrent_requests"] = (
            agent.max_concurrent_requests if isinstance(agent, StreamingAgent) else 0
        )
        _send(line, told)
        while not leaving.is_set() and (work := _next(line)) is not None:
            try:
                _send(line, _do(agent, line, *work))
            except Exception as error:
                _send(line, _tellable(error))
    except Exception as error:
        _send(line, _tellable(error))
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)  # it is on its way
        if agent is not None:
            agent.close()


def _tellable(error: Exception) -> RiseError:
    if isinstance(error, RiseError):
        return error
    traceback.print_exception(error)
    return AgentError(f"a copy of the agent failed: {error!r}")


class _Stopped(Exception):
    """Comes out of an agent's stream that nobody listens to any more."""


def _do(agent: Any, line: Connection, kind: str, asked: Any, *how: Any) -> list[Reply] | None:
    def on_reply(key: int, reply: Reply) -> Any:
        _send(line, (key, reply))
        following = _next(line)
        if following is None:
            raise _Stopped
        return following

    if kind == "stream":
        with contextlib.suppress(_Stopped):
            agent.stream(asked, *how, on_reply)
        return None
    return list(agent.act(asked, *how)) if asked else []


def _next(line: Connection) -> Any:
    """Return what comes; end the process where nothing will, as the other side is gone."""
    try:
        return line.recv()
    except (EOFError, OSError):
        sys.exit(0)

"""The process of one replica: it loads an agent and executes the calls that arrive through a pipe."""

import contextlib
import os
import signal
import sys
import threading
import traceback
from multiprocessing.connection import Connection
from typing import Any

from rise_agents.types import Agent, Reply, StreamingAgent, StreamRequests
from rise_env.errors import AgentError, RiseError


def serve_replica(
    pipe: Connection,
    spec: str,
    settings: dict[str, Any],
    environment: dict[str, str],
    attributes: tuple[str, ...],
) -> None:
    """Execute calls until None arrives or the other end of the pipe is closed.

    `DataParallelAgent` starts a process with this function. The first message that it sends is a dict with
    the agent's attributes. Each call gets one answer: its result, or the exception that the agent raised.
    During a "stream" call, this process also sends each reply as soon as it is complete. The answer to it is
    a dict with the requests to add, or None, which ends the stream.

    Args:
        pipe: Connection to the `DataParallelAgent`.
        spec: The string that names the agent in `load_agent`.
        settings: The agent's settings for `load_agent`.
        environment: Variables to set before any library looks at the devices.
        attributes: Names of attributes of the agent for the first message, besides its name and
            max_concurrent_requests.
    """
    os.environ.update(environment)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # on Ctrl-C the parent decides what happens
    exiting = threading.Event()  # needed because an agent may catch SystemExit and raise something else

    def exit_on_sigterm(*_: object) -> None:
        exiting.set()
        sys.exit(0)  # runs the finally block, which closes the agent

    signal.signal(signal.SIGTERM, exit_on_sigterm)
    agent: Agent | None = None
    try:
        from rise_agents.registry import load_agent

        agent = load_agent(spec, **settings)
        send(pipe, _describe(agent, attributes))
        while not exiting.is_set() and (call := _receive(pipe)) is not None:
            try:
                send(pipe, _execute(agent, pipe, *call))
            except Exception as error:
                send(pipe, to_rise_error(error))
    except Exception as error:
        send(pipe, to_rise_error(error))
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)  # a second signal must not interrupt the closing
        if agent is not None:
            agent.close()


def send(pipe: Connection, message: Any) -> None:
    """Send a message. Do nothing if the other process has ended: the next receive reports it."""
    try:
        pipe.send(message)
    except OSError:
        return


def close_pipes(pipes: list[Connection]) -> None:
    """Close all pipes and empty the list."""
    while pipes:
        pipes.pop().close()


def to_rise_error(error: Exception) -> RiseError:
    """Return a RiseError, which the parent can unpickle. The traceback of another error is printed here."""
    if isinstance(error, RiseError):
        return error
    traceback.print_exception(error)
    return AgentError(f"a replica of the agent failed: {error!r}")


class _StreamStopped(Exception):
    """Ends the stream of an agent after the parent has sent None."""


def _describe(agent: Agent, attributes: tuple[str, ...]) -> dict[str, Any]:
    description = {name: getattr(agent, name) for name in ("name", *attributes)}
    description["max_concurrent_requests"] = (
        agent.max_concurrent_requests if isinstance(agent, StreamingAgent) else 0
    )
    return description


def _execute(agent: Any, pipe: Connection, method: str, requests: Any, *arguments: Any) -> list[Any] | None:
    if method == "stream":
        with contextlib.suppress(_StreamStopped):
            agent.stream(requests, *arguments, lambda number, reply: _pass_on(pipe, number, reply))
        return None
    return list(getattr(agent, method)(requests, *arguments)) if requests else []


def _pass_on(pipe: Connection, number: int, reply: Reply) -> StreamRequests:
    """Send a reply, and return the requests that follow from it."""
    send(pipe, (number, reply))
    added: StreamRequests | None = _receive(pipe)
    if added is None:
        raise _StreamStopped
    return added


def _receive(pipe: Connection) -> Any:
    """Return the next message, or exit the process if the parent is gone."""
    try:
        return pipe.recv()
    except (EOFError, OSError):
        sys.exit(0)

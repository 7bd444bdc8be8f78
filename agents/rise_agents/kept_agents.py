"""Keeps agents loaded from one command to the next in one process, because loading a model takes long."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Protocol, runtime_checkable

from rise_agents.rollouts.cleanup import close_all
from rise_agents.types import Agent

_Load = Callable[[], Agent]


@runtime_checkable
class ForgettingAgent(Protocol):
    """An agent that can become like a newly loaded one."""

    def forget(self) -> None:
        """Drop what earlier requests have left behind, such as cached attention keys and values."""


class KeptAgents:
    """Agents that `load_agent` returns again instead of loading them a second time."""

    def __init__(self) -> None:
        self._closing: dict[str, tuple[Agent, Callable[[], None]]] = {}
        """Name and settings of an agent -> the agent and what really closes it."""

    def load(self, spec: str, settings: Mapping[str, Any], load: _Load) -> Agent:
        """Return the agent that was loaded with the same name and settings, or load it.

        Its method `close` has no effect until these agents are closed. Agents whose settings JSON cannot
        represent are loaded each time.
        """
        try:
            key = json.dumps([spec, settings], sort_keys=True)
        except TypeError:
            return load()
        if key in self._closing:
            agent, _ = self._closing[key]
            if isinstance(agent, ForgettingAgent):
                agent.forget()
            return agent
        agent = load()
        close = agent.close
        try:
            agent.close = _stay_open  # type: ignore[method-assign]
        except AttributeError:  # the object has no attributes of its own
            return agent
        self._closing[key] = agent, close
        return agent

    def close(self) -> None:
        """Close all agents."""
        for agent, close in self._closing.values():
            agent.close = close  # type: ignore[method-assign]
        close_all(*(agent for agent, _ in self._closing.values()))
        self._closing = {}


_KEPT: ContextVar[KeptAgents | None] = ContextVar("kept_agents", default=None)


@contextmanager
def keep_agents() -> Iterator[None]:
    """Keep the agents that `load_agent` loads while the context is open; at its end, close them."""
    agents = KeptAgents()
    token = _KEPT.set(agents)
    try:
        yield
    finally:
        _KEPT.reset(token)
        agents.close()


def kept_or_loaded(spec: str, settings: Mapping[str, Any], load: _Load) -> Agent:
    """Return an agent that is kept in this context, or the one that `load` returns; see `KeptAgents.load`."""
    agents = _KEPT.get()
    return load() if agents is None else agents.load(spec, settings, load)


def _stay_open() -> None:
    """Take the place of `close` of an agent that is kept."""

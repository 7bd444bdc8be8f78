"""The scripts that have started and not ended, and their open requests."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic

from rise_agents.deliberation.script import Ask, Result, Script
from rise_agents.types import Agent, Reply, SamplingConfig

Group = tuple[Agent, SamplingConfig]
"""The requests that can be answered together: those to one agent, with one sampling."""

Place = tuple[int, int]
"""An open request: (number of its script, position among the requests that the script yielded together)."""


@dataclass(slots=True)
class _Waiting:
    """A script that waits for replies."""

    script: Script[Any]
    replies: list[Reply | None]
    """One per request of its latest yield; None while the request is open."""
    missing: int
    """How many requests are open."""


class RunningScripts(Generic[Result]):
    """Starts scripts, keeps their open requests, and passes replies to them.

    Args:
        next_script: Returns a new script, or None if there is none at present.
        on_end: Called with the result of each script that ends.
        limit: Maximal number of scripts that run at a time; None is any number.
    """

    def __init__(
        self,
        next_script: Callable[[], Script[Result] | None],
        on_end: Callable[[Result], None],
        limit: int | None,
    ) -> None:
        self._next_script = next_script
        self._on_end = on_end
        self._limit = limit
        self._waiting: dict[int, _Waiting] = {}
        """Number of a script -> the script. Scripts are numbered in the order in which they start."""
        self._started = 0
        self.open: dict[Place, Ask] = {}
        """All open requests."""

    def start(self) -> list[Place]:
        """Start scripts until `limit` run or there is no further one; return their requests."""
        opened: list[Place] = []
        while self._limit is None or len(self._waiting) < self._limit:
            script = self._next_script()
            if script is None:
                break
            number = self._started
            self._started += 1
            opened += self._advance(number, script, None)
        return opened

    def answer(self, place: Place, reply: Reply) -> list[Place]:
        """Give the reply to an open request. If its script continues, return the script's new requests."""
        number, position = place
        waiting = self._waiting[number]
        del self.open[place]
        waiting.replies[position] = reply
        waiting.missing -= 1
        if waiting.missing:
            return []
        return self._advance(number, waiting.script, [r for r in waiting.replies if r is not None])

    def busiest_group(self) -> Group:
        """Return the agent and the sampling with the most open requests, the first one among equals."""
        asks = [ask for _, ask in sorted(self.open.items(), key=lambda item: item[0])]
        agents = {id(ask.agent): ask.agent for ask in asks}
        [((busiest, sampling), _)] = Counter((id(ask.agent), ask.sampling) for ask in asks).most_common(1)
        return agents[busiest], sampling

    def waiting_for(self, group: Group) -> list[Place]:
        """Return the open requests to an agent with a sampling, those of the oldest script first."""
        return sorted(self.of_group(group, list(self.open)))

    def of_group(self, group: Group, places: Sequence[Place]) -> list[Place]:
        """Return those of some open requests that ask an agent with a sampling, in the same order."""
        agent, sampling = group
        asks = [(place, self.open[place]) for place in places]
        return [place for place, ask in asks if ask.agent is agent and ask.sampling == sampling]

    def _advance(self, number: int, script: Script[Result], replies: list[Reply] | None) -> list[Place]:
        """Run a script until it asks for something or ends; `replies` is None at its start."""
        self._waiting.pop(number, None)
        try:
            asks = next(script) if replies is None else script.send(replies)
            while not asks:
                asks = script.send([])
        except StopIteration as end:
            self._on_end(end.value)
            return []
        self._waiting[number] = _Waiting(script, [None] * len(asks), len(asks))
        places = [(number, position) for position in range(len(asks))]
        self.open.update(zip(places, asks, strict=True))
        return places

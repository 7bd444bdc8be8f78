"""Carrying episodes forward: each is a script that asks for replies, one after another.

All that wait for the same agent are asked together, in lock step; an agent that streams is given the next
request of an episode as soon as it has answered the last one.
"""

import logging
from collections.abc import Generator, Sequence
from dataclasses import dataclass

import numpy as np

from rise_agents.asking import SETUP_ERRORS, ask
from rise_agents.base import Agent, Reply, SamplingConfig, StreamingAgent
from rise_agents.degenerate import is_degenerate
from rise_agents.episodes import LiveEpisode
from rise_agents.expert_agent import ToldAgent
from rise_env.errors import ConfigError
from rise_env.types import Conversation

_log = logging.getLogger(__name__)

MAX_REDRAWS = 8
"""How often a turn is drawn anew while all its replies are degenerate; then the last one stays."""


@dataclass(frozen=True, slots=True)
class TurnPlan:
    """Who plays a turn, and how often they may try."""

    agent: Agent
    samples: int = 1
    """Replies to draw at most: drawing ends with the first correct one, the first best by reward counts."""
    until_correct: bool = True
    """False draws all of them, as a majority vote needs."""

    def __post_init__(self) -> None:
        if self.samples < 1:
            raise ConfigError(f"samples must be at least 1, got {self.samples}")


@dataclass(frozen=True, slots=True)
class Request:
    """What a script waits for."""

    agent: Agent
    conversation: Conversation
    seed: int


Script = Generator[Request, Reply, None]


def play(
    episodes: Sequence[LiveEpisode],
    plan: Sequence[TurnPlan],
    sampling: SamplingConfig,
    seed: int,
    *,
    drop_degenerate: bool,
) -> None:
    """Play episodes to their ends; see `rollout`.

    Raises:
        AgentError: An agent answered nothing at all.
    """
    for agent in {id(step.agent): step.agent for step in plan}.values():
        if isinstance(agent, ToldAgent):
            agent.learn([episode.problem for episode in episodes])
    scripts = [_script(episode, plan, seed, drop_degenerate) for episode in episodes]
    waiting = _Waiting(scripts)
    streamed: set[int] = set()
    while waiting.requests:
        agent = next(iter(waiting.requests.values())).agent
        if isinstance(agent, StreamingAgent) and agent.streams and id(agent) not in streamed:
            streamed.add(id(agent))  # once: if it breaks off, what is left is asked in the usual way
            _stream(agent, waiting, sampling)
            if not waiting.of(agent):
                streamed.discard(id(agent))
            continue
        places = waiting.of(agent)
        asked = [waiting.requests[place] for place in places]
        replies = ask(agent, [r.conversation for r in asked], sampling, [r.seed for r in asked])
        for place, reply in zip(places, replies, strict=True):
            waiting.advance(place, reply)


def request_seed(seed: int, index: int, turn: int, draw: int) -> int:
    """Return the seed of one reply, in [0, 2**63)."""
    return int(np.random.SeedSequence((seed, index, turn, draw)).generate_state(1, np.uint64)[0] >> 1)


class _Waiting:
    """The scripts that wait for a reply, by their places."""

    def __init__(self, scripts: Sequence[Script]) -> None:
        self._scripts = scripts
        self.requests: dict[int, Request] = {}
        for place, script in enumerate(scripts):
            request = next(script, None)
            if request is not None:
                self.requests[place] = request

    def of(self, agent: Agent) -> list[int]:
        """Return the places that wait for this agent, in order."""
        return [place for place, request in self.requests.items() if request.agent is agent]

    def advance(self, place: int, reply: Reply) -> Request | None:
        """Hand a reply over; return what its script asks for next, None at its end."""
        try:
            self.requests[place] = self._scripts[place].send(reply)
        except StopIteration:
            del self.requests[place]
        return self.requests.get(place)


def _stream(agent: StreamingAgent, waiting: _Waiting, sampling: SamplingConfig) -> None:
    def hear(place: int, reply: Reply) -> tuple[Conversation, int] | None:
        following = waiting.advance(place, reply)
        if following is None or following.agent is not agent:
            return None
        return following.conversation, following.seed

    requests = {p: (waiting.requests[p].conversation, waiting.requests[p].seed) for p in waiting.of(agent)}
    try:
        agent.stream(requests, sampling, hear)
    except SETUP_ERRORS:
        raise
    except Exception as error:  # `ask` finds out whose fault it is
        _log.warning("%s broke off streaming, its conversations are asked again: %r", agent.name, error)


def _script(episode: LiveEpisode, plan: Sequence[TurnPlan], seed: int, drop_degenerate: bool) -> Script:
    for turn, step in enumerate(plan):
        last = step.samples + (MAX_REDRAWS if drop_degenerate else 0) - 1
        for draw in range(last + 1):
            if not episode.live:
                return
            reply = yield Request(
                step.agent, episode.conversation, request_seed(seed, episode.index, turn, draw)
            )
            stuck = drop_degenerate and reply.finish != "error" and is_degenerate(reply.text)
            if not stuck or (draw == last and not episode.attempts):
                _hear(episode, step, reply)
            if not _draws_on(episode, step, draw + 1):
                break
        episode.take_turn()


def _hear(episode: LiveEpisode, step: TurnPlan, reply: Reply) -> None:
    if reply.finish == "error":
        episode.fail(f"{step.agent.name}: {reply.text}")
    else:
        episode.hear(step.agent.name, reply, check=step.samples > 1)


def _draws_on(episode: LiveEpisode, step: TurnPlan, drawn: int) -> bool:
    if not episode.live:
        return False
    if drawn >= step.samples:
        return not episode.attempts  # all were degenerate
    return not (step.until_correct and episode.solved)

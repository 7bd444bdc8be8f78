"""Carrying episodes forward: each is a script that asks for replies, one after another.

A number of episodes is live at a time, each in a slot. All that wait for the same agent are asked together,
in lock step, and the next ones begin when all have ended: conversations of one length make the best batches.
An agent that streams is given the next request of a slot, of the same episode or of a new one, as soon as it
has answered the last one.
"""

import logging
from collections import Counter
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from rise_agents.backends.expert_agent import ProblemAwareAgent
from rise_agents.rollout.degenerate import is_degenerate
from rise_agents.rollout.episode_runner import EpisodeRunner
from rise_agents.rollout.fault_isolation import SETUP_ERRORS, FaultIsolator
from rise_agents.types import Agent, Reply, Requests, SamplingConfig, StreamingAgent
from rise_env.errors import AgentError, ConfigError
from rise_env.types import Conversation, Problem

_log = logging.getLogger(__name__)

MAX_REDRAWS = 8
"""How often a turn is drawn anew while all its replies are degenerate; then the last one stays."""


@dataclass(frozen=True, slots=True)
class TurnPlan:
    """Who plays a turn, and how often they may try."""

    agent: Agent
    num_samples: int = 1
    """Replies to draw at most: drawing ends with the first correct one, the first best by reward counts."""
    until_correct: bool = True
    """False draws all of them, as a majority vote needs."""

    def __post_init__(self) -> None:
        if self.num_samples < 1:
            raise ConfigError(f"samples must be at least 1, got {self.num_samples}")
        if not isinstance(self.agent.name, str):
            raise ConfigError(f"an agent's name must be a text, got {self.agent.name!r}")


@dataclass(frozen=True, slots=True)
class Request:
    """What a script waits for."""

    agent: Agent
    conversation: Conversation
    seed: int
    problem: Problem
    """For agents that are told what they are asked about."""


Script = Generator[Request, Reply, None]


def run_episodes(
    episodes: Iterator[EpisodeRunner],
    plan: Sequence[TurnPlan],
    sampling: SamplingConfig,
    seed: int,
    *,
    max_concurrent_episodes: int,
    drop_degenerate: bool,
    ended: Callable[[EpisodeRunner], None],
) -> None:
    """Play episodes to their ends; see `rollout`.

    Args:
        episodes: Asked for the next one when there is room.
        plan: One entry per turn.
        sampling: How replies are drawn.
        seed: Of the rollout.
        max_concurrent_episodes: How many to play at a time.
        drop_degenerate: See `rollout`.
        ended: Called with each episode that is over, before the next one takes its slot.

    Raises:
        AgentError: An agent answers nothing any more.
    """
    slots = _Slots(
        episodes,
        max_concurrent_episodes,
        lambda episode: _script(episode, plan, seed, drop_degenerate),
        ended,
    )
    asker = FaultIsolator()
    broken: set[int] = set()
    """Agents whose stream has left requests open: these are asked in the usual way."""
    while slots.requests or slots.fill():
        agent = slots.busiest_agent()
        if _streams(agent) and id(agent) not in broken:
            _stream(agent, slots, sampling, asker)
            if slots.of(agent):
                broken.add(id(agent))
            continue
        broken.discard(id(agent))
        places = slots.of(agent)
        asked = [slots.requests[place] for place in places]
        if isinstance(agent, ProblemAwareAgent):
            agent.set_problems([request.problem for request in asked])
        replies = asker.ask(agent, [r.conversation for r in asked], sampling, [r.seed for r in asked])
        for place, reply in zip(places, replies, strict=True):
            slots.advance(place, reply)


def derive(seed: int, index: int, turn: int, draw: int) -> int:
    """Return the seed of one reply, in [0, 2**63)."""
    return int(np.random.SeedSequence((seed, index, turn, draw)).generate_state(1, np.uint64)[0] >> 1)


class _Slots:
    """The episodes that are live, each with what it waits for."""

    def __init__(
        self,
        episodes: Iterator[EpisodeRunner],
        count: int,
        script: Callable[[EpisodeRunner], Script],
        ended: Callable[[EpisodeRunner], None],
    ) -> None:
        self._episodes = episodes
        self._count = count
        self._script = script
        self._ended = ended
        self._live: dict[int, tuple[EpisodeRunner, Script]] = {}
        self.requests: dict[int, Request] = {}

    def fill(self) -> bool:
        """Begin episodes in all free slots; say whether any is live."""
        for slot in range(self._count):
            self.begin(slot)
        return bool(self._live)

    def busiest_agent(self) -> Agent:
        """Return the agent that most wait for."""
        agents = {id(request.agent): request.agent for request in self.requests.values()}
        [(most, _)] = Counter(id(request.agent) for request in self.requests.values()).most_common(1)
        return agents[most]

    def of(self, agent: Agent) -> list[int]:
        """Return the slots that wait for this agent, in order."""
        return [slot for slot, request in self.requests.items() if request.agent is agent]

    def advance(self, slot: int, reply: Reply) -> None:
        """Hand a reply over."""
        episode, script = self._live[slot]
        try:
            self.requests[slot] = script.send(reply)
        except StopIteration:
            del self._live[slot], self.requests[slot]
            self._ended(episode)

    def begin(self, slot: int) -> None:
        """Begin the next episode that asks for a reply, if this slot is free."""
        if slot in self._live:
            return
        for episode in self._episodes:
            script = self._script(episode)
            request = next(script, None)
            if request is not None:
                self._live[slot], self.requests[slot] = (episode, script), request
                return
            self._ended(episode)


def _streams(agent: Agent) -> bool:
    return (
        isinstance(agent, StreamingAgent)
        and agent.max_concurrent_requests > 0
        and not isinstance(agent, ProblemAwareAgent)
    )


def _stream(agent: Any, slots: _Slots, sampling: SamplingConfig, asker: FaultIsolator) -> None:
    """Play on as long as the agent is asked.

    What it fails to answer is believed when it has answered something that it was asked later: else it may be
    dead, and no episode has to pay for that.

    Raises:
        AgentError: It answers nothing any more.
    """
    asked: dict[int, int] = {}
    """Number of a request -> its slot."""
    count = 0
    failed: dict[int, tuple[int, Reply]] = {}
    """Slot -> how many requests there were when it failed, and its reply."""
    ours: list[BaseException] = []
    """What was raised here and not by the agent."""

    def request(slot: int) -> tuple[int, tuple[Conversation, int]]:
        nonlocal count
        asked[count] = slot
        count += 1
        return count - 1, (slots.requests[slot].conversation, slots.requests[slot].seed)

    def on_reply(number: int, reply: Reply) -> Requests:
        slot = asked.pop(number, None)
        if slot is None:
            raise AgentError(f"{agent.name} answered a request that is not open: {number}")
        if reply.finish == "error":
            failed[slot] = (count, reply)
            return {}
        asker.answered(agent, slots.requests[slot].conversation)
        believed = [place for place, (before, _) in failed.items() if before <= number]
        try:
            for place in believed:
                slots.advance(place, failed.pop(place)[1])
            slots.advance(slot, reply)
            following = [slot, *believed]
            for place in following:
                slots.begin(place)
            waiting = {place: slots.requests.get(place) for place in following}
            return dict(request(p) for p, r in waiting.items() if r is not None and r.agent is agent)
        except BaseException as error:
            ours.append(error)
            raise

    slots.fill()
    try:
        agent.stream(dict(request(slot) for slot in slots.of(agent)), sampling, on_reply)
    except SETUP_ERRORS:
        raise
    except Exception as error:
        if error in ours:
            raise
        _log.warning("%s broke off streaming, its conversations are asked again: %r", agent.name, error)
        return
    conversations = [slots.requests[slot].conversation for slot in failed]
    asker.judge(agent, conversations, [reply for _, reply in failed.values()], sampling)
    for slot, (_, reply) in failed.items():
        slots.advance(slot, reply)


def _script(episode: EpisodeRunner, plan: Sequence[TurnPlan], seed: int, drop_degenerate: bool) -> Script:
    for turn, step in enumerate(plan):
        last = step.num_samples + (MAX_REDRAWS if drop_degenerate else 0) - 1
        for draw in range(last + 1):
            if not episode.live:
                return
            reply = yield Request(
                step.agent,
                episode.conversation,
                derive(seed, episode.index, turn, draw),
                episode.problem,
            )
            stuck = drop_degenerate and reply.finish != "error" and is_degenerate(reply.text)
            if not stuck or (draw == last and not episode.attempts):
                _hear(episode, step, reply)
            if not _draws_on(episode, step, draw + 1):
                break
        episode.step()


def _hear(episode: EpisodeRunner, step: TurnPlan, reply: Reply) -> None:
    if reply.finish == "error":
        episode.fail(f"{step.agent.name}: {reply.text}")
    else:
        episode.add_reply(step.agent.name, reply, check=step.num_samples > 1)


def _draws_on(episode: EpisodeRunner, step: TurnPlan, drawn: int) -> bool:
    if not episode.live:
        return False
    if drawn >= step.num_samples:
        return not episode.attempts  # all were degenerate
    return not (step.until_correct and episode.solved)

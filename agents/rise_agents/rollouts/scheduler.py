"""The scheduler: decides which requests of many concurrent episodes an agent answers together.

Each episode is a generator that yields a `ReplyRequest` and receives the `Reply`. A fixed number of slots
hold the active episodes. There are two modes; the agent decides which one is used:

- Lock step: all requests for one agent with one sampling form one batch, and new episodes start when all
  active ones have ended. Conversations of the same turn have similar lengths, which makes efficient batches.
- Streaming (`StreamingAgent`): as soon as a reply arrives, the slot's next request is added to the stream,
  from the same episode or from a new one. A stream has one sampling; requests with another one wait for
  the next stream.
"""

import logging
from collections import Counter
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeGuard

from rise_agents.rollouts.degenerate import is_degenerate
from rise_agents.rollouts.episode_runner import EpisodeRunner
from rise_agents.rollouts.fault_isolation import SETUP_ERRORS, FaultIsolator
from rise_agents.rollouts.turn_plan import TurnPlan
from rise_agents.types import (
    Agent,
    ProblemAwareAgent,
    Reply,
    SamplingConfig,
    StreamingAgent,
    StreamRequests,
)
from rise_env.errors import AgentError
from rise_env.types import Conversation, Problem
from rise_env.utils.seeding import derive

_log = logging.getLogger(__name__)

MAX_REDRAWS = 8
"""Maximal number of further samples in a turn whose replies are degenerate. The last one is then kept."""


@dataclass(frozen=True, slots=True)
class ReplyRequest:
    """A request of an episode for one reply of one agent."""

    agent: Agent
    sampling: SamplingConfig
    conversation: Conversation
    seed: int
    problem: Problem
    """The problem of the episode, which a `ProblemAwareAgent` receives."""


Group = tuple[Agent, SamplingConfig]
"""The requests that can be answered together: those to one agent, with one sampling."""

EpisodeScript = Generator[ReplyRequest, Reply, None]
"""A generator that plays one episode: it yields requests and receives the replies."""


def run_episodes(
    episodes: Iterator[EpisodeRunner],
    plan: Sequence[TurnPlan],
    sampling: SamplingConfig,
    seed: int,
    *,
    max_concurrent_episodes: int,
    drop_degenerate: bool,
    on_end: Callable[[EpisodeRunner], None],
) -> None:
    """Play episodes to their ends. `rollout` and `collect` call this.

    Args:
        episodes: The episodes; the next one is taken when a slot is free.
        plan: One entry per turn.
        sampling: How replies are sampled at the turns whose plan has no sampling of its own.
        seed: Seed of the rollout; see `rollout`.
        max_concurrent_episodes: Number of slots.
        drop_degenerate: See `rollout`.
        on_end: Called with each finished episode, before its slot takes the next one.

    Raises:
        AgentError: An agent no longer answers any request.
    """
    slots = _Slots(
        episodes,
        max_concurrent_episodes,
        lambda episode: _script(episode, plan, sampling, seed, drop_degenerate),
        on_end,
    )
    isolator = FaultIsolator()
    interrupted: set[tuple[int, SamplingConfig]] = set()
    """Ids of agents, with the sampling, whose last stream left requests unanswered. These requests are asked
    in lock step."""
    while slots.requests or slots.fill():
        group = slots.busiest_group()
        agent, of_group = group
        if _streams(agent) and (id(agent), of_group) not in interrupted:
            _stream(agent, of_group, slots, isolator)
            if slots.waiting_for(group):
                interrupted.add((id(agent), of_group))
            continue
        interrupted.discard((id(agent), of_group))
        waiting = slots.waiting_for(group)
        requests = [slots.requests[slot] for slot in waiting]
        if isinstance(agent, ProblemAwareAgent):
            agent.set_problems([request.problem for request in requests])
        replies = isolator.ask(
            agent, [r.conversation for r in requests], of_group, [r.seed for r in requests]
        )
        for slot, reply in zip(waiting, replies, strict=True):
            slots.send(slot, reply)


class _Slots:
    """The active episodes, each with the request that it waits for."""

    def __init__(
        self,
        episodes: Iterator[EpisodeRunner],
        count: int,
        script: Callable[[EpisodeRunner], EpisodeScript],
        on_end: Callable[[EpisodeRunner], None],
    ) -> None:
        self._episodes = episodes
        self._count = count
        self._script = script
        self._on_end = on_end
        self._active: dict[int, tuple[EpisodeRunner, EpisodeScript]] = {}
        self.requests: dict[int, ReplyRequest] = {}
        """Slot -> the request that its episode waits for."""

    def fill(self) -> bool:
        """Start episodes in all free slots; return whether any episode is active."""
        for slot in range(self._count):
            self.start(slot)
        return bool(self._active)

    def start(self, slot: int) -> None:
        """If this slot is free, start episodes until one requests a reply."""
        if slot in self._active:
            return
        for episode in self._episodes:
            script = self._script(episode)
            request = next(script, None)
            if request is not None:
                self._active[slot], self.requests[slot] = (episode, script), request
                return
            self._on_end(episode)

    def send(self, slot: int, reply: Reply) -> None:
        """Pass the requested reply to the episode in this slot."""
        episode, script = self._active[slot]
        try:
            self.requests[slot] = script.send(reply)
        except StopIteration:
            del self._active[slot], self.requests[slot]
            self._on_end(episode)

    def busiest_group(self) -> Group:
        """Return the agent and the sampling with the most requests."""
        agents = {id(request.agent): request.agent for request in self.requests.values()}
        counts = Counter((id(request.agent), request.sampling) for request in self.requests.values())
        [((busiest, sampling), _)] = counts.most_common(1)
        return agents[busiest], sampling

    def waiting_for(self, group: Group) -> list[int]:
        """Return the slots whose episodes wait for this agent with this sampling."""
        return [slot for slot, request in self.requests.items() if _is_of(request, group)]


def _is_of(request: ReplyRequest, group: Group) -> bool:
    agent, sampling = group
    return request.agent is agent and request.sampling == sampling


def _streams(agent: Agent) -> TypeGuard[StreamingAgent]:
    return (
        isinstance(agent, StreamingAgent)
        and agent.max_concurrent_requests > 0
        and not isinstance(agent, ProblemAwareAgent)
    )


class _Stream:
    """One call of `StreamingAgent.stream`: passes replies to the slots, and returns their next requests.

    A failed reply is kept back until the agent has answered a request that was made later, because the agent
    may be dead. A dead agent ends the run with an error; it must not make its episodes fail one by one.
    """

    def __init__(
        self, agent: StreamingAgent, sampling: SamplingConfig, slots: _Slots, isolator: FaultIsolator
    ) -> None:
        self._agent = agent
        self._sampling = sampling
        self._slots = slots
        self._isolator = isolator
        self._slot_of: dict[int, int] = {}
        """Number of an open request -> its slot."""
        self._count = 0
        """Number of requests so far."""
        self.failed: dict[int, tuple[int, Reply]] = {}
        """Slot -> (requests made before the failure, failed reply), for failures that are kept back."""
        self.error: BaseException | None = None
        """The exception of an episode or of `on_end`; None if there is none or the agent raised."""

    def request(self, slot: int) -> tuple[int, tuple[Conversation, int]]:
        """Number the request of this slot, and return it as an item of `StreamRequests`."""
        number = self._count
        self._slot_of[number] = slot
        self._count += 1
        return number, (self._slots.requests[slot].conversation, self._slots.requests[slot].seed)

    def on_reply(self, number: int, reply: Reply) -> StreamRequests:
        """Pass a reply to its episode, and return the requests that follow; see `OnReply`."""
        slot = self._slot_of.pop(number, None)
        if slot is None:
            raise AgentError(f"{self._agent.name} answered a request that is not open: {number}")
        if reply.finish == "error":
            self.failed[slot] = (self._count, reply)
            return {}
        self._isolator.note_answered(self._agent, self._slots.requests[slot].conversation)
        confirmed = [place for place, (count, _) in self.failed.items() if count <= number]
        try:
            for place in confirmed:
                self._slots.send(place, self.failed.pop(place)[1])
            self._slots.send(slot, reply)
            return self._next_requests([slot, *confirmed])
        except BaseException as error:
            self.error = error
            raise

    def _next_requests(self, places: Sequence[int]) -> StreamRequests:
        for place in places:
            self._slots.start(place)
        waiting = {place: self._slots.requests.get(place) for place in places}
        return dict(
            self.request(place)
            for place, request in waiting.items()
            if request is not None and _is_of(request, (self._agent, self._sampling))
        )


def _stream(agent: StreamingAgent, sampling: SamplingConfig, slots: _Slots, isolator: FaultIsolator) -> None:
    """Play with a streaming agent until no episode waits for it with this sampling.

    If the agent's stream raises or returns early, the open requests stay in their slots.

    Raises:
        AgentError: The agent no longer answers any request.
    """
    stream = _Stream(agent, sampling, slots, isolator)
    slots.fill()
    waiting = slots.waiting_for((agent, sampling))
    try:
        agent.stream(dict(map(stream.request, waiting)), sampling, stream.on_reply)
    except SETUP_ERRORS:
        raise
    except Exception as error:
        if error is stream.error:
            raise
        _log.warning("the stream of %s failed; its open requests are asked again: %r", agent.name, error)
        return
    conversations = [slots.requests[slot].conversation for slot in stream.failed]
    isolator.check_alive(agent, conversations, [reply for _, reply in stream.failed.values()], sampling)
    for slot, (_, reply) in stream.failed.items():
        slots.send(slot, reply)


def _script(
    episode: EpisodeRunner,
    plan: Sequence[TurnPlan],
    sampling: SamplingConfig,
    seed: int,
    drop_degenerate: bool,
) -> EpisodeScript:
    """Yield the requests of one episode, and record the replies."""
    for turn, turn_plan in enumerate(plan):
        last = turn_plan.num_samples + (MAX_REDRAWS if drop_degenerate else 0) - 1
        for draw in range(last + 1):
            if not episode.active:
                return
            reply = yield ReplyRequest(
                turn_plan.agent,
                turn_plan.sampling or sampling,
                episode.conversation,
                derive(seed, episode.index, turn, draw),
                episode.problem,
            )
            dropped = drop_degenerate and reply.finish != "error" and is_degenerate(reply.text)
            if not dropped or (draw == last and not episode.attempts):
                _record(episode, turn_plan, reply)
            if not _needs_more_samples(episode, turn_plan, draw + 1):
                break
        episode.step()


def _record(episode: EpisodeRunner, turn_plan: TurnPlan, reply: Reply) -> None:
    if reply.finish == "error":
        episode.fail(f"{turn_plan.agent.name}: {reply.text}")
    else:
        episode.add_reply(turn_plan.agent.name, reply, check=turn_plan.num_samples > 1)


def _needs_more_samples(episode: EpisodeRunner, turn_plan: TurnPlan, drawn: int) -> bool:
    if not episode.active:
        return False
    if drawn >= turn_plan.num_samples:
        return not episode.attempts  # all were degenerate
    return not (turn_plan.until_correct and episode.solved)

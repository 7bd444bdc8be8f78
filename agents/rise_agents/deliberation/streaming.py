"""Answers the requests of scripts with one call of `StreamingAgent.stream`."""

import logging
from collections.abc import Sequence
from typing import Any

from rise_agents.deliberation.message_copies import copy_for_agent
from rise_agents.deliberation.running_scripts import Place, RunningScripts
from rise_agents.rollouts.fault_isolation import SETUP_ERRORS, FaultIsolator
from rise_agents.types import Reply, SamplingConfig, StreamingAgent, StreamRequests
from rise_env.errors import AgentError
from rise_env.types import Conversation

_log = logging.getLogger(__name__)


def stream_replies(
    agent: StreamingAgent, sampling: SamplingConfig, scripts: RunningScripts[Any], isolator: FaultIsolator
) -> None:
    """Answer requests to an agent until no script waits for it with this sampling.

    If the agent's stream raises or returns early, the remaining requests stay open.

    Raises:
        DeadAgentError: The agent no longer answers any request.
    """
    stream = _Stream(agent, sampling, scripts, isolator)
    scripts.start()
    requests = stream.requests(scripts.waiting_for((agent, sampling)))
    try:
        agent.stream(requests, sampling, stream.on_reply)
    except SETUP_ERRORS:
        raise
    except Exception as error:
        if error is stream.error:
            raise
        _log.warning("the stream of %s failed; its open requests are asked again: %r", agent.name, error)
        return
    conversations = [scripts.open[place].conversation for place in stream.failed]
    isolator.check_alive(agent, conversations, [reply for _, reply in stream.failed.values()], sampling)
    for place, (_, reply) in stream.failed.items():
        scripts.answer(place, reply)


class _Stream:
    """Passes the replies of a stream to the scripts, and returns their next requests.

    A failed reply is kept back until the agent has answered a request that was made later, because the agent
    may be dead. A dead agent ends the run with an error; it must not make its episodes fail one by one.
    """

    def __init__(
        self,
        agent: StreamingAgent,
        sampling: SamplingConfig,
        scripts: RunningScripts[Any],
        isolator: FaultIsolator,
    ) -> None:
        self._agent = agent
        self._sampling = sampling
        self._scripts = scripts
        self._isolator = isolator
        self._place_of: dict[int, Place] = {}
        """Number of a request of the stream that is not answered yet -> its place."""
        self._count = 0
        """Number of requests so far."""
        self.failed: dict[Place, tuple[int, Reply]] = {}
        """Place -> (requests made before the failure, failed reply), for failures that are kept back."""
        self.error: BaseException | None = None
        """The exception of a script or of its end; None if there is none or the agent raised."""

    def requests(self, places: Sequence[Place]) -> dict[int, tuple[Conversation, int]]:
        """Number open requests, and return them as `StreamRequests`."""
        numbered = {}
        for place in places:
            ask = self._scripts.open[place]
            self._place_of[self._count] = place
            numbered[self._count] = (copy_for_agent(ask.conversation), ask.seed)
            self._count += 1
        return numbered

    def on_reply(self, number: int, reply: Reply) -> StreamRequests:
        """Pass a reply to its script, and return the requests that follow; see `OnReply`."""
        place = self._place_of.pop(number, None)
        if place is None:
            raise AgentError(f"{self._agent.name} answered a request that is not open: {number}")
        if reply.finish == "error":
            self.failed[place] = (self._count, reply)
            return {}
        self._isolator.note_answered(self._agent, self._scripts.open[place].conversation)
        confirmed = [failed for failed, (count, _) in self.failed.items() if count <= number]
        try:
            after_failures: list[Place] = []
            for failed in confirmed:
                after_failures += self._scripts.answer(failed, self.failed.pop(failed)[1])
            opened = [*self._scripts.answer(place, reply), *after_failures, *self._scripts.start()]
        except BaseException as error:
            self.error = error
            raise
        return self.requests(self._scripts.of_group((self._agent, self._sampling), opened))

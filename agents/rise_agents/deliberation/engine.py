"""The engine that runs many scripts at a time: it decides which requests an agent answers together.

There are two modes; the agent that is asked decides which one is used:

- Lock step: all requests to one agent with one sampling form one batch, and new scripts start when all
  active ones have ended. Conversations of the same turn have similar lengths, which makes efficient batches.
- Streaming (`StreamingAgent`): as soon as a reply arrives, the next requests of its script, or of a new
  script, are added to the stream. A stream has one sampling; requests with another one wait for the next
  stream.

The replies that a script receives do not depend on the scripts that run beside it, apart from rounding
differences between batches of different sizes; see `Agent.act`.
"""

from collections.abc import Callable
from typing import TypeGuard

from rise_agents.deliberation.running_scripts import Group, RunningScripts
from rise_agents.deliberation.script import Ask, Result, Script
from rise_agents.deliberation.streaming import stream_replies
from rise_agents.rollouts.fault_isolation import FaultIsolator
from rise_agents.types import Agent, ProblemAwareAgent, SamplingConfig, StreamingAgent
from rise_env.errors import ConfigError
from rise_env.types import Problem


def run_scripts(
    next_script: Callable[[], Script[Result] | None],
    on_end: Callable[[Result], None],
    *,
    limit: int | None = None,
) -> None:
    """Run scripts to their ends.

    Args:
        next_script: Returns a new script, or None if there is none at present. It is called when a script may
            start: at the beginning, and after scripts have ended, also if it has returned None before.
        on_end: Called with the result of each script that ends, before a further one starts.
        limit: Maximal number of scripts that run at a time; None is any number.

    Raises:
        DeadAgentError: An agent no longer answers any request.
        ConfigError: A script asked a `ProblemAwareAgent` without a problem, or an agent raised it.
        Exception: Whatever a script, `next_script` or `on_end` raises.
    """
    scripts = RunningScripts(next_script, on_end, limit)
    isolator = FaultIsolator()
    interrupted: set[tuple[int, SamplingConfig]] = set()
    """Ids of agents, with the sampling, whose last stream left requests open. These requests are asked in
    lock step."""
    while scripts.open or scripts.start():
        group = scripts.busiest_group()
        agent, sampling = group
        if _streams(agent) and (id(agent), sampling) not in interrupted:
            stream_replies(agent, sampling, scripts, isolator)
            if scripts.waiting_for(group):
                interrupted.add((id(agent), sampling))
            continue
        interrupted.discard((id(agent), sampling))
        _ask_together(group, scripts, isolator)


def _ask_together(group: Group, scripts: RunningScripts[Result], isolator: FaultIsolator) -> None:
    """Answer all open requests to an agent with a sampling in one batch."""
    agent, sampling = group
    places = scripts.waiting_for(group)
    asks = [scripts.open[place] for place in places]
    if isinstance(agent, ProblemAwareAgent):
        agent.set_problems([_problem_of(ask) for ask in asks])
    conversations = [ask.conversation for ask in asks]
    replies = isolator.ask(agent, conversations, sampling, [ask.seed for ask in asks])
    for place, reply in zip(places, replies, strict=True):
        scripts.answer(place, reply)


def _problem_of(ask: Ask) -> Problem:
    if ask.problem is None:
        raise ConfigError(f"{ask.agent.name} needs the problem of each conversation: set Ask.problem")
    return ask.problem


def _streams(agent: Agent) -> TypeGuard[StreamingAgent]:
    return (
        isinstance(agent, StreamingAgent)
        and agent.max_concurrent_requests > 0
        and not isinstance(agent, ProblemAwareAgent)
    )

"""A script: a generator that asks agents for replies, and ends with a result.

    def majority(agent, conversation, sampling, seed):
        seeds = ask_seeds(seed)
        replies = yield [Ask(agent, conversation, next(seeds), sampling) for _ in range(5)]
        return Counter(reply.text for reply in replies).most_common(1)[0][0]

`run_scripts` runs many scripts together, and answers the requests of all of them in common batches.
"""

from collections.abc import Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import count
from typing import TypeVar

from rise_agents.types import Agent, Reply, SamplingConfig
from rise_env.types import Conversation, Problem, Usage
from rise_env.utils.seeding import derive

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Ask:
    """One request of a script: it asks an agent for one reply."""

    agent: Agent
    conversation: Conversation
    seed: int
    """See `Agent.act`."""
    sampling: SamplingConfig
    problem: Problem | None = None
    """The problem of the conversation. Only a `ProblemAwareAgent` receives it, and it needs it."""


Script = Generator[Sequence[Ask], list[Reply], Result]
"""A generator that yields requests and receives their replies in the same order; it returns its result.

The requests of one yield may be answered at the same time. A request that failed has a reply whose `finish`
is "error" and whose text is the reason. To be reproducible, a script must depend on its arguments and the
replies only, and not on the time or on other scripts.
"""


def ask_seeds(seed: int) -> Iterator[int]:
    """Return the seeds of a script's requests: that of the n-th request is `derive(seed, n)`.

    Args:
        seed: Seed of the script.
    """
    return map(partial(derive, seed), count())


def summed_usage(usages: Iterable[Usage]) -> Usage:
    """Return the usage of several replies together; its `calls` is their number."""
    prompt = completion = cached = calls = 0
    for usage in usages:
        prompt += usage.prompt_tokens
        completion += usage.completion_tokens
        cached += usage.cached_tokens
        calls += max(1, usage.calls)
    return Usage(
        prompt_tokens=prompt,
        completion_tokens=completion,
        cached_tokens=cached,
        calls=calls if calls > 1 else 0,
    )

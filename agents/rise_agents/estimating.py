"""How many calls and tokens a collection may need at most, before anything is asked."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import gymnasium

from rise_agents.pacing import Prices
from rise_env.types import Conversation, Usage

CHARACTERS_PER_TOKEN = 3.0
"""A careful guess for text that was not tokenized yet: English has about 4."""

SAMPLE = 50
"""Problems that are looked at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """The most that episodes can ask for: no problem solved early, every reply of full length."""

    episodes: int
    calls: int
    prompt_tokens: int
    completion_tokens: int
    usd: float | None
    """None where there are no prices."""

    def times(self, count: int) -> "Estimate":
        """Return the estimate of as many such collections."""
        return Estimate(
            episodes=count * self.episodes,
            calls=count * self.calls,
            prompt_tokens=count * self.prompt_tokens,
            completion_tokens=count * self.completion_tokens,
            usd=None if self.usd is None else count * self.usd,
        )

    def __str__(self) -> str:
        cost = "" if self.usd is None else f", ${self.usd:,.2f}"
        return (
            f"{self.episodes} episodes: at most {self.calls:,} calls, about {self.prompt_tokens:,} prompt "
            f"and {self.completion_tokens:,} generated tokens{cost}"
        )


def estimate_episodes(
    env: gymnasium.Env[Any, str],
    indices: Sequence[int],
    *,
    samples: Sequence[int],
    max_new_tokens: int,
    prices: Mapping[str, float] | None = None,
    beside: int = 0,
) -> Estimate:
    """Return the most that these episodes can ask for, from a sample of their problems.

    Args:
        env: The environment; it is played with empty replies.
        indices: Of the problems.
        samples: Draws at each turn.
        max_new_tokens: Per reply.
        prices: US dollars per million tokens; see `Prices`.
        beside: Tokens that each prompt holds beside the environment's.
    """
    prompts = prompt_tokens(env, indices, turns=len(samples), max_new_tokens=max_new_tokens)
    prompt = sum((length + beside) * draws for length, draws in zip(prompts, samples, strict=True))
    calls = len(indices) * sum(samples)
    usage = Usage(prompt_tokens=round(prompt * len(indices)), completion_tokens=calls * max_new_tokens)
    return Estimate(
        episodes=len(indices),
        calls=calls,
        prompt_tokens=usage.prompt_tokens,
        completion_tokens=usage.completion_tokens,
        usd=None if prices is None else Prices(**dict(prices)).cost(usage),
    )


def prompt_tokens(
    env: gymnasium.Env[Any, str], indices: Sequence[int], *, turns: int, max_new_tokens: int
) -> list[float]:
    """Return the mean length of the prompt at every turn, in tokens, when all replies are of full length.

    Args:
        env: The environment; it is played with empty replies.
        indices: Of the problems, of which some are looked at.
        turns: How many prompts.
        max_new_tokens: Per reply.
    """
    looked_at = indices[:: max(1, len(indices) // SAMPLE)][:SAMPLE]
    means = [0.0] * turns
    for index in looked_at:
        conversation, _ = env.reset(seed=0, options={"index": index})
        for turn in range(turns):
            means[turn] += (_tokens(conversation) + turn * max_new_tokens) / len(looked_at)
            if turn < turns - 1:
                conversation, *_ = env.step("")
    return means


def _tokens(conversation: Conversation) -> float:
    return sum(len(message["content"]) / CHARACTERS_PER_TOKEN + 8 for message in conversation)

"""How many calls and tokens a collection may need at most, before anything is asked."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import gymnasium

from rise_agents.client.rate_limit import Prices
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
    """Of the calls that have a price; None where there are no prices."""
    unpriced: int = 0
    """Calls without a price, where others have one."""

    def times(self, count: int) -> "Estimate":
        """Return the estimate of as many such collections."""
        return replace(
            self,
            episodes=count * self.episodes,
            calls=count * self.calls,
            prompt_tokens=count * self.prompt_tokens,
            completion_tokens=count * self.completion_tokens,
            usd=None if self.usd is None else count * self.usd,
            unpriced=count * self.unpriced,
        )

    def __str__(self) -> str:
        cost = "" if self.usd is None else f", ${self.usd:,.2f}"
        if self.usd is not None and self.unpriced:
            cost += f" for {self.calls - self.unpriced:,} calls; the other {self.unpriced:,} have no price"
        return (
            f"{self.episodes} episodes: at most {self.calls:,} calls, about {self.prompt_tokens:,} prompt "
            f"and {self.completion_tokens:,} generated tokens{cost}"
        )


def estimate_episodes(
    env: gymnasium.Env[Any, str],
    indices: Sequence[int],
    *,
    num_samples: Sequence[int],
    max_new_tokens: int,
    prices: Prices | None = None,
    teacher_prices: Prices | None = None,
    beside: int = 0,
) -> Estimate:
    """Return the most that these episodes can ask for, from a sample of their problems.

    Args:
        env: The environment; it is played with empty replies.
        indices: Of the problems.
        num_samples: Draws at each turn.
        max_new_tokens: Per reply.
        prices: Of the turns before the last one.
        teacher_prices: Of the last turn.
        beside: Tokens that each prompt holds beside the environment's.
    """
    prompts = prompt_tokens(env, indices, turns=len(num_samples), max_new_tokens=max_new_tokens)
    calls = [len(indices) * draws for draws in num_samples]
    read = [(length + beside) * count for length, count in zip(prompts, calls, strict=True)]
    paid = [prices] * (len(num_samples) - 1) + [teacher_prices]
    usd = [
        price.cost(Usage(prompt_tokens=round(tokens), completion_tokens=count * max_new_tokens))
        for price, tokens, count in zip(paid, read, calls, strict=True)
        if price is not None
    ]
    return Estimate(
        episodes=len(indices),
        calls=sum(calls),
        prompt_tokens=round(sum(read)),
        completion_tokens=sum(calls) * max_new_tokens,
        usd=sum(usd) if usd else None,
        unpriced=sum(count for price, count in zip(paid, calls, strict=True) if price is None),
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

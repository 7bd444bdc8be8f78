"""An estimate of the calls, tokens and cost of a collection, computed before it starts."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import gymnasium

from rise_agents.client.rate_limit import Prices, estimate_prompt_tokens
from rise_agents.rollouts.scheduler import MAX_REDRAWS
from rise_env.envs.math_env import math_env_of
from rise_env.types import Usage

MAX_SAMPLED_PROBLEMS = 50
"""Number of problems whose prompts are measured."""

FEEDBACK_PROMPT = 60
"""Length of the prompt for feedback, in tokens."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """Calls, tokens and cost if no problem is solved before the last turn and every reply has maximal length.

    So `calls` and `completion_tokens` are upper bounds, except for the redraws of `drop_degenerate` and for
    requests that are sent again after a failure. The lengths of prompts are estimated from their characters.
    """

    episodes: int
    calls: int
    prompt_tokens: int
    completion_tokens: int
    usd: float | None
    """US dollars for the calls that have a price; None if no call has one."""
    unpriced: int = 0
    """Calls without a price."""
    redraws: int = 0
    """Maximal number of further calls in which `drop_degenerate` samples replies again. The other fields do
    not include them, because few replies are repetitive."""
    searched: int = 0
    """Replies of searches that only a number of tokens limits. Each counts as one call, and needs more."""

    def times(self, count: int) -> "Estimate":
        """Return the estimate for this number of such collections."""
        return replace(
            self,
            episodes=count * self.episodes,
            calls=count * self.calls,
            prompt_tokens=count * self.prompt_tokens,
            completion_tokens=count * self.completion_tokens,
            usd=None if self.usd is None else count * self.usd,
            unpriced=count * self.unpriced,
            redraws=count * self.redraws,
            searched=count * self.searched,
        )

    def __str__(self) -> str:
        cost = "" if self.usd is None else f", ${self.usd:,.2f}"
        if self.usd is not None and self.unpriced:
            cost += f" for {self.calls - self.unpriced:,} calls; the other {self.unpriced:,} have no price"
        redraws = (
            f"; drop_degenerate may add up to {self.redraws:,} calls, which are not included"
            if self.redraws
            else ""
        )
        if self.searched:
            redraws += (
                f"; {self.searched:,} replies of searches that only a number of tokens limits need more "
                "calls than the one that is counted"
            )
        return (
            f"{self.episodes} episodes: at most {self.calls:,} calls, about {self.prompt_tokens:,} prompt "
            f"and {self.completion_tokens:,} generated tokens{cost}{redraws}"
        )


def estimate_episodes(
    env: gymnasium.Env[Any, str],
    indices: Sequence[int],
    *,
    num_samples: Sequence[int],
    max_new_tokens: Sequence[int],
    prices: Sequence[Prices | None] | None = None,
    extra_prompt_tokens: int = 0,
    drop_degenerate: bool = False,
    feedback_tokens: int = 0,
    feedback_prices: Prices | None = None,
    calls_per_reply: Sequence[int | None] = (),
) -> Estimate:
    """Return the estimate for these episodes. The lengths of prompts come from a sample of the problems.

    Args:
        env: The environment. It is stepped with empty replies.
        indices: Indices of the problems to play.
        num_samples: Number of replies at each turn.
        max_new_tokens: Maximal length of a reply at each turn.
        prices: Prices of the calls of each turn, None for a turn whose calls have no price; None if none has.
        extra_prompt_tokens: Tokens that each prompt contains in addition to the environment's conversation.
        drop_degenerate: Whether repetitive replies are sampled again; see `rollout`.
        feedback_tokens: Maximal length of the feedback that an agent writes after each turn but the last one;
            0 if the environment writes it.
        feedback_prices: Prices of the calls of that agent; None if they have no price.
        calls_per_reply: Calls per reply at each turn, see `registry.calls_per_reply`; empty is one.
    """
    longest = max(max_new_tokens)
    prompts = prompt_tokens(
        env, indices, turns=len(num_samples), max_new_tokens=longest, feedback_tokens=feedback_tokens
    )
    per_reply = list(calls_per_reply) or [1] * len(num_samples)
    replies = [len(indices) * draws for draws in num_samples]
    calls = [count * (per or 1) for count, per in zip(replies, per_reply, strict=True)]
    all_prompts = [
        (length + extra_prompt_tokens) * count for length, count in zip(prompts, calls, strict=True)
    ]
    paid: list[Prices | None] = [None] * len(calls) if prices is None else list(prices)
    generated = [count * length for count, length in zip(calls, max_new_tokens, strict=True)]
    if feedback_tokens:
        for length in prompts[:-1]:
            calls.append(len(indices))
            all_prompts.append((length + longest + FEEDBACK_PROMPT) * len(indices))
            generated.append(feedback_tokens * len(indices))
            paid.append(feedback_prices)
    usd = [
        price.cost(Usage(prompt_tokens=round(tokens), completion_tokens=length))
        for price, tokens, length in zip(paid, all_prompts, generated, strict=True)
        if price is not None
    ]
    return Estimate(
        episodes=len(indices),
        calls=sum(calls),
        prompt_tokens=round(sum(all_prompts)),
        completion_tokens=sum(generated),
        usd=sum(usd) if usd else None,
        unpriced=sum(count for price, count in zip(paid, calls, strict=True) if price is None),
        redraws=MAX_REDRAWS * len(num_samples) * len(indices) if drop_degenerate else 0,
        searched=sum(count for count, per in zip(replies, per_reply, strict=True) if per is None),
    )


def prompt_tokens(
    env: gymnasium.Env[Any, str],
    indices: Sequence[int],
    *,
    turns: int,
    max_new_tokens: int,
    feedback_tokens: int = 0,
) -> list[float]:
    """Return the mean length of the prompt at each turn, in tokens, if all replies have the maximal length.

    Args:
        env: The environment. It is stepped with empty replies.
        indices: Indices of the problems; at most `MAX_SAMPLED_PROBLEMS` of them are measured.
        turns: Number of turns.
        max_new_tokens: Maximal length of a reply.
        feedback_tokens: Maximal length of feedback that an agent writes.
    """
    inner = math_env_of(env)
    sampled = indices[:: max(1, len(indices) // MAX_SAMPLED_PROBLEMS)][:MAX_SAMPLED_PROBLEMS]
    means = [0.0] * turns
    for index in sampled:
        conversation, _ = env.reset(seed=0, options={"index": index})
        for turn in range(turns):
            further = turn * (max_new_tokens + feedback_tokens)
            means[turn] += (estimate_prompt_tokens(conversation) + further) / len(sampled)
            if turn < turns - 1:
                if inner.rules.feedback_is_written:
                    inner.write_feedback("")
                conversation, *_ = env.step("")
    return means

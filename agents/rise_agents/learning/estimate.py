"""The most that `rise learn` may ask for, by role, computed without loading an agent."""

from rise_agents.client.rate_limit import estimate_prompt_tokens, read_prices
from rise_agents.learning.config import LearnConfig
from rise_agents.learning.learn import check_agents, parts
from rise_agents.learning.plays import Part
from rise_agents.registry import calls_per_reply
from rise_agents.rollouts.cost_estimate import Estimate, estimate_episodes
from rise_env.types import Usage

_WORDS_OF_PROMPTS = 150
"""Length of what a reflector is asked besides the episode, in tokens."""


def described(config: LearnConfig) -> str:
    """Return lines with the most calls, tokens and dollars of each role.

    Raises:
        ConfigError: There is no such agent, or a setting is wrong.
    """
    check_agents(config, here=False)
    train, validate = parts(config)
    if config.method == "memory":
        return "\n".join(
            [
                f"agent      {_played(config, train, 1)}",
                f"reflector  {_reflected(config, train, config.train * (1 + config.memory.compress))}",
            ]
        )
    settings = config.rules
    tests = 1 + settings.proposals * (1 + settings.retries)
    of_step = [
        _played(config, train.at(range(min(settings.batch, config.train))), settings.draws),
        _played(config, validate.at(range(min(settings.step_validate, config.validate))), settings.draws),
    ]
    asked = settings.batch + settings.proposals * (1 + settings.retries)
    return "\n".join(
        [
            f"pool of failures   {_played(config, train, 1)}",
            *(f"each step, agent   {part.times(tests)}" for part in of_step),
            f"each step, reflector  {_reflected(config, train, asked)}",
            f"no step begins after {settings.calls:,} calls",
            f"at the end         {_played(config, validate, 1).times(2)}",
        ]
    )


def _played(config: LearnConfig, part: Part, draws: int) -> Estimate:
    price = read_prices(config.agent_settings.get("prices"))
    words = config.rules.words * 4 // 3  # tokens of the rules
    return estimate_episodes(
        part.make_env(),
        part.indices,
        num_samples=[draws] * config.turns,
        max_new_tokens=[config.sampling.max_new_tokens] * config.turns,
        prices=[price] * config.turns,
        extra_prompt_tokens=words,
        calls_per_reply=[calls_per_reply(config.agent, config.agent_settings)] * config.turns,
    )


def _reflected(config: LearnConfig, train: Part, calls: int) -> Estimate:
    own = config.reflector is None
    price = read_prices((config.agent_settings if own else config.reflector_settings).get("prices"))
    new = (config.reflector_sampling or config.sampling).max_new_tokens
    conversation, _ = train.make_env().reset(seed=0, options={"index": 0})
    episode = estimate_prompt_tokens(conversation) + config.turns * config.sampling.max_new_tokens
    usage = Usage(prompt_tokens=round(calls * (episode + _WORDS_OF_PROMPTS)), completion_tokens=calls * new)
    return Estimate(
        episodes=calls,
        calls=calls,
        prompt_tokens=usage.prompt_tokens,
        completion_tokens=usage.completion_tokens,
        usd=None if price is None else price.cost(usage),
        unpriced=calls if price is None else 0,
    )

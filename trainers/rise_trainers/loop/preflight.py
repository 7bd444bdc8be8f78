"""Checks of a run before it starts."""

import rise_env
from rise_agents.registry import check_agent, takes_model
from rise_env.envs.math_env import math_env_of
from rise_env.errors import ConfigError
from rise_trainers.fitting.fit import check_inputs
from rise_trainers.loop.config import RunConfig, environment_settings, first_model, fit_config


def check_run(config: RunConfig) -> int:
    """Check agents, problems, model and fit settings; return the number of training problems.

    Raises:
        ConfigError: A setting is wrong.
        DataNotFoundError: The problems or the model do not exist.
    """
    check_agents(config)
    sizes = {}
    for split in (config.problems.train_split, config.problems.test_split):
        env = rise_env.make(config.env, **environment_settings(config, split))
        sizes[split] = len(math_env_of(env).problems)
    check_size(config, sizes[config.problems.test_split])
    model = first_model(config)
    check_inputs(fit_config(config, data=(__file__,), model=model, output="", seed=0))
    return sizes[config.problems.train_split]


def check_agents(config: RunConfig) -> None:
    """Check the agents of a run.

    Raises:
        ConfigError: An agent does not exist, has no such settings, or cannot play with the model of the run.
    """
    if not takes_model(config.agent.backend):
        raise ConfigError(
            f"agent.backend is {config.agent.backend!r}, which does not play with a model that the run "
            "trains: name an agent whose argument is a model, for example 'transformers'"
        )
    check_agent(f"{config.agent.backend}:{config.agent.model}", config.agent.settings)
    if config.improve.teacher is not None:
        check_agent(config.improve.teacher, config.improve.teacher_settings)
    if config.boost is not None:
        check_agent(config.boost.teacher, config.boost.settings)


def check_size(config: RunConfig, size: int) -> None:
    """Raise ConfigError if the test split has fewer problems than an evaluation takes."""
    if config.problems.test > size:
        raise ConfigError(
            f"problems.test is {config.problems.test}, but split {config.problems.test_split!r} has "
            f"{size} problems: lower problems.test"
        )

"""What can be found wrong with a run before it starts."""

from typing import Any

import rise_env
from rise_agents.registry import check_agent
from rise_env.errors import ConfigError
from rise_trainers.fitting.fit import check_inputs
from rise_trainers.loop.config import RunConfig, fit_config
from rise_trainers.loop.phases import first_model


def check_run(config: RunConfig) -> int:
    """Find out what would fail later; return how many training problems there are."""
    check_teachers(config)
    sizes = {}
    for split in (config.problems.train_split, config.problems.test_split):
        settings: dict[str, Any] = {**config.problems.settings, "split": split}
        if config.problems.data_dir is not None:
            settings["data_dir"] = config.problems.data_dir
        env = rise_env.make(config.env, **settings)
        sizes[split] = len(env.unwrapped.problems)  # type: ignore[attr-defined]
    check_size(config, sizes[config.problems.test_split])
    model = first_model(config)
    check_inputs(fit_config(config, data=(__file__,), model=model, output="", seed=0))
    return sizes[config.problems.train_split]


def check_teachers(config: RunConfig) -> None:
    """Raise ConfigError where an agent of the run does not exist or has no such settings."""
    check_agent(f"{config.agent.backend}:{config.agent.model}", config.agent.settings)
    if config.improve.teacher is not None:
        check_agent(config.improve.teacher, config.improve.teacher_settings)
    if config.boost is not None:
        check_agent(config.boost.teacher, config.boost.settings)


def check_size(config: RunConfig, size: int) -> None:
    """Raise ConfigError where more problems are measured on than the split has."""
    if config.problems.test > size:
        raise ConfigError(
            f"problems.test is {config.problems.test}, and split {config.problems.test_split!r} has "
            f"{size} problems"
        )

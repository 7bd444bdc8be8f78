"""Runs `rise learn`: claims the folder, loads the agents, and lets the method learn.

    RUN/learn.yaml          the settings
    RUN/plays/*.jsonl       stores of all episodes
    RUN/reflector.journal   every reply of the reflector
    RUN/steps.jsonl         rules: one line per step;  RUN/rules.json: the rules
    RUN/memory.jsonl        memory: its events
    RUN/result.json         what was learned, and what it cost

All state is in these files. After a kill at any point, the same command goes on, with equal results.
"""

import json
from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import yaml

import rise_env
from rise_agents.backends.sage_agent import SageAgent
from rise_agents.learning import prompts
from rise_agents.learning.config import LearnConfig
from rise_agents.learning.plays import Part, Player
from rise_agents.learning.reflector import Reflector
from rise_agents.memory.learner import MEMORY, MemoryLearner
from rise_agents.registry import check_agent, deciding_settings, load_agent
from rise_agents.rollouts.cleanup import close_all
from rise_agents.rollouts.rollout import PATH_SETTINGS, prompt_record
from rise_agents.rules.learner import RulesLearner
from rise_agents.types import Agent
from rise_env.envs.math_env import math_env_of
from rise_env.errors import ConfigError
from rise_env.problems.conventions import is_stated
from rise_env.problems.loading import find_set
from rise_env.trajectories.output_folder import check_output_folder, make_output_folder
from rise_env.types import Trajectory
from rise_env.utils.file_lock import exclusive
from rise_env.utils.seeding import derive
from rise_env.utils.settings import deciding_settings as deciding
from rise_env.utils.settings import differences, plain

SETTINGS, RESULT = "learn.yaml", "result.json"


class Learner(Protocol):
    """A method of learning between episodes."""

    def run(self) -> dict[str, Any]:
        """Learn until the end, and return the result as JSON values. A run that was killed goes on."""
        ...


def run(config: LearnConfig, say: Callable[[str], None] = print) -> dict[str, Any]:
    """Learn, and return the result, which is also in RUN/result.json.

    Args:
        config: The settings.
        say: Called with lines that tell how the learning goes.

    Raises:
        AgentError: An agent no longer answers any request.
        ConfigError: A setting is wrong, or the folder is of another run.
        StoreError: A file cannot be written, or is damaged.
    """
    train, validate = parts(config)
    check_output_folder(config.out)
    check_agents(config, here=True)
    out = Path(config.out)
    _claim(out, config)
    loaded: list[Agent] = []
    with exclusive(out):
        try:
            loaded.append(load_agent(config.agent, **config.agent_settings))
            if config.reflector is not None:
                loaded.append(load_agent(config.reflector, **config.reflector_settings))
            result = _learner(config, loaded[0], loaded[-1], train, validate, say).run()
        finally:
            close_all(*loaded)
        if config.method == "rules":
            result |= _conventions(train, result)
        (out / RESULT).write_text(json.dumps(result, indent=1) + "\n")
    return result


def parts(config: LearnConfig) -> tuple[Part, Part]:
    """Return the problems to learn from, and those to test with.

    Raises:
        ConfigError: The split has too few problems.
    """
    given = {name.replace("-", "_"): value for name, value in config.env_settings.items()}
    split = given.pop("split", "train")
    make_env = partial(rise_env.make, config.env, max_turns=config.turns, stop_when_correct=True, **given)
    train_env = partial(make_env, split=split)
    size = len(math_env_of(train_env()).problems)
    has_validation = ":" not in config.env and "validation" in find_set(config.env).sizes
    if split == "train" and has_validation:
        test_env, first = partial(make_env, split="validation"), 0
        test_size = len(math_env_of(test_env()).problems)
    else:
        test_env, first, test_size = train_env, config.train, size
    tested = 0 if config.method == "memory" else first + config.validate
    for name, wanted, there in (
        ("train", config.train, size),
        ("validate", tested, test_size),
    ):
        if wanted > there:
            raise ConfigError(
                f"{name} is {getattr(config, name)}, which needs {wanted} problems, but {config.env} has "
                f"{there} in the split: set a smaller --{name}"
            )
    return (
        Part(train_env, tuple(range(config.train))),
        Part(test_env, tuple(range(first, first + config.validate))),
    )


def check_agents(config: LearnConfig, *, here: bool) -> None:
    """Check the agents without making them; see `registry.check_agent`."""
    check_agent(config.agent, config.agent_settings, here=here)
    if config.reflector is not None:
        check_agent(config.reflector, config.reflector_settings, here=here)


def _learner(
    config: LearnConfig,
    agent: Agent,
    reflector: Agent,
    train: Part,
    validate: Part,
    say: Callable[[str], None],
) -> Learner:
    out = Path(config.out)
    if config.reflector is None and isinstance(agent, SageAgent):
        reflector = agent.agent
    record = _record(config, agent, reflector)
    player = Player(
        folder=out / "plays",
        record={"command": "learn", **record},
        turns=config.turns,
        sampling=config.sampling,
        max_concurrent_episodes=config.max_concurrent_episodes,
    )
    asker = Reflector(
        reflector, out / "reflector.journal", config.reflector_sampling or config.sampling, config.seed
    )
    if config.method == "memory":
        if not isinstance(agent, SageAgent) or agent.memory.items:
            raise ConfigError("method memory begins with an empty memory: leave agent_settings.memory out")

        def play(number: int, remembering: SageAgent, part: Part) -> list[Trajectory]:
            seed = derive(config.seed, number)
            return [one for [one] in player.play(f"generation-{number}", remembering, [part], seed=seed)]

        return MemoryLearner(
            out / MEMORY,
            agent,
            asker,
            train,
            play,
            config.memory,
            env=config.env,
            reference=config.reference,
            say=say,
        )
    return RulesLearner(
        out,
        agent,
        asker,
        train,
        validate,
        player,
        config.rules,
        reference=config.reference,
        seed=config.seed,
        made_from=record,
        say=say,
    )


def _record(config: LearnConfig, agent: Agent, reflector: Agent) -> dict[str, Any]:
    """Return what the learning depends on, as JSON values, for stores and results."""
    settings = {name.replace("-", "_"): value for name, value in config.env_settings.items()}
    return {
        "env": config.env,
        "env_settings": {name: value for name, value in settings.items() if name not in PATH_SETTINGS},
        "learned_with": agent.name,
        "reflector": reflector.name,
        "reference": config.reference,
        "train": config.train,
        "seed": config.seed,
        "texts": prompts.texts_digest(),
        **prompt_record(settings),
    }


def _claim(out: Path, config: LearnConfig) -> None:
    """Write the settings into a new folder, or check that an existing one belongs to the same run."""
    mine, path = plain(asdict(config)), out / SETTINGS
    if path.exists():
        found = yaml.safe_load(path.read_text())
        if not isinstance(found, dict):
            raise ConfigError(f"{path} is damaged; choose another folder with --out, or delete {out}")
        changed = differences(_deciding(found), _deciding(mine))
        if changed:
            raise ConfigError(
                f"{out} is a run with other settings ({', '.join(changed)}); "
                "choose another folder with --out, or the same settings to continue it"
            )
    elif out.exists() and any(entry.suffix != ".new" for entry in out.iterdir()):
        raise ConfigError(f"{out} is not empty and holds no run; choose another folder with --out")
    make_output_folder(out)
    new = path.with_suffix(".new")
    new.write_text(yaml.safe_dump(mine, sort_keys=False))
    new.replace(path)


def _deciding(settings: dict[str, Any]) -> dict[str, Any]:
    kept = deciding(LearnConfig, settings)
    kept["agent_settings"] = deciding_settings(settings["agent"], settings["agent_settings"])
    if settings["reflector"] is not None:
        kept["reflector_settings"] = deciding_settings(settings["reflector"], settings["reflector_settings"])
    env = settings["env_settings"]
    kept["env_settings"] = {name: value for name, value in env.items() if name not in PATH_SETTINGS}
    return kept


def _conventions(train: Part, result: dict[str, Any]) -> dict[str, Any]:
    """Return how many conventions what was learned states, for sets that have conventions."""
    conventions = getattr(math_env_of(train.make_env()).problems, "conventions", ())
    if not conventions:
        return {}
    text = "\n".join(result["rules"])
    stated = sum(is_stated(convention, text) for convention in conventions)
    return {"conventions": {"stated": stated, "all": len(conventions)}}

"""All checks of a run before its first reply. `rise run` and `rise run --dry-run` make the same ones.

Cheap checks come first. No weights are loaded and nothing is written.
"""

import contextlib
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from typing import Any

import rise_env
from rise_agents.chat.chat_settings import ChatSettings
from rise_agents.chat.loading import load_chat
from rise_agents.deliberation.feedback_settings import feedback_agent
from rise_agents.engines.ray_engine import refuse_cost_cap
from rise_agents.evaluation.evaluate_agents import EvaluateConfig
from rise_agents.evaluation.with_workers import number_of_workers
from rise_agents.registry import check_agent, takes_model
from rise_agents.rollouts.collect_config import CollectConfig
from rise_env.envs.math_env import math_env_of
from rise_env.errors import ConfigError
from rise_env.trajectories.output_folder import check_output_folder
from rise_env.types import Problem
from rise_env.utils.extras import missing_library
from rise_env.utils.settings import build
from rise_trainers.checks.before_fit import check_before_fit
from rise_trainers.checks.fit_machine import check_devices, check_libraries
from rise_trainers.checks.resources import check_disk, free_bytes
from rise_trainers.cli.label import LabelConfig
from rise_trainers.data.chat_format import load_fit_chat
from rise_trainers.fitting.config import FitConfig, given_chat
from rise_trainers.fitting.fit import check_inputs
from rise_trainers.loop.config import (
    FIT_NAMES,
    RunConfig,
    environment_settings,
    first_model,
    fit_config,
    fits,
)
from rise_trainers.loop.estimate import disk_bytes
from rise_trainers.loop.inputs import find_inputs
from rise_trainers.loop.memory import GIB
from rise_trainers.loop.model_texts import teacher_settings, with_models
from rise_trainers.loop.phases import Phase, plan_phases

_DECIDED = {
    "split": "problems.train_split and problems.test_split",
    "max_turns": "turns and measure.turns",
    "stop_when_correct": "improve.after_success",
}
"""Arguments of the environment -> the settings of a run that decide them."""
_CHAT = ("chat_template", "template_options", "thinking", "date")
_SEARCHED = 64
"""Number of problems that are searched for a worked solution."""


@dataclass(frozen=True, slots=True)
class MachineCheck:
    """A check that depends on this machine: on its files, libraries, devices, keys or free space."""

    what: str
    call: Callable[[], str]
    """Returns what was found; raises a `RiseError` that says what to do."""


def check_run(config: RunConfig) -> int:
    """Check everything that can be known of a run; return the number of training problems.

    Raises:
        ConfigError: A setting is wrong.
        DataNotFoundError: The problems or the model do not exist.
        MissingDependencyError: A library is not installed.
    """
    check_output_folder(config.out)
    check_settings(config)
    check_agents(config)
    for fit in fits_of(config).values():
        check_inputs(fit)
    sizes = {}
    for split in (config.problems.train_split, config.problems.test_split):
        env = rise_env.make(config.env, **environment_settings(config, split))
        sizes[split] = len(math_env_of(env).problems)
        if split == config.problems.train_split:
            check_solutions(config, math_env_of(env).problems)
    check_size(config, sizes[config.problems.test_split])
    train_size = sizes[config.problems.train_split]
    check_phases(config, train_size)
    for check in machine_checks(config):
        check.call()
    inputs = find_inputs(config)
    with contextlib.redirect_stdout(sys.stderr):  # DeepSpeed prints while it is imported
        check_run_disk(config, plan_phases(config, train_size, inputs))
    return train_size


def machine_checks(config: RunConfig) -> list[MachineCheck]:
    """Return the checks of the machine on which a run is started, the cheap ones first.

    They find the files of the settings in place; `rise run` has checked these before.
    """
    fits = {name.replace(".", " "): fit for name, fit in fits_of(config).items()}
    checks = [MachineCheck(f"{name}: libraries", partial(_libraries, fit)) for name, fit in fits.items()]
    checks.append(MachineCheck("devices", partial(_devices, fits["fit"])))
    if config.workers:
        checks.append(MachineCheck(f"workers {config.workers}", partial(_workers, config.workers)))
    if config.track != "none":
        checks.append(MachineCheck(f"track {config.track}", partial(_tracker, config.track)))
    for name, spec, settings in _agents(config):
        checks.append(MachineCheck(f"{name} {spec}", partial(_agent, spec, settings)))
    checks += [
        MachineCheck(f"{name}: model, memory", partial(_before_fit, fit)) for name, fit in fits.items()
    ]
    checks.append(MachineCheck("chat format", partial(_formats, config, fits["fit"])))
    return checks


def check_run_disk(config: RunConfig, phases: Sequence[Phase]) -> str:
    """Compare the disk that a run needs with what is free; return a sentence with both.

    Raises:
        ConfigError: Too little is free.
    """
    needed = disk_bytes([phase.estimate for phase in phases if phase.estimate is not None])
    free = free_bytes(config.out) / GIB
    if needed is None:
        return f"{free:.1f} GiB are free; the need is unknown without the model's configuration"
    check_disk(needed, config.out, "the run")
    return f"at most {needed / GIB:.1f} GiB at a time; {free:.1f} GiB are free"


def _libraries(fit: FitConfig) -> str:
    check_libraries(fit)
    return "installed"


def _devices(fit: FitConfig) -> str:
    if fit.hostfile is not None:
        return "those of the hostfile: not checked"
    gpus = check_devices(fit)
    return f"{len(gpus)} x GPU with {min(gpus) / GIB:.1f} GiB" if gpus else "no GPU: the CPU is used"


def _tracker(name: str) -> str:
    if find_spec(name) is None:
        raise missing_library(name, "track")
    return "installed"


def _workers(workers: str) -> str:
    if find_spec("ray") is None:
        raise missing_library("ray", "workers")
    return f"{number_of_workers(workers)} workers"


def _agent(spec: str, settings: Mapping[str, Any]) -> str:
    check_agent(spec, settings, here=True)
    return "can be made"


def _before_fit(fit: FitConfig) -> str:
    return "; ".join(check_before_fit(fit)) or "ok"


def _formats(config: RunConfig, fit: FitConfig) -> str:
    check_formats(config, fit)
    return "fits read conversations as the model plays them"


def _agents(config: RunConfig) -> list[tuple[str, str, Mapping[str, Any]]]:
    """Return the role, the string and the settings of each agent; the one that is trained is the last."""
    found: list[tuple[str, str, Mapping[str, Any]]] = []
    learner = f"{config.agent.backend}:{first_model(config)}"
    if config.improve.teacher is not None:
        improve = config.improve
        own = teacher_settings(improve.teacher, improve.teacher_settings, config.agent.settings)
        # there is no critic yet; it will be a model like the first one
        teacher, of_teacher = with_models((improve.teacher, own), learner=learner, critic=learner)
        found.append(("teacher", teacher, of_teacher))
    if config.boost is not None:
        found.append(("boost teacher", config.boost.teacher, config.boost.settings))
    if config.feedback is not None:
        settings = config.feedback_settings.agent_settings
        found.append(("feedback agent", feedback_agent(config.feedback), settings))
    return [*found, ("agent", learner, config.agent.settings)]


def check_settings(config: RunConfig) -> None:
    """Check settings of a run that contradict each other.

    Raises:
        ConfigError: They do.
    """
    for name in config.problems.settings:
        decided = _DECIDED.get(name.replace("-", "_"))
        if decided is not None:
            raise ConfigError(f"problems.settings.{name} is decided by {decided}: leave it out")
    if "feedback" in config.problems.settings and config.problems.test:
        raise ConfigError(
            f"problems.settings.feedback is {config.problems.settings['feedback']!r}, but evaluations have "
            "feedback of their own: leave it out, or set problems.test to 0 and measure with rise evaluate"
        )
    if config.agent.settings.get("adapter") is not None:
        raise ConfigError(
            f"agent.settings.adapter is {config.agent.settings['adapter']!r}, which would be added to every "
            "fitted model too: merge it into the model, and name the merged folder in agent.model"
        )
    count = number_of_workers(config.workers) or 1
    for settings in (config.agent.settings, config.improve.teacher_settings):
        refuse_cost_cap(settings, count)
    for where, fit in fits_of(config).items():
        if fit.adapter is not None:
            raise ConfigError(
                f"{where}.adapter is {fit.adapter!r}, but the run plays without it: merge it into the model, "
                "and name the merged folder in agent.model"
            )
        if fit.lora is not None and not fit.lora.merge:
            raise ConfigError(
                f"{where}.lora.merge is false, but the next phase plays a whole model: set it to true"
            )
        if fit.revision != config.agent.settings.get("revision"):
            raise ConfigError(
                f"{where}.revision is {fit.revision!r} and agent.settings.revision is "
                f"{config.agent.settings.get('revision')!r}: set both to the same"
            )


def fits_of(config: RunConfig) -> dict[str, FitConfig]:
    """Return the settings of the first fit of the loop, and those of the stages before it, by their names."""
    return {
        FIT_NAMES[of]: fit_config(
            config, data=(__file__,), model=first_model(config), output=f"{config.out}/model", seed=0, of=of
        )
        for of in fits(config)
    }


def check_solutions(config: RunConfig, problems: Any) -> None:
    """Raise ConfigError if the teacher is the expert and the problems have no worked solutions."""
    boost = None if config.boost is None else config.boost.teacher
    for name, teacher in (("improve.teacher", config.improve.teacher), ("boost.teacher", boost)):
        found: list[Problem] = [problems[i] for i in range(min(len(problems), _SEARCHED))]
        if teacher == "expert" and not any(problem.solution for problem in found):
            raise ConfigError(
                f"{name} is 'expert', which gives the worked solutions of the problems, and problem "
                f"{found[0].id!r} has none, like those after it: name another teacher"
            )


def check_phases(config: RunConfig, train_size: int) -> None:
    """Check the settings of every phase as its command would.

    Raises:
        ConfigError: A setting is wrong.
    """
    commands: Mapping[str, type[Any]] = {
        "collect": CollectConfig,
        "evaluate": EvaluateConfig,
        "label": LabelConfig,
    }
    for phase in plan_phases(config, train_size):
        if phase.command in commands:
            build(commands[phase.command], phase.settings)


def check_agents(config: RunConfig) -> None:
    """Check the agents of a run, as far as they do not depend on this machine.

    Raises:
        ConfigError: An agent does not exist, has no such settings, or cannot play with the model of the run.
    """
    if not takes_model(config.agent.backend):
        raise ConfigError(
            f"agent.backend is {config.agent.backend!r}, which does not play with a model that the run "
            "trains: name an agent whose argument is a model, for example 'transformers'"
        )
    for _, spec, settings in _agents(config):
        check_agent(spec, settings)


def check_formats(config: RunConfig, fit: FitConfig) -> None:
    """Check that a fit reads conversations as the model plays them.

    Raises:
        ConfigError: A setting of the fit differs from that of the agent.
    """
    if config.agent.backend not in ("transformers", "vllm"):
        return
    given = {
        name: config.agent.settings[name] for name in _CHAT if config.agent.settings.get(name) is not None
    }
    played = load_chat(first_model(config), ChatSettings(**given), revision=fit.revision).format("agent")
    load_fit_chat(given_chat(fit), {"agent": (played,)}, first_agent="agent")


def check_size(config: RunConfig, size: int) -> None:
    """Raise ConfigError if the test split has fewer problems than an evaluation takes."""
    if config.problems.test > size:
        raise ConfigError(
            f"problems.test is {config.problems.test}, but split {config.problems.test_split!r} has "
            f"{size} problems: lower problems.test"
        )

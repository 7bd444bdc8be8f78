"""Measures how fast this machine plays and fits, for the hours that `rise run --dry_run` prints.

A few episodes are played with the first model, and one short fit is made on them. The files are in a
temporary folder beside the run folder, because a fit writes a checkpoint and a model.
"""

import dataclasses
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rise_agents.rollouts.cleanup import close_all
from rise_agents.rollouts.collect import collect
from rise_agents.rollouts.collect_config import (
    STORE,
    CollectConfig,
    environment_maker,
    make_plan,
    open_store,
    run_record,
)
from rise_env.errors import ConfigError
from rise_env.trajectories.store import read_trajectories
from rise_env.utils.settings import build
from rise_trainers.fitting.config import FitConfig
from rise_trainers.fitting.fit import fit
from rise_trainers.loop.config import RunConfig, first_model
from rise_trainers.loop.phases import Phase

EPISODES = 64
"""Number of episodes that are played."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Speed:
    """What was measured."""

    reply_tokens_per_s: float
    fit_tokens_per_s: float
    load_s: float
    """Seconds to load the model that plays."""
    fit_load_s: float
    """Seconds of a fit besides its steps: start, model, first and last checkpoint."""

    def hours(self, phase: Phase) -> float | None:
        """Return the hours of a phase without teachers and feedback; None if it has no estimate."""
        row = phase.estimate
        if row is None:
            return None
        if phase.command == "fit":
            return (self.fit_load_s + row.tokens / self.fit_tokens_per_s) / 3600
        own = row.tokens - row.tokens_of_others
        return self.playing_hours(own) if own else 0.0

    def playing_hours(self, tokens: float) -> float:
        """Return the hours of a phase that loads the model and generates this many tokens."""
        return (self.load_s + tokens / self.reply_tokens_per_s) / 3600


def measure_speed(phases: Sequence[Phase], config: RunConfig, beside: Path) -> Speed:
    """Play and fit for a short time.

    Args:
        phases: The phases of the run, of which the first collection and the first fit of the loop are taken.
        config: The settings of the run. Its first model plays and is fitted, also if there is a boost stage,
            because no boosted model is there yet.
        beside: The run folder; the temporary folder is made in the first folder around it that exists.

    Raises:
        ConfigError: The model solved or gave nothing that can be trained; see `prepare_data.prepare` as well.
    """
    played = next(phase for phase in phases if phase.command == "collect" and phase.iteration)
    fitted = next(phase.fit for phase in phases if phase.fit is not None and phase.iteration)
    around = beside.absolute().parent
    while not around.is_dir():
        around = around.parent
    with tempfile.TemporaryDirectory(prefix=".rise-speed-", dir=around) as folder:
        model = first_model(config)
        agent = f"{config.agent.backend}:{model}"
        load_s, reply_speed, store = _play({**played.settings, "agent": agent}, folder)
        fit_load_s, fit_speed = _fit(dataclasses.replace(fitted, model=model), store, folder)
    return Speed(
        reply_tokens_per_s=reply_speed, fit_tokens_per_s=fit_speed, load_s=load_s, fit_load_s=fit_load_s
    )


def _play(settings: dict[str, Any], folder: str) -> tuple[float, float, str]:
    """Return the seconds to load the agent, its tokens per second, and the path of the store."""
    own: dict[str, Any] = {
        "out": f"{folder}/collect",
        "teacher": None,
        "teacher_settings": {},
        "num_samples": 1,
    }
    config = build(CollectConfig, {**settings, **own})
    began = time.perf_counter()
    plan = make_plan(config)
    try:
        loaded = time.perf_counter()
        make_env = environment_maker(config)
        indices = range(config.start, config.start + min(EPISODES, config.limit or EPISODES))
        with open_store(config, run_record(config, plan, make_env())) as store:
            collect(plan, make_env, indices, store, config.sampling, seed=config.seed)
        seconds = time.perf_counter() - loaded
    finally:
        close_all(*{id(turn.agent): turn.agent for turn in plan}.values())
    path = f"{config.out}/{STORE}"
    tokens = sum(
        attempt.usage.completion_tokens
        for trajectory in read_trajectories(path)
        for turn in trajectory.turns
        for attempt in turn.attempts
    )
    if not tokens:
        raise ConfigError("the model gave no token in the measurement: its speed is unknown")
    return loaded - began, tokens / seconds, path


def _fit(config: FitConfig, store: str, folder: str) -> tuple[float, float]:
    """Return the seconds of a fit besides its steps, and its tokens per second."""
    lines: list[dict[str, Any]] = []
    short = dataclasses.replace(
        config,
        data=(store,),
        output=f"{folder}/model",
        epochs=1.0,
        policy_sequences=0,
        log_every=1,
        cache=False,
    )
    began = time.perf_counter()
    fit(short, progress=lines.append)
    seconds = time.perf_counter() - began
    end = next(line for line in reversed(lines) if line["kind"] == "end")
    tokens = next(line["tokens"] for line in lines if line["kind"] == "data")
    steps_s = tokens / end["tokens_per_s"]
    return max(0.0, seconds - steps_s), end["tokens_per_s"]

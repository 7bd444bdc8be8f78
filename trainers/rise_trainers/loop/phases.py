"""Plans the phases of a run: the commands, their settings and their order.

    for every seed: evaluate the first model
        -> collect, fit and evaluate for the boost stage, if there is one
        -> play, label, fit and measure a critic, if there is one (`rise_trainers.critic.stage`)
        -> collect, fit and evaluate for every iteration
    -> report

See `run_folder` for the files. A phase that was interrupted continues when it is started again.
"""

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rise_agents.evaluation.protocols import feedback_protocol
from rise_agents.types import SamplingConfig
from rise_env.utils.seeding import derive
from rise_trainers.critic import stage as critic_stage
from rise_trainers.fitting.config import FitConfig
from rise_trainers.fitting.config import to_json as fit_to_json
from rise_trainers.loop.config import (
    BoostConfig,
    RunConfig,
    environment_settings,
    failure_settings,
    feedback_of_phase,
    first_model,
    fit_config,
)
from rise_trainers.loop.estimate import (
    CallCounts,
    Estimate,
    StoreEstimate,
    estimate_collection,
    estimate_evaluation,
    estimate_fit,
    weights_gib,
)
from rise_trainers.loop.inputs import RunInputs, call_counts
from rise_trainers.loop.model_texts import is_local_model, teacher_settings, with_models
from rise_trainers.loop.run_folder import (
    BOOST,
    EVALUATIONS,
    Stage,
    evaluation_folder,
    model_folder,
    stage_name,
    store_path,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Phase:
    """One process of a run."""

    name: str
    title: str
    command: str
    """The command of `rise` that does the work."""
    settings: dict[str, Any]
    """The settings of the command, which gets them as a --config file."""
    progress_files: tuple[str, ...]
    """The stores, which grow by one line per episode; for a fit, its output folder with the metrics file."""
    units: int = 0
    """The number of episodes; 0 for a fit."""
    cost: float
    """Expected work, in units of the work for one reply. The time left is estimated from it."""
    iteration: int = 0
    """The iteration; 0 for the first model and the boost stage."""
    seed: int = 0
    fit: FitConfig | None = None
    """The settings of a fit, typed; None for other commands."""
    measures: bool = True
    """For an evaluation: whether it measures a model for the report. Those of critics play for the fit."""
    estimate: Estimate | None = None
    """What the phase needs at most; None if the plan was made without `RunInputs`."""


def plan_phases(config: RunConfig, train_size: int, inputs: RunInputs | None = None) -> list[Phase]:
    """Return all phases of a run in order.

    Args:
        config: The settings of the run.
        train_size: The number of training problems.
        inputs: Needed for `Phase.estimate` only.
    """
    plan = _Plan(config, train_size, inputs)
    phases: list[Phase] = []
    for place, seed in enumerate(config.seeds):
        phases.append(plan.evaluate(0, seed, first_model(config)))
        if config.boost is not None:
            phases.append(plan.collect_boost(config.boost, seed, place))
            phases.append(plan.fit_boost(config.boost, seed))
            phases.append(plan.evaluate(BOOST, seed, plan.start_model(seed)))
        for k in range(1, config.iterations + 1):
            phases += plan.critic(k, seed)
            phases.append(plan.collect(k, seed, place))
            phases.append(plan.fit(k, seed))
            phases.append(plan.evaluate(k, seed, plan.model(seed, k)))
    if not config.problems.test:
        phases = [phase for phase in phases if phase.command != "evaluate" or not phase.measures]
    return phases


class _Plan:
    """Makes the phases of one run. A fit is planned after the collections that it trains on."""

    def __init__(self, config: RunConfig, train_size: int, inputs: RunInputs | None) -> None:
        self._config = config
        self._out = Path(config.out)
        self._train_size = train_size
        self._inputs = inputs
        self._policy_gib = None if inputs is None else weights_gib(inputs.parameters, config.agent.settings)
        self._stores: dict[str, StoreEstimate] = {}

    def model(self, seed: int, stage: Stage) -> str:
        """Return the model that a stage fits."""
        return str(model_folder(self._out, seed, stage))

    def start_model(self, seed: int) -> str:
        """Return the model before the first iteration: that of the boost stage where there is one."""
        return first_model(self._config) if self._config.boost is None else self.model(seed, BOOST)

    def evaluate(self, stage: Stage, seed: int, model: str) -> Phase:
        """Return the evaluation of a model."""
        config, measure, count = self._config, self._config.measure, self._config.problems.test
        label = stage_name(stage).replace("-", " ")
        folder = evaluation_folder(self._out, seed, stage)
        learner = f"{config.agent.backend}:{model}"
        settings = {
            **self._evaluation(seed, model, config.problems.test_split),
            "label": [label],
            "out": str(self._out / EVALUATIONS),
            "limit": count,
            "turns": measure.turns,
            "num_samples": measure.num_samples,
            **feedback_of_phase(config, told=False),
        }
        window = measure.window(0 if stage == BOOST else stage)
        logs = ["sequential", "parallel"]
        if window is not None:
            logs.append("window")
            settings |= {"protocols": [*logs], "history_turns": window}
        if config.feedback is not None:
            logs.append(feedback_protocol(told=False))
        estimate = None
        if self._inputs is not None:
            longest = config.sampling.max_new_tokens
            counts = call_counts(config, learner, config.agent.settings)
            written = counts.feedback_tokens
            lengths = [
                self._inputs.test.prompt_lengths(
                    count, turns=measure.turns, max_new_tokens=longest, feedback_tokens=tokens
                )
                for tokens in ([0, written] if written else [0])
            ]
            estimate = estimate_evaluation(
                lengths[0],
                lengths_with_feedback=lengths[1] if written else (),
                counts=counts,
                episodes=count,
                num_samples=measure.num_samples,
                history_turns=window,
                max_new_tokens=longest,
                weights_gib=self._policy_gib,
            )
        return Phase(
            **_identity(seed, stage, "evaluate"),
            title=f"measuring {label}",
            settings=settings,
            progress_files=tuple(str(folder / f"{name}.jsonl") for name in logs),
            units=len(logs) * count,
            cost=count * ((len(logs) - 1) * measure.turns + measure.num_samples),
            estimate=estimate,
        )

    def _evaluation(self, seed: int, model: str, split: str) -> dict[str, Any]:
        """Return the settings that all evaluations of a run have in common."""
        config = self._config
        return {
            "env": config.env,
            "agent": [f"{config.agent.backend}:{model}"],
            "seeds": [seed],
            "sampling": dataclasses.asdict(config.sampling),
            "env_settings": environment_settings(config, split),
            "agent_settings": config.agent.settings,
            "max_concurrent_episodes": config.max_concurrent_episodes,
            "report": False,
            **failure_settings(config),
            "workers": config.workers,
        }

    def critic(self, k: int, seed: int) -> list[Phase]:
        """Return the phases that fit a critic before iteration k, if one is fitted there."""
        model = self.start_model(seed)
        found = critic_stage.phase_fields(
            self._config,
            k,
            seed,
            stores=[self._store(seed, i) for i in range(1, k)],
            model=model,
            train_size=self._train_size,
            evaluation=self._evaluation(seed, model, self._config.problems.train_split),
            inputs=self._inputs,
        )
        return [Phase(**{**_identity(seed, n, f"critic-{name}"), **fields}) for n, name, fields in found]

    def collect(self, k: int, seed: int, place: int) -> Phase:
        """Return the collection of iteration k.

        Args:
            k: The iteration, from 1.
            seed: The seed of the run.
            place: The index of this seed among the seeds.
        """
        config, improve = self._config, self._config.improve
        first = k == 1 or not config.on_policy
        model = self.start_model(seed) if first else self.model(seed, k - 1)
        count = min(config.problems.train, self._train_size)
        blocks = self._train_size // count
        # the problems of one iteration; the seeds start at evenly spaced blocks of the split
        block, turns = place * (blocks // len(config.seeds)) + k - 1, config.turns or k + 1
        learner = f"{config.agent.backend}:{model}"
        critic = critic_stage.critic_agent(config, seed, k)
        settings: dict[str, Any] = {
            "agent": learner,
            "limit": count,
            "start": block % max(1, blocks) * count,
            "turns": turns,
            "teacher": with_models(improve.teacher, learner=learner, critic=critic),
            "num_samples": improve.num_samples,
            "stop_when_correct": not improve.after_success,
            "sampling": dataclasses.asdict(config.sampling),
            "agent_settings": config.agent.settings,
            "teacher_settings": with_models(
                teacher_settings(improve.teacher, improve.teacher_settings, config.agent.settings),
                learner=learner,
                critic=critic,
            ),
        }
        if improve.sampling is not None:
            settings["last_turn_sampling"] = dataclasses.asdict(improve.sampling)
        return Phase(
            **_identity(seed, k, "collect"),
            title=f"iteration {k}: playing {turns} turns",
            settings={**settings, **self._collection(k, seed)},
            progress_files=(self._store(seed, k),),
            units=count,
            cost=count * (turns + 0.2 * improve.num_samples),
            estimate=self._estimate_collection(
                self._store(seed, k),
                episodes=count,
                turns=turns,
                num_samples=improve.num_samples,
                sampling=config.sampling,
                last_sampling=improve.sampling or config.sampling,
                by_teacher=count * improve.num_samples if improve.teacher else 0,
                weights_gib=self._policy_gib,
                counts=call_counts(
                    config,
                    learner,
                    config.agent.settings,
                    teacher=settings["teacher"],
                    teacher_settings=settings["teacher_settings"],
                ),
            ),
        )

    def collect_boost(self, boost: BoostConfig, seed: int, place: int) -> Phase:
        """Return the collection of the boost stage, which takes its problems from the end of the split."""
        count = min(boost.train, self._train_size)
        sampling = boost.sampling or self._config.sampling
        blocks = max(1, self._train_size // count)
        settings: dict[str, Any] = {
            "agent": boost.teacher,
            "limit": count,
            "start": self._train_size - (place % blocks + 1) * count,
            "turns": boost.turns,
            "sampling": dataclasses.asdict(sampling),
            "agent_settings": boost.settings,
        }
        return Phase(
            **_identity(seed, BOOST, "collect"),
            title=f"boost: {boost.teacher} plays",
            settings={**settings, **self._collection(BOOST, seed)},
            progress_files=(self._store(seed, BOOST),),
            units=count,
            cost=float(count * boost.turns),
            estimate=self._estimate_collection(
                self._store(seed, BOOST),
                episodes=count,
                turns=boost.turns,
                num_samples=1,
                sampling=sampling,
                last_sampling=sampling,
                by_teacher=count * boost.turns,
                weights_gib=None,
                counts=call_counts(self._config, boost.teacher, boost.settings),
            ),
        )

    def fit(self, k: int, seed: int) -> Phase:
        """Return the fit of iteration k."""
        config = self._config
        first = 1 if config.restart else k
        fit = fit_config(
            config,
            data=tuple(self._store(seed, i) for i in range(first, k + 1)),
            model=self.start_model(seed) if config.restart or k == 1 else self.model(seed, k - 1),
            output=self.model(seed, k),
            seed=derive(seed, k) % 2**31,
        )
        replies = config.problems.train * (k - first + 1)
        return self._fit(fit, seed, k, f"iteration {k}: fitting", replies)

    def fit_boost(self, boost: BoostConfig, seed: int) -> Phase:
        """Return the fit of the boost stage."""
        fit = fit_config(
            self._config,
            data=(self._store(seed, BOOST),),
            model=first_model(self._config),
            output=self.model(seed, BOOST),
            seed=derive(seed, 0) % 2**31,
            of="boost",
        )
        return self._fit(fit, seed, BOOST, "boost: fitting", boost.train)

    def _fit(self, fit: FitConfig, seed: int, stage: Stage, title: str, replies: int) -> Phase:
        estimate = None
        if self._inputs is not None:
            stores = [self._stores[store] for store in fit.data]
            estimate = estimate_fit(fit, stores, self._inputs.model_config)
        return Phase(
            **_identity(seed, stage, "fit"),
            title=title,
            settings=fit_to_json(fit),
            progress_files=(fit.output,),
            cost=replies * fit.epochs * 2.0,
            fit=fit,
            estimate=estimate,
        )

    def _store(self, seed: int, stage: Stage) -> str:
        return str(store_path(self._out, seed, stage))

    def _collection(self, stage: Stage, seed: int) -> dict[str, Any]:
        """Return the settings that all collections of a run have in common."""
        config = self._config
        by_model = stage != BOOST or config.boost is None or is_local_model(config.boost.teacher)
        return {
            "env": config.env,
            "out": str(store_path(self._out, seed, stage).parent),
            "drop_degenerate": config.drop_degenerate,
            "keep_tokens": config.keep_tokens,
            "seed": derive(seed, 0 if stage == BOOST else stage) % 2**31,
            "env_settings": environment_settings(config, config.problems.train_split),
            "max_concurrent_episodes": config.max_concurrent_episodes,
            **feedback_of_phase(config, told=config.feedback_settings.told),
            **failure_settings(config),
            "workers": config.workers if by_model else "",
        }

    def _estimate_collection(
        self,
        store: str,
        *,
        episodes: int,
        turns: int,
        num_samples: int,
        sampling: SamplingConfig,
        last_sampling: SamplingConfig,
        by_teacher: int,
        weights_gib: float | None,
        counts: CallCounts,
    ) -> Estimate | None:
        if self._inputs is None:
            return None
        longest, last = sampling.max_new_tokens, last_sampling.max_new_tokens
        lengths = self._inputs.train.prompt_lengths(
            episodes, turns=turns, max_new_tokens=longest, feedback_tokens=counts.feedback_tokens
        )
        self._stores[store] = StoreEstimate(trajectories=episodes, turns=turns, length=lengths[-1] + last)
        return estimate_collection(
            lengths,
            episodes=episodes,
            num_samples=num_samples,
            max_new_tokens=longest,
            last_max_new_tokens=last,
            by_teacher=by_teacher,
            weights_gib=weights_gib,
            counts=counts,
        )


def _identity(seed: int, stage: Stage, command: str) -> dict[str, Any]:
    """Return the fields that identify a phase; the boost stage counts as iteration 0."""
    name = f"seed-{seed}.{'0-boost' if stage == BOOST else stage}-{command}"
    return {"name": name, "command": command, "iteration": 0 if stage == BOOST else stage, "seed": seed}

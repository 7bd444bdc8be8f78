"""Plans the critic stage of a run: what its phases are, and what they read and write.

    play      the first model answers each problem several times    seed-S/critic/played/
    label     questions about these replies, with right answers     seed-S/critic/examples.jsonl
              the same for a tenth of the problems                  seed-S/critic/held_out.jsonl
    fit       the first model learns to answer them                 seed-S/critic/model/
    measure   the critic answers those of the tenth                 seed-S/critic/quality.json

With `critic.again`, label, fit and measure are repeated before every iteration from the second one on, in
seed-S/iteration-K/critic/, also with the replies of the collections so far.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rise_agents.evaluation.verifier_questions import OUTCOME
from rise_agents.mcts.presets import search_settings
from rise_env.utils.seeding import derive
from rise_env.utils.settings import build
from rise_trainers.critic.config import CriticConfig
from rise_trainers.data.critic_data import EXAMPLES, HELD_OUT, QUALITY, LabelSettings
from rise_trainers.fitting.config import FitConfig
from rise_trainers.fitting.config import to_json as fit_to_json
from rise_trainers.loop.config import RunConfig, fit_config
from rise_trainers.loop.estimate import (
    CallCounts,
    Estimate,
    StoreEstimate,
    estimate_collection,
    estimate_fit,
    weights_gib,
)
from rise_trainers.loop.inputs import RunInputs
from rise_trainers.loop.run_folder import stage_name

_LABEL = "base"
"""Label of the evaluation that plays."""
_CHARACTERS_PER_TOKEN = 4
"""For the length of the questions to a critic."""


@dataclass(frozen=True, slots=True)
class CriticFolder:
    """The files of one critic."""

    path: Path

    @property
    def played(self) -> Path:
        """Folder of the replies that the first model gives."""
        return self.path / "played"

    def store(self, seed: int) -> Path:
        """Return the store of these replies."""
        return self.played / _LABEL / f"seed-{seed}" / "parallel.jsonl"

    @property
    def examples(self) -> Path:
        """The examples that the critic is fitted on."""
        return self.path / EXAMPLES

    @property
    def held_out(self) -> Path:
        """The examples with which it is measured."""
        return self.path / HELD_OUT

    @property
    def model(self) -> Path:
        """The fitted critic."""
        return self.path / "model"

    @property
    def quality(self) -> Path:
        """The measures."""
        return self.path / QUALITY


def critic_folder(out: Path, seed: int, iteration: int) -> CriticFolder:
    """Return the files of the critic that is fitted before an iteration; 0 is the critic before the first."""
    folder = out / f"seed-{seed}"
    return CriticFolder((folder / stage_name(iteration) if iteration else folder) / "critic")


def critic_agent(config: RunConfig, seed: int, k: int) -> str | None:
    """Return the critic of iteration k as an agent; None if the run fits none."""
    if config.critic is None:
        return None
    folder = critic_folder(Path(config.out), seed, _number(config.critic, k))
    return f"{config.agent.backend}:{folder.model}"


def label_settings(config: RunConfig, critic: CriticConfig, seed: int) -> LabelSettings:
    """Return which examples are made. Their options end where those of the search do.

    Args:
        config: The settings of the run.
        critic: Those of the stage.
        seed: Seed of the choices.

    Raises:
        ConfigError: A setting is unknown, or out of range.
    """
    given = {name.replace("-", "_"): value for name, value in config.improve.teacher_settings.items()}
    if not (config.improve.teacher or "").startswith("mcts:"):
        given = {}
    known = {name: given[name] for name in ("preset", "option") if name in given}
    settings = {"option": search_settings(**known).option, **critic.examples}
    own = {"seed": seed, "considered": critic.again}
    return build(LabelSettings, {**settings, **own}, where="critic.examples.")


def phase_fields(
    config: RunConfig,
    k: int,
    seed: int,
    *,
    stores: Sequence[str],
    model: str,
    train_size: int,
    evaluation: Mapping[str, Any],
    inputs: RunInputs | None,
) -> list[tuple[int, str, dict[str, Any]]]:
    """Return the phases that fit a critic before iteration k; none if none is fitted there.

    Args:
        config: The settings of the run.
        k: The iteration, from 1.
        seed: The seed of the run.
        stores: The stores of the collections before iteration k.
        model: The model that plays, and that becomes the critic.
        train_size: The number of training problems.
        evaluation: The settings that all evaluations of the run have in common, for this model.
        inputs: Needed for `estimate` only.

    Returns:
        (iteration, name, fields of `loop.phases.Phase`) per phase; the iteration is 0 before the first one.
    """
    critic = config.critic
    if critic is None or (k > 1 and not critic.again):
        return []
    number = _number(critic, k)
    folder = critic_folder(Path(config.out), seed, number)
    first = critic_folder(Path(config.out), seed, 0)
    problems = min(critic.train, train_size)
    labels = label_settings(config, critic, derive(seed, number) % 2**31)
    examples = _most_examples(critic, labels, problems)
    fit = fit_config(
        config,
        data=(str(folder.examples),),
        model=model,
        output=str(folder.model),
        seed=derive(seed, number) % 2**31,
        of="critic",
    )
    estimates = _estimates(config, problems, examples, fit, inputs)
    title = "critic" if not number else f"critic of iteration {number}"
    play: dict[str, Any] = {
        "command": "evaluate",
        "title": f"{title}: playing {critic.samples} replies per problem",
        "settings": {**evaluation, **_play(critic, first, problems)},
        "progress_files": (str(first.store(seed)),),
        "units": problems,
        "measures": False,
        "cost": float(problems * critic.samples),
        "estimate": estimates.get("play"),
    }
    label: dict[str, Any] = {
        "command": "label",
        "title": f"{title}: making examples",
        "settings": {
            "store": [str(first.store(seed)), *(stores if number else ())],
            "out": str(folder.path),
            "examples": asdict(labels),
        },
        "progress_files": (str(folder.examples), str(folder.held_out)),
        "cost": 0.01 * examples,
    }
    fitting: dict[str, Any] = {
        "command": "fit",
        "title": f"{title}: fitting",
        "settings": fit_to_json(fit),
        "progress_files": (fit.output,),
        "cost": examples * fit.epochs * 2.0,
        "fit": fit,
        "estimate": estimates.get("fit"),
    }
    measure: dict[str, Any] = {
        "command": "label",
        "title": f"{title}: measuring",
        "settings": {
            "store": [str(folder.held_out)],
            "out": str(folder.path),
            "measure": critic_agent(config, seed, k),
            "measure_settings": config.agent.settings,
        },
        "progress_files": (str(folder.held_out), str(folder.quality)),
        "cost": 0.1 * examples,
    }
    found = {"label": label, "fit": fitting, "measure": measure}
    return [(number, name, of) for name, of in (found if number else {"play": play} | found).items()]


def _number(critic: CriticConfig, k: int) -> int:
    """Return the iteration whose critic iteration k uses; 0 is the critic before the first."""
    return k if critic.again and k > 1 else 0


def _play(critic: CriticConfig, folder: CriticFolder, problems: int) -> dict[str, Any]:
    """Return the settings of `rise evaluate` with which the problems are played."""
    return {
        "label": [_LABEL],
        "out": str(folder.played),
        "limit": problems,
        "turns": 1,
        "num_samples": 1,
        "draws": critic.samples,
        "protocols": ["parallel"],
    }


def _most_examples(critic: CriticConfig, labels: LabelSettings, problems: int) -> int:
    """Return how many examples the played problems give at most."""
    per_reply = sum({"outcome": 1, "value": labels.per_reply, "process": 1}[kind] for kind in labels.kinds)
    return problems * critic.samples * per_reply


def _estimates(
    config: RunConfig, problems: int, examples: int, fit: FitConfig, inputs: RunInputs | None
) -> dict[str, Estimate]:
    """Return the estimates of the phases that play and fit; none without `inputs`."""
    if inputs is None or config.critic is None:
        return {}
    longest = config.sampling.max_new_tokens
    lengths = inputs.train.prompt_lengths(problems, turns=1, max_new_tokens=longest)
    play = estimate_collection(
        lengths,
        episodes=problems,
        num_samples=config.critic.samples,
        max_new_tokens=longest,
        last_max_new_tokens=longest,
        by_teacher=0,
        weights_gib=weights_gib(inputs.parameters, config.agent.settings),
        counts=CallCounts(),
    )
    length = lengths[0] + longest + len(OUTCOME) / _CHARACTERS_PER_TOKEN
    store = StoreEstimate(trajectories=examples, turns=1, length=length)
    return {"play": play, "fit": estimate_fit(fit, [store], inputs.model_config)}

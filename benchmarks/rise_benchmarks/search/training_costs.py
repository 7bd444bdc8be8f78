"""What the training of a model cost: the tokens of the episodes that it was made from, and what was kept."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from rise_benchmarks.training import Trained
from rise_env.trajectories.store import read_trajectories
from rise_env.types import Trajectory
from rise_trainers.critic.stage import critic_folder
from rise_trainers.data.signals import with_signal
from rise_trainers.data.targets import select_targets
from rise_trainers.loop.config import RunConfig, fit_config
from rise_trainers.loop.run_folder import store_path

HEAD = (
    "",
    "generated for a critic",
    "generated for the fits",
    "together",
    "trained replies",
    "right of them",
)
"""The columns of the table of `markdown`."""

TITLE = "What the training of each model cost, in generated tokens, and the replies of its last fit"
"""The line above the table."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingCosts:
    """Costs of one model, over all iterations up to its own."""

    critic: int
    """Generated tokens of the replies that the critic learned from; 0 without a critic."""
    collected: int
    """Generated tokens of the collections, those of draws that were not given included."""
    trained: int
    """Number of replies in the last fit."""
    right: int
    """Number of these that are right, by the environment; whether the fit read that is another matter."""


def training_costs(config: RunConfig, seed: int, iteration: int) -> TrainingCosts:
    """Return what the model of an iteration cost.

    Args:
        config: The settings of the run that trained it.
        seed: A seed of the run.
        iteration: The iteration, from 1.

    Raises:
        StoreError: A store of the run is missing or damaged.
    """
    out = Path(config.out)
    first = 1 if config.restart else iteration
    stores = [store_path(out, seed, k) for k in range(1, iteration + 1)]
    played = [] if config.critic is None else [critic_folder(out, seed, 0).store(seed)]
    fit = fit_config(config, data=("store",), model="model", output="output", seed=seed)
    fitted = list(_episodes(stores[first - 1 :]))
    targets = select_targets(with_signal(fitted, fit.signal), fit.selection)
    right = {(one.id, turn) for one in fitted for turn, t in enumerate(one.turns) if t.action.check.correct}
    return TrainingCosts(
        critic=_generated(played),
        collected=_generated(stores),
        trained=len(targets),
        right=sum((target.trajectory, target.turn) in right for target in targets),
    )


def of_models(trained: Trained, seeds: Sequence[int]) -> dict[str, list[dict[str, int]]]:
    """Return name of the row -> the costs of its model for each seed, as plain values."""
    return {
        name: [asdict(training_costs(config, seed, iteration)) for seed in seeds]
        for name, (config, iteration) in trained.runs.items()
        if iteration
    }


def markdown(costs: Mapping[str, Sequence[Mapping[str, int]]]) -> str:
    """Return the costs as a table in Markdown: means over seeds, one row per model.

    Args:
        costs: See `of_models`.
    """
    table = [HEAD, ["---"] * len(HEAD), *([name, *_values(found)] for name, found in costs.items())]
    return "\n".join([f"{TITLE}:", "", *("| " + " | ".join(line) + " |" for line in table)])


def _values(found: Sequence[Mapping[str, int]]) -> list[str]:
    critic, collected, trained, right = (
        sum(one[name] for one in found) / len(found) for name in ("critic", "collected", "trained", "right")
    )
    share = f"{100 * right / trained:.0f} %" if trained else "–"
    return [f"{critic:,.0f}", f"{collected:,.0f}", f"{critic + collected:,.0f}", f"{trained:,.0f}", share]


def _generated(stores: Sequence[Path]) -> int:
    return sum(
        attempt.usage.completion_tokens
        for episode in _episodes(stores)
        for turn in episode.turns
        for attempt in turn.attempts
    )


def _episodes(stores: Sequence[Path]) -> Iterator[Trajectory]:
    for store in stores:
        yield from read_trajectories(store)

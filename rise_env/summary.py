"""From evaluation logs to the row of a table: every figure with its interval. Pure functions."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from rise_env import metrics
from rise_env.errors import ConfigError
from rise_env.intervals import Estimate, bootstrap
from rise_env.types import Trajectory

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcomes:
    """What one policy did: one number per seed and problem, both in the same order everywhere."""

    problems: tuple[str, ...]
    """Problem ids."""
    m1_t1: Array
    """Shape [seeds, problems]; so are the next three."""
    mk_t1: Array
    m1_tt: Array
    p1_tt: Array
    correct: Array
    """Shape [seeds, problems, turns]."""
    samples: int
    """K of mK@t1."""

    @property
    def turns(self) -> int:
        """T of m1@tT."""
        return int(self.correct.shape[2])


def outcomes(
    sequential: Sequence[Sequence[Trajectory]],
    parallel: Sequence[Sequence[Trajectory]],
    *,
    turns: int,
    samples: int,
) -> Outcomes:
    """Reduce the logs of one policy.

    Args:
        sequential: Per seed, one rollout of `turns` turns per problem, without an oracle.
        parallel: Per seed, one turn of `samples` independent replies per problem.
        turns: T.
        samples: K.

    Raises:
        ConfigError: Seeds or protocols do not cover the same problems.
    """
    ids = tuple(sorted(t.problem.id for t in sequential[0])) if sequential else ()
    runs = [_in_order(run, ids) for run in sequential]
    draws = [_in_order(run, ids) for run in parallel]
    if not ids or len(runs) != len(draws):
        raise ConfigError(f"nothing to sum up: {len(runs)} sequential and {len(draws)} parallel logs")
    return Outcomes(
        problems=ids,
        m1_t1=np.array([[metrics.m1_at_t1(t) for t in run] for run in runs]),
        mk_t1=np.array([[metrics.mk_at_t1(t, samples) for t in run] for run in draws]),
        m1_tt=np.array([[metrics.m1_at_tt(t, turns) for t in run] for run in runs]),
        p1_tt=np.array([[metrics.p1_at_tt(t, turns) for t in run] for run in runs]),
        correct=np.array([[metrics.correct_by_turn(t, turns) for t in run] for run in runs]),
        samples=samples,
    )


def _in_order(run: Sequence[Trajectory], ids: Sequence[str]) -> list[Trajectory]:
    by_id = {t.problem.id: t for t in run}
    if len(by_id) != len(run) or set(by_id) != set(ids):
        raise ConfigError(
            f"logs to be compared must be of the same problems, each once: got {len(run)} and {len(ids)}"
        )
    return [by_id[i] for i in ids]


def row(name: str, found: Outcomes, base: Outcomes | None = None) -> dict[str, Any]:
    """Return one row of the report as JSON values; fractions, each {"mean", "low", "high"}.

    Args:
        name: Of the row.
        found: Of the policy.
        base: Of the policy it is compared with, problem by problem and seed by seed.

    Raises:
        ConfigError: `base` is of other problems or seeds.
    """
    k, t = found.samples, found.turns
    table: dict[str, Any] = {
        "name": name,
        "m1@t1": _json(bootstrap(found.m1_t1)),
        f"m{k}@t1": _json(bootstrap(found.mk_t1)),
        f"m1@t{t}": _json(bootstrap(found.m1_tt)),
        f"p1@t{t}": _json(bootstrap(found.p1_tt)),
        "accuracy_by_turn": [_json(bootstrap(found.correct[:, :, i])) for i in range(t)],
        "wrong_to_right_by_turn": _rates(metrics.wrong_to_right(found.correct)),
        "right_to_wrong_by_turn": _rates(metrics.right_to_wrong(found.correct)),
        f"t{t} - t1": _json(bootstrap(found.correct[:, :, -1] - found.correct[:, :, 0])),
        f"m1@t{t} - m1@t1": _json(bootstrap(found.m1_tt - found.m1_t1)),
        f"m1@t{t} - m{k}@t1": _json(bootstrap(found.m1_tt - found.mk_t1)),
    }
    if base is not None:
        if base.problems != found.problems or base.m1_t1.shape != found.m1_t1.shape:
            raise ConfigError(
                f"{name!r} was evaluated on other problems or seeds than what it is compared with"
            )
        table["gain m1@t1"] = _json(bootstrap(found.m1_t1 - base.m1_t1))
        table[f"gain m1@t{t}"] = _json(bootstrap(found.m1_tt - base.m1_tt))
    return table


def _rates(counts: tuple[Array, Array]) -> list[dict[str, float | None]]:
    some, of = counts
    return [_json(bootstrap(some[:, :, i], of[:, :, i])) for i in range(some.shape[2])]


def _json(estimate: Estimate) -> dict[str, float | None]:
    """Return an estimate as JSON values; a rate that nothing happened to is null."""
    return {key: None if np.isnan(value) else round(value, 6) for key, value in asdict(estimate).items()}


def percent(value: Mapping[str, Any]) -> str:
    """Write an estimate in percent with half the width of its interval: "47.3 ± 2.8"."""
    if value["mean"] is None:
        return "–"
    half = (value["high"] - value["low"]) / 2
    return f"{100 * value['mean']:.1f} ± {100 * half:.1f}"

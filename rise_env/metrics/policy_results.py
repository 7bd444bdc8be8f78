"""The results of one policy in an evaluation, as the arrays from which a row of the report is computed."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import numpy.typing as npt

from rise_env.errors import ConfigError
from rise_env.metrics import accuracy
from rise_env.metrics.reply_arrays import Replies

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False, kw_only=True)
class PolicyResults:
    """The logs of one policy, one per seed. All logs have the same problems in the same order."""

    sequential: tuple[Replies, ...]
    """One rollout of T turns per problem, with blind feedback and without a stop."""
    parallel: tuple[Replies, ...]
    """Independent first replies per problem, K or more."""
    num_samples: int
    """K of mK@t1."""
    others: Mapping[str, tuple[Replies, ...]] = field(default_factory=dict)
    """Further protocols, by name."""

    @property
    def problems(self) -> tuple[str, ...]:
        """Problem ids."""
        return self.sequential[0].problems

    @property
    def turns(self) -> int:
        """T of m1@tT."""
        return int(self.sequential[0].given.shape[1])

    @cached_property
    def correct(self) -> Array:
        """1 for each right reply and 0 for the others, shape [seeds, problems, turns]."""
        return np.stack([replies.correct for replies in self.sequential]).astype(float)

    @cached_property
    def m1_t1(self) -> Array:
        """m1@t1, shape [seeds, problems]."""
        return over_seeds(accuracy.m1_at_t1, self.sequential)

    @cached_property
    def m1_tt(self) -> Array:
        """m1@tT, shape [seeds, problems]."""
        return over_seeds(lambda replies: accuracy.m1_at_tt(replies, self.turns), self.sequential)

    @cached_property
    def p1_tt(self) -> Array:
        """p1@tT, shape [seeds, problems]."""
        return over_seeds(lambda replies: accuracy.p1_at_tt(replies, self.turns), self.sequential)

    @cached_property
    def mk_t1(self) -> Array:
        """mK@t1, shape [seeds, problems]."""
        return over_seeds(lambda replies: accuracy.mk_at_t1(replies, self.num_samples), self.parallel)


def policy_results(
    sequential: Sequence[Replies],
    parallel: Sequence[Replies],
    others: Mapping[str, Sequence[Replies]] | None = None,
    *,
    num_samples: int | None = None,
) -> PolicyResults:
    """Return the logs of one policy with all episodes in the same order of problems.

    Args:
        sequential: One log per seed, from `by_turn`.
        parallel: One log per seed, from `by_draw`.
        others: Protocol -> one log per seed, from `by_turn`.
        num_samples: K of mK@t1; None takes all draws.

    Raises:
        ConfigError: The logs are empty, or not of the same problems and seeds.
    """
    problems = sorted(sequential[0].problems) if sequential else []
    if not problems or len(sequential) != len(parallel):
        raise ConfigError(
            "a report needs one sequential and one parallel log per seed, with at least one problem, got "
            f"{len(sequential)} and {len(parallel)} logs"
        )

    def ordered(logs: Sequence[Replies]) -> tuple[Replies, ...]:
        if len(logs) != len(sequential):
            raise ConfigError(f"every protocol needs every seed: got {len(logs)} logs, not {len(sequential)}")
        shapes = [log.given.shape for log in logs]
        if len({replies for _, replies in shapes}) != 1:
            raise ConfigError(f"all seeds need the same number of replies per episode, got shapes {shapes}")
        return tuple(log.in_order(problems) for log in logs)

    return PolicyResults(
        sequential=ordered(sequential),
        parallel=ordered(parallel),
        num_samples=parallel[0].given.shape[1] if num_samples is None else num_samples,
        others={name: ordered(logs) for name, logs in (others or {}).items()},
    )


def over_seeds(function: Callable[[Replies], Array], logs: Sequence[Replies]) -> Array:
    """Return the values of a function for each log, stacked: shape [seeds, problems]."""
    return np.stack([function(log) for log in logs])

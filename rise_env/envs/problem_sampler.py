"""Chooses the problem of the next episode."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np

from rise_env.errors import ConfigError
from rise_env.types import Problem
from rise_env.utils.suggestions import validate_choice

_OPTIONS = ("index", "problem_id")
_MAX_SEARCHED = 100_000


class HasRandom(Protocol):
    """An object with a random generator that is made when first needed, such as `gymnasium.Env`."""

    @property
    def np_random(self) -> np.random.Generator:
        """The generator."""
        ...


class ProblemSampler:
    """Chooses problems at random, in order, by index or by id.

    Args:
        problems: At least one.
        shuffle: Whether to draw at random, with replacement; False goes through the problems in order.

    Raises:
        ConfigError: There are no problems.
    """

    def __init__(self, problems: Sequence[Problem], *, shuffle: bool) -> None:
        if not len(problems):
            raise ConfigError("there are no problems to pose")
        self.problems = problems
        self.shuffle = shuffle
        self.next_index = 0
        self._by_id: dict[str, int] | None = None

    def restart(self) -> None:
        """Continue with the first problem, where problems come in order."""
        self.next_index = 0

    def draws(self, options: Mapping[str, Any] | None) -> bool:
        """Return whether `sample` with these options may use the generator."""
        return self.shuffle and not options

    def sample(self, options: Mapping[str, Any] | None, source: HasRandom) -> int:
        """Return the index of the next problem.

        Args:
            options: Those of `reset`: `index` or `problem_id`, or nothing.
            source: Whose generator draws at random; not touched where nothing is drawn.

        Raises:
            ConfigError: An option is unknown, or there is no such problem.
        """
        if options:
            return self._from_options(options)
        if self.shuffle:
            return int(source.np_random.integers(len(self.problems)))
        index = self.next_index
        self.next_index = (index + 1) % len(self.problems)
        return index

    def _from_options(self, options: Mapping[str, Any]) -> int:
        for name in options:
            validate_choice(name, _OPTIONS, "option of reset")
        if len(options) > 1:
            raise ConfigError(f"reset takes one of the options {_OPTIONS}, got both")
        if "problem_id" in options:
            return self._find(options["problem_id"])
        index, count = options["index"], len(self.problems)
        if not isinstance(index, int | np.integer) or not 0 <= index < count:
            raise ConfigError(f"index must be an integer in [0, {count}), got {index!r}")
        return int(index)

    def _find(self, problem_id: Any) -> int:
        # our ids end with the index, so that generated sets of a million problems need no search
        last = str(problem_id).rpartition("/")[2]
        if last.isdecimal() and int(last) < len(self.problems) and self.problems[int(last)].id == problem_id:
            return int(last)
        if len(self.problems) > _MAX_SEARCHED:
            raise ConfigError(f"no problem {problem_id!r} among {len(self.problems)}: pose it by its index")
        if self._by_id is None:
            self._by_id = {problem.id: index for index, problem in enumerate(self.problems)}
        try:
            return self._by_id[problem_id]
        except KeyError:
            raise ConfigError(f"no problem {problem_id!r} among {len(self.problems)}") from None

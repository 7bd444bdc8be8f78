"""Chooses the problem of the next episode."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from rise_env.errors import ConfigError
from rise_env.types import Problem, Trajectory
from rise_env.utils.permutation import permute
from rise_env.utils.signatures import convert_value
from rise_env.utils.suggestions import validate_choice

ORDERS = ("permutation", "sequential", "replacement")
"""The orders by name; see `MathEnv`."""

_OPTIONS = ("index", "problem_id")
_MAX_SEARCHED = 100_000
_BLOCK = 2048
"""Positions of a permutation that are computed at a time."""


@runtime_checkable
class IndexSampler(Protocol):
    """An order of problems that the user defines, such as a curriculum. Environments may share one object."""

    def sample(self, generator: np.random.Generator, count: int) -> int:
        """Return the index of the next problem.

        Args:
            generator: The environment's generator. Use it for all random draws, so that the same seed gives
                the same problems.
            count: Number of problems.
        """
        ...


OrderLike = str | IndexSampler
"""Values of the argument `order`: a name of `ORDERS`, or an object with a method `sample`."""


class WeightedSampler:
    """Draws problems with replacement, each with a probability proportional to its weight.

    Args:
        weights: One per problem, at least 0, not all 0.

    Raises:
        ConfigError: A weight is negative or not finite, or all are 0.
    """

    def __init__(self, weights: Sequence[float]) -> None:
        values = np.asarray(weights, dtype=np.float64)
        if values.ndim != 1 or not np.isfinite(values).all() or (values < 0).any() or not values.sum() > 0:
            raise ConfigError("weights must be finite numbers of at least 0, one per problem, not all 0")
        self._ends = np.cumsum(values) / values.sum()

    def sample(self, generator: np.random.Generator, count: int) -> int:
        """Return the index of the next problem.

        Raises:
            ConfigError: There is not one weight per problem.
        """
        if count != len(self._ends):
            raise ConfigError(f"there are {len(self._ends)} weights for {count} problems")
        return int(np.searchsorted(self._ends, generator.random(), side="right"))


def pass_rates(trajectories: Iterable[Trajectory]) -> dict[str, float]:
    """Return problem id -> share of right attempts at the first turn, for example as weights of a curriculum.

    Args:
        trajectories: Episodes, for example those of a store. Episodes without a turn are left out.
    """
    right: dict[str, list[bool]] = defaultdict(list)
    for trajectory in trajectories:
        for turn in trajectory.turns[:1]:
            right[trajectory.problem.id] += [attempt.check.correct for attempt in turn.attempts]
    return {problem: sum(found) / len(found) for problem, found in right.items() if found}


def find_order(order: OrderLike | None, *, shuffle: bool) -> OrderLike:
    """Return the order that the arguments `order` and `shuffle` of an environment choose.

    Raises:
        ConfigError: There is no such order, or the two contradict each other.
    """
    shuffle = convert_value(shuffle, bool, what="shuffle")
    if order is None:
        return "permutation" if shuffle else "sequential"
    if isinstance(order, str):
        validate_choice(order, ORDERS, "order")
    elif not isinstance(order, IndexSampler):
        raise ConfigError(
            f"an order is one of {ORDERS}, or has a method sample(generator, count); got {order!r}"
        )
    if not shuffle and order != "sequential":
        raise ConfigError(f"shuffle=False poses problems in order: leave out order={order!r}")
    return order


def check_seed(seed: Any) -> int:
    """Return a seed of `reset` as an integer.

    Raises:
        ConfigError: It is not an integer of at least 0.
    """
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or seed < 0:
        raise ConfigError(f"a seed is an integer of at least 0, got {seed!r}")
    return int(seed)


class HasRandom(Protocol):
    """An object with a random generator that is made when first needed, such as `gymnasium.Env`."""

    @property
    def np_random(self) -> np.random.Generator:
        """The generator."""
        ...


class Place(NamedTuple):
    """The position of a sampler in its order."""

    drawn: int = 0
    """Problems drawn since the last seed."""
    first: int = 0
    """The first problem of the current permutation."""
    key: int = 0
    """Selects the current permutation."""


class ProblemSampler:
    """Chooses problems at random, in order, by index or by id.

    Args:
        problems: At least one.
        order: A name of `ORDERS`, or an object that chooses.

    Raises:
        ConfigError: There are no problems.
    """

    def __init__(self, problems: Sequence[Problem], order: OrderLike) -> None:
        if (
            isinstance(problems, str)
            or not hasattr(problems, "__len__")
            or not hasattr(problems, "__getitem__")
        ):
            raise ConfigError(f"problems are a sequence of Problem, got {type(problems).__name__}")
        if not len(problems):
            raise ConfigError("there are no problems to pose")
        if isinstance(problems, list | tuple) and not isinstance(problems[0], Problem):
            raise ConfigError(f"problems are a sequence of Problem, got one of {type(problems[0]).__name__}")
        self.problems = problems
        self.order = order
        self.place = Place()
        """The state that draws change, apart from the generator."""
        # key, number, content; follows from `place`
        self._block: tuple[int, int, npt.NDArray[np.int64]] = 0, -1, np.empty(0, np.int64)
        self._by_id: dict[str, int] | None = None

    @property
    def shared(self) -> bool:
        """Whether the episodes of a batch draw from one common order and so pose different problems."""
        return self.order in ("permutation", "sequential")

    def restart(self) -> None:
        """Start again with the first problem, or with another permutation."""
        self.place = Place()

    def draws(self, options: Mapping[str, Any] | None, times: int = 1) -> bool:
        """Return whether `sample` with these options may use the generator in the next `times` calls."""
        if options or self.order == "sequential":
            return False
        left = -self.place.drawn % len(self.problems)
        return self.order != "permutation" or left < times

    def sample(self, options: Mapping[str, Any] | None, source: HasRandom) -> int:
        """Return the index of the next problem.

        Args:
            options: The options of `reset`: `index` or `problem_id`, or nothing.
            source: Has the generator for random draws, which is not used if nothing is drawn.

        Raises:
            ConfigError: An option is unknown, there is no such problem, or the order's object chose none.
        """
        if options:
            return self._from_options(options)
        count = len(self.problems)
        drawn, first, key = self.place
        if self.order == "sequential":
            index = drawn % count
        elif self.order == "replacement":
            index = int(source.np_random.integers(count))
        elif self.order == "permutation":
            if drawn % count == 0:
                first = int(source.np_random.integers(count))
                key = int(source.np_random.integers(2**63))
            index = self._permuted(drawn % count, first, key)
        else:
            index = self._of_object(source.np_random)
        self.place = Place(drawn + 1, first, key)
        return index

    def sample_many(self, times: int, source: HasRandom) -> list[int]:
        """Return the indices of the next `times` problems: those that `sample` without options returns."""
        count = len(self.problems)
        drawn, first, key = self.place
        position = drawn % count
        number, offset = divmod(position, _BLOCK)
        end = offset + times
        if self.order != "permutation" or position == 0 or position + times > count or end > _BLOCK:
            return [self.sample(None, source) for _ in range(times)]
        block = self._block_of(number, key)
        self.place = Place(drawn + times, first, key)
        indices: list[int] = ((block[offset:end] + first) % count).tolist()
        return indices

    def _permuted(self, position: int, first: int, key: int) -> int:
        """Return the index at a position of the permutation that begins with `first`."""
        if position == 0:
            return first
        number, offset = divmod(position, _BLOCK)
        return (int(self._block_of(number, key)[offset]) + first) % len(self.problems)

    def _block_of(self, number: int, key: int) -> npt.NDArray[np.int64]:
        """Return a block of the permutation that begins with 0; all indices modulo the number of problems."""
        count = len(self.problems)
        if self._block[:2] != (key, number):
            places = np.arange(number * _BLOCK, min(count, (number + 1) * _BLOCK), dtype=np.uint64)
            # the value at position 0, too: it becomes 0, and all others move with it
            found = permute(np.append(places, np.uint64(0)), count, key).astype(np.int64)
            self._block = key, number, found[:-1] - found[-1]
        return self._block[2]

    def _of_object(self, generator: np.random.Generator) -> int:
        order, count = self.order, len(self.problems)
        assert not isinstance(order, str)
        index = order.sample(generator, count)
        if isinstance(index, bool) or not isinstance(index, int | np.integer) or not 0 <= index < count:
            raise ConfigError(f"{type(order).__name__} chose {index!r}, not an index in [0, {count})")
        return int(index)

    def _from_options(self, options: Mapping[str, Any]) -> int:
        if type(options) is dict and len(options) == 1:  # fast path for the usual option
            index = options.get("index")
            if type(index) is int and 0 <= index < len(self.problems):
                return index
        if type(options) is not dict and not isinstance(options, Mapping):  # the latter takes long
            raise ConfigError(f"the options of reset are a mapping, got {options!r}")
        for name in options:
            validate_choice(name, _OPTIONS, "option of reset")
        if len(options) > 1:
            raise ConfigError(f"reset takes one of the options {_OPTIONS}, got both")
        if "problem_id" in options:
            return self._find(options["problem_id"])
        index, count = options["index"], len(self.problems)
        is_number = isinstance(index, int | np.integer) and not isinstance(index, bool)
        if not is_number or not 0 <= index < count:
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
        except (KeyError, TypeError):
            raise ConfigError(f"no problem {problem_id!r} among {len(self.problems)}") from None

"""From the name of a problem set to its problems."""

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any, cast

from rise_env.errors import ConfigError
from rise_env.naming import choose, hint
from rise_env.problems.arithmetic import ArithmeticProblems, Difficulty
from rise_env.problems.catalog import CATALOG
from rise_env.problems.from_catalog import load_catalog_set
from rise_env.types import Problem


@dataclass(frozen=True, slots=True)
class Loader:
    """How the problems of one set are made or found."""

    name: str
    load: Callable[..., Sequence[Problem]]
    checker: str
    """The checker that suits the set, by name."""
    origin: str
    """Where the problems come from, in words."""

    @property
    def settings(self) -> list[str]:
        """The keyword arguments that `load` takes."""
        return [name for name in inspect.signature(self.load).parameters if name != "spec"]


def load_arithmetic(
    *,
    split: str | None = None,
    seed: int = 0,
    size: int | None = None,
    difficulty: Difficulty | Mapping[str, Any] | None = None,
) -> Sequence[Problem]:
    """Return generated problems; see `ArithmeticProblems`. `difficulty` may be a mapping of its fields."""
    if difficulty is None:
        difficulty = Difficulty()
    elif not isinstance(difficulty, Difficulty):
        for name in difficulty:
            choose(name, Difficulty.__dataclass_fields__, "field of difficulty")
        fields = {name: tuple(v) if isinstance(v, list) else v for name, v in difficulty.items()}
        difficulty = Difficulty(**cast(Any, fields))
    return _arithmetic(split or "train", seed, size, difficulty)


@lru_cache(maxsize=32)
def _arithmetic(split: str, seed: int, size: int | None, difficulty: Difficulty) -> Sequence[Problem]:
    return ArithmeticProblems(split=split, seed=seed, size=size, difficulty=difficulty)


SETS: Mapping[str, Loader] = {
    loader.name: loader
    for loader in (
        Loader("Arithmetic", load_arithmetic, "numeric", "generated, unlimited"),
        *(
            Loader(spec.name, partial(load_catalog_set, spec), spec.checker, spec.url)
            for spec in CATALOG.values()
        ),
    )
}
"""Every problem set by name."""


def find_set(name: str) -> Loader:
    """Return the set with this name or environment id, in any case.

    Raises:
        ConfigError: There is none; says what was probably meant.
    """
    bare = name.rpartition(":")[2].removeprefix("RISE-").removesuffix("-v0")
    for known, loader in SETS.items():
        if known.lower() == bare.lower():
            return loader
    raise ConfigError(f"no problem set {name!r}; {hint(bare, SETS)}")


def load_problems(name: str, **settings: Any) -> Sequence[Problem]:
    """Return the problems of a set, shared between all who ask for the same.

    Args:
        name: A set or an environment id: "GSM8K", "RISE-GSM8K-v0".
        **settings: `split` and whatever else the set takes, for example `data_dir`.

    Raises:
        ConfigError: There is no such set or setting; says what was probably meant.
        DataNotFoundError: The problems are not here; names the ways to get them.
    """
    loader = find_set(name)
    for key in settings:
        choose(key, loader.settings, f"setting of {loader.name}")
    return loader.load(**settings)

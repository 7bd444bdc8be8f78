"""The table of all problem sets, and functions that load a set by its name.

To add a set that is read from files or from the hub: add an entry to `CATALOG` in the folder `catalog`. To
add any other set: write a function that returns its problems (see `GeneratedProblems` for problems made on
demand), and add an entry to the table `SETS` below. The id `RISE-<name>-v0`, the arguments of the
environment, `rise envs` and `rise problems` follow from the entry.
"""

import inspect
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any, cast

from rise_env.errors import ConfigError
from rise_env.problems.arithmetic.generator import SIZES, ArithmeticProblems, Difficulty
from rise_env.problems.catalog import CATALOG, SetSpec
from rise_env.problems.catalog_loader import load_catalog_set, location
from rise_env.problems.conventions.generator import SIZES as CONVENTIONS_SIZES
from rise_env.problems.conventions.generator import ConventionProblems, Law
from rise_env.problems.custom import load_custom
from rise_env.problems.mixture import MixedProblems, check_weights, is_mixture
from rise_env.problems.reading.where import Where
from rise_env.problems.reasoning_gym import load_reasoning_gym
from rise_env.problems.sources import Dataset
from rise_env.types import Problem
from rise_env.utils.signatures import checked_arguments
from rise_env.utils.suggestions import did_you_mean, validate_choice


@dataclass(frozen=True, slots=True, kw_only=True)
class Loader:
    """One problem set: how its problems are made or found."""

    name: str
    """The environment is `RISE-<name>-v0`."""
    title: str
    """One line that says what the problems are and names their source."""
    load: Callable[..., Sequence[Problem]]
    """Returns the problems. Its keyword arguments become arguments of the environment."""
    checker: str
    """The checker that suits the set: a name of `CHECKERS` in `registration.py`. Problems with an attribute
    `checker` are checked by that object instead."""
    origin: str
    """Where the problems come from, in words."""
    sizes: Mapping[str, int]
    """Split -> number of problems; empty if that depends on the arguments."""
    spec: SetSpec | None = None
    """The entry of the catalog, for sets of the catalog."""

    @property
    def settings(self) -> list[str]:
        """The keyword arguments that `load` takes."""
        return [name for name in inspect.signature(self.load).parameters if name != "spec"]

    def location(self, split: str, data_dir: str | os.PathLike[str] | None = None) -> str:
        """Return where a split would be read from; "not here" where it cannot be. Reads nothing."""
        return self.origin if self.spec is None else location(self.spec, split, data_dir)


def load_arithmetic(
    *,
    split: str | None = None,
    seed: int = 0,
    size: int | None = None,
    difficulty: Difficulty | Mapping[str, Any] | None = None,
) -> Sequence[Problem]:
    """Return generated problems, shared by all callers with the same arguments.

    Args:
        split: See `ArithmeticProblems`; by default "train".
        seed: As there.
        size: As there.
        difficulty: A `Difficulty`, or a mapping of its fields.

    Raises:
        ConfigError: An argument is unknown or out of range.
    """
    if difficulty is None:
        difficulty = Difficulty()
    elif not isinstance(difficulty, Difficulty):
        if not isinstance(difficulty, Mapping):
            raise ConfigError(f"difficulty is a mapping or a Difficulty, got {difficulty!r}")
        for name in difficulty:
            validate_choice(name, Difficulty.__dataclass_fields__, "field of difficulty")
        difficulty = Difficulty(**checked_arguments(Difficulty, difficulty, what="difficulty"))
    return _arithmetic(split or "train", seed, size, difficulty)


@lru_cache(maxsize=32)
def _arithmetic(split: str, seed: int, size: int | None, difficulty: Difficulty) -> Sequence[Problem]:
    return ArithmeticProblems(split=split, seed=seed, size=size, difficulty=difficulty)


@lru_cache(maxsize=32)
def load_conventions(
    *,
    split: str | None = None,
    seed: int = 0,
    size: int | None = None,
    families: int = 0,
    law: Law = "uniform",
    largest: int = 30,
) -> Sequence[Problem]:
    """Return problems that depend on conventions, shared by all callers with the same arguments.

    Args:
        split: See `ConventionProblems`; by default "train".
        seed: As there.
        size: As there.
        families: As there.
        law: As there.
        largest: As there.

    Raises:
        ConfigError: An argument is unknown or out of range.
    """
    return ConventionProblems(
        split=split or "train", seed=seed, size=size, families=families, law=law, largest=largest
    )


def load_own_or_mixture(
    *,
    dataset: Dataset | Sequence[tuple[Any, float]] | None = None,
    split: str | None = None,
    question_key: str | None = None,
    answer_key: str | None = None,
    solution_key: str | None = None,
    where: Where | None = None,
    revision: str | None = None,
    hub_config: str | None = None,
    data_dir: str | os.PathLike[str] | None = None,
    seed: int = 0,
) -> Sequence[Problem]:
    """Return the user's own problems, or a mixture of sets.

    Args:
        dataset: See `load_custom`; or a list of pairs (source, weight). A source is the name of a set, what
            `load_custom` takes, or a mapping with the source as `dataset` and settings of its own, such as
            {"dataset": "math", "where": {"level": "Level 5"}}.
        split: By default "train" of the user's own problems, and the first split of a named set.
        question_key: See `load_custom`. Of a mixture, it and the next arguments belong to the mappings.
        answer_key: As there.
        solution_key: As there.
        where: As there.
        revision: As there.
        hub_config: As there.
        data_dir: Folder of the named sets of a mixture; by default the one that RISE_DATA_DIR names.
        seed: Of a mixture: which problems are taken, and in which order; see `MixedProblems`.

    Raises:
        ConfigError: No dataset is given, or an argument is unknown, out of range or of no use.
        DataNotFoundError: A dataset is not there.
        ProblemError: A row cannot be read, or has no question or answer.
    """
    of_rows = {
        "question_key": question_key,
        "answer_key": answer_key,
        "solution_key": solution_key,
        "where": where,
        "revision": revision,
        "hub_config": hub_config,
    }
    if not is_mixture(dataset):
        return load_custom(cast(Any, dataset), split=split or "train", **cast(Any, of_rows))
    for name, value in of_rows.items():
        if value is not None:
            raise ConfigError(
                f"{name} is a setting of one part of a mixture: "
                f"give ({{'dataset': ..., {name!r}: ...}}, weight) as this part"
            )
    pairs = cast(Sequence[tuple[Any, float]], dataset)
    check_weights([weight for _, weight in pairs])
    parts = [_load_part(source, split, data_dir) for source, _ in pairs]
    names = [_name_of(source, position) for position, (source, _) in enumerate(pairs)]
    return MixedProblems(parts, [weight for _, weight in pairs], seed=seed, names=names)


def _load_part(source: Any, split: str | None, data_dir: str | os.PathLike[str] | None) -> Sequence[Problem]:
    settings = dict(source) if isinstance(source, Mapping) and "dataset" in source else {"dataset": source}
    settings.setdefault("split", split)
    dataset = settings.pop("dataset")
    bare = str(dataset).removeprefix("RISE-").removesuffix("-v0").lower()
    if not isinstance(dataset, str) or bare not in map(str.lower, SETS):
        return load_problems("Custom", dataset=dataset, **settings)
    if data_dir is not None and "data_dir" in find_set(dataset).settings:
        settings.setdefault("data_dir", data_dir)
    return load_problems(dataset, **settings)


def _name_of(source: Any, position: int) -> str:
    dataset = source.get("dataset") if isinstance(source, Mapping) else source
    return str(dataset) if isinstance(dataset, str | os.PathLike) else f"part {position}"


def _of_catalog(spec: SetSpec) -> Loader:
    return Loader(
        name=spec.name,
        title=spec.title,
        load=partial(load_catalog_set, spec),
        checker=spec.checker,
        origin=spec.url,
        sizes=spec.sizes,
        spec=spec,
    )


SETS: Mapping[str, Loader] = {
    loader.name: loader
    for loader in (
        Loader(
            name="Arithmetic",
            title="generated multi-step word problems",
            load=load_arithmetic,
            checker="numeric",
            origin="generated",
            sizes=SIZES,
        ),
        Loader(
            name="Conventions",
            title="generated word problems whose answers depend on conventions that nobody is told",
            load=load_conventions,
            checker="numeric",
            origin="generated",
            sizes=CONVENTIONS_SIZES,
        ),
        *map(_of_catalog, CATALOG.values()),
        Loader(
            name="Custom",
            title="your own problems",
            load=load_own_or_mixture,
            checker="symbolic",
            origin="dataset=FILE, folder, hub id, frame, rows, or a mixture of sets",
            sizes={},
        ),
        Loader(
            name="ReasoningGym",
            title="tasks of the reasoning-gym library",
            load=load_reasoning_gym,
            checker="symbolic",
            origin="generated by reasoning-gym",
            sizes={},
        ),
    )
}
"""Name -> loader: every problem set."""


def find_set(name: str) -> Loader:
    """Return the set with this name or environment id, in upper or lower case.

    Raises:
        ConfigError: There is no such set; the message suggests a similar name or lists the names.
    """
    bare = name.rpartition(":")[2].removeprefix("RISE-").removesuffix("-v0")
    for known, loader in SETS.items():
        if known.lower() == bare.lower():
            return loader
    raise ConfigError(f"no problem set {name!r}; {did_you_mean(bare, SETS)}")


def load_problems(name: str, **settings: Any) -> Sequence[Problem]:
    """Return the problems of a set, shared by all callers with the same settings.

    Args:
        name: A set or an environment id, such as "GSM8K" or "RISE-GSM8K-v0".
        **settings: `split`, and the other arguments of the set, for example `data_dir`.

    Raises:
        ConfigError: There is no such set or setting; the message suggests a similar name or lists the names.
        DataNotFoundError: The problems are not on this machine; the message says how to get them.
    """
    loader = find_set(name)
    for key in settings:
        validate_choice(key, loader.settings, f"setting of {loader.name}")
    return loader.load(**checked_arguments(loader.load, settings, what=loader.name))

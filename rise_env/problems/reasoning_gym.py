"""Problems that the reasoning-gym library generates (https://github.com/open-thought/reasoning-gym).

The library's own datasets add the index to the seed, so that seeds 0 and 1 share all problems but one. Here
problem `i` of a split is made from `SeedSequence((seed, split, i))`, so that different seeds or splits have
different problems.
"""

import json
import os
import random
from collections import OrderedDict
from collections.abc import Mapping
from functools import lru_cache
from importlib.metadata import version
from typing import Any

import numpy as np
import numpy.typing as npt

from rise_env.checkers import NumericChecker, final_answer
from rise_env.checkers.equivalence.numbers import read_number
from rise_env.errors import ConfigError, MissingDependencyError
from rise_env.problems.generated import GeneratedProblems
from rise_env.types import CheckResult, Problem, Verdict
from rise_env.utils.seeding import derive_many, unchanged_random_state
from rise_env.utils.suggestions import validate_choice

_MADE_ANEW = frozenset(
    ("acre", "codeio", "composite", "gsm_symbolic", "list_functions", "pool_matrix", "survo")
)
"""Tasks whose datasets use the seed when they are made, or keep a generator between entries."""
_SHORT_SEEDS = frozenset(("pool_matrix",))
"""Tasks that seed NumPy's global generator, which takes 32 bits."""
_GLOBAL_RANDOM = frozenset(("list_functions", "pool_matrix"))
"""Tasks that draw from the global generators of Python or NumPy."""
_ORDER_OF_SETS = frozenset(
    (
        "intermediate_integration",
        "isomorphic_strings",
        "knight_swap",
        "polynomial_multiplication",
        "ransom_note",
        "word_ladder",
    )
)
"""Tasks that draw from sets, whose order differs between processes. Found by comparing processes."""
_REFUSED: Mapping[str, str] = {
    "codeio": "it runs code from a data file to make a problem, and other processes get other problems",
}
_BLOCK, _MAX_BLOCKS = 1024, 1024
"""Seeds that are computed together, and how many such blocks are kept: 8 MB."""
_REMEMBERED = 10_000
"""How many of the latest problems the checker can score with the task's own scorer."""


class ReasoningGymProblems(GeneratedProblems):
    """The problems of one task and split.

    Args:
        task: A dataset of reasoning-gym, for example "chain_sum".
        split: "train", "validation" or "test".
        seed: At least 0. Another seed gives other problems.
        size: Number of problems.
        config: The task's own settings.

    Raises:
        ConfigError: The task, the split or a setting is unknown, seed or size is out of range, the library
            cannot make problems with these settings, or its problems would not be reproducible.
        MissingDependencyError: reasoning-gym is not installed.
    """

    def __init__(self, *, task: str, split: str, seed: int, size: int, config: Mapping[str, Any]) -> None:
        super().__init__(split=split, seed=seed, size=size)
        try:
            with unchanged_random_state():  # importing the library draws from Python's generator
                import reasoning_gym
                from reasoning_gym.composite import DatasetSpec
                from reasoning_gym.factory import DATASETS
        except ImportError:
            raise MissingDependencyError("pip install reasoning-gym to play RISE-ReasoningGym-v0") from None

        validate_choice(task, DATASETS, "task of reasoning-gym")
        for name in config:
            validate_choice(name, DATASETS[task][1].__dataclass_fields__, f"setting of {task}")
        self.task, self.config = task, dict(config)
        parts = list(config.get("datasets") or ()) if task == "composite" else []
        tasks = {task, *(str(part.get("name")) for part in parts if isinstance(part, Mapping))}
        hash_seed = "".join(map(_require_reproducible, sorted(tasks)))
        self._seed_shift = 33 if tasks & _SHORT_SEEDS else 2
        self._draws_globally = bool(tasks & _GLOBAL_RANDOM)
        self._create = reasoning_gym.create_dataset
        self._shared: Any = None
        self._config_text = json.dumps(self.config)
        self._source = f"reasoning-gym {version('reasoning-gym')} {task}{hash_seed}"
        self._seeds: OrderedDict[str, int] = OrderedDict()
        self._blocks: dict[int, npt.NDArray[np.uint64]] = {}
        self.checker = ReasoningGymChecker(self)
        self._settings: dict[str, Any] = self.config
        try:
            if parts:  # the parts of a composite task
                self._settings = {**self.config, "datasets": [DatasetSpec(**part) for part in parts]}
            self._entry(self._seed(0))
        except Exception as error:  # the library raises errors of any class on settings that do not fit
            raise ConfigError(
                f"reasoning-gym makes no problem of {task} with config={self.config}: "
                f"{type(error).__name__}: {error}"
            ) from error

    def entry(self, question: str) -> Any:
        """Return (dataset, entry) of a recent question; None if the question is no longer stored."""
        seed = self._seeds.get(question)
        return None if seed is None else self._entry(seed)

    def make(self, index: int) -> Problem:
        """Return problem `index`."""
        seed = self._seed(index)
        _, entry = self._entry(seed)
        self._seeds[entry["question"]] = seed
        if len(self._seeds) > _REMEMBERED:
            self._seeds.popitem(last=False)
        answer = entry["answer"]
        return Problem(
            id=f"reasoning_gym/{self.task}/{self.split}/{self.seed}/{index}",
            question=entry["question"],
            reference="" if answer is None else str(answer),
            source=self._source,
            split=self.split,
            meta={"task": self.task, "config": json.loads(self._config_text) if self.config else {}},
        )

    def _seed(self, index: int) -> int:
        """Return the seed of problem `index`; the seeds of neighbours are computed together.

        It has 62 bits: two problems of a million share a seed with a probability of one in ten million. For a
        few tasks it has 31 bits: about 230 pairs of a million problems share one.
        """
        seed, split, _ = self.entropy(index)
        number, place = divmod(index, _BLOCK)
        if seed >= 2**32 or index >= 2**32 - _BLOCK:
            bits = np.random.SeedSequence((seed, split, index)).generate_state(1, np.uint64)[0]
            return int(bits) >> self._seed_shift
        block = self._blocks.get(number)
        if block is None:
            block = derive_many((seed, split), number * _BLOCK, _BLOCK)
            if len(self._blocks) < _MAX_BLOCKS:
                self._blocks[number] = block
        return int(block[place]) >> self._seed_shift

    def _entry(self, seed: int) -> tuple[Any, Any]:
        """Return a dataset with this seed, and its first entry.

        Making a dataset takes longer than making an entry. If a task uses the seed for entries only, a copy
        of one dataset with another seed makes the same entries as a new dataset.
        """
        if self._draws_globally:
            with unchanged_random_state():
                random.seed(seed)
                return self._dataset_and_entry(seed)
        return self._dataset_and_entry(seed)

    def _dataset_and_entry(self, seed: int) -> tuple[Any, Any]:
        if self.task in _MADE_ANEW:
            dataset = self._create(self.task, seed=seed, size=1, **self._settings)
            return dataset, dataset[0]
        if self._shared is None:
            self._shared = self._create(self.task, seed=0, size=1, **self._settings)
        shared = self._shared
        dataset = object.__new__(type(shared))
        dataset.__dict__.update(shared.__dict__, seed=seed)
        return dataset, dataset[0]


def _require_reproducible(task: str) -> str:
    """Check that the problems of a task are the same in every process.

    Returns:
        What the source of the problems says about it; mostly empty.

    Raises:
        ConfigError: They are not.
    """
    if task in _REFUSED:
        raise ConfigError(f"task={task!r} of reasoning-gym is refused: {_REFUSED[task]}")
    if task not in _ORDER_OF_SETS:
        return ""
    hash_seed = os.environ.get("PYTHONHASHSEED", "random")
    if not hash_seed.isdecimal():
        raise ConfigError(
            f"task={task!r} of reasoning-gym makes other problems in every process, by the order of sets: "
            "set the environment variable PYTHONHASHSEED=0 before Python starts"
        )
    return f" PYTHONHASHSEED={hash_seed}"


class ReasoningGymChecker:
    """Compares numbers exactly, and lets the task's own scorer decide about everything else.

    The library's scorers give partial credit, and some compare numbers with a tolerance. Here a reply is
    correct only with full credit, and numbers need no scorer.

    Args:
        problems: The problems whose replies are checked.
    """

    def __init__(self, problems: ReasoningGymProblems) -> None:
        self._problems = problems
        self._numeric = NumericChecker()

    def check(self, reply: str, reference: str, *, question: str | None = None) -> CheckResult:
        """Check the final answer of `reply`; see `Checker.check`."""
        answer = final_answer(reply)
        if answer == reference and reference:
            return CheckResult(Verdict.CORRECT, answer, "text")
        if reference and read_number(reference) is not None:
            return self._numeric.check(reply, reference)
        if answer is None:
            return CheckResult(Verdict.NO_ANSWER)
        if reference and answer.strip() == reference.strip():
            return CheckResult(Verdict.CORRECT, answer, "text")
        found = self._problems.entry(question or "")
        if found is None:
            return CheckResult(Verdict.WRONG, answer, "text")
        dataset, entry = found
        try:
            score = dataset.score_answer(answer, entry)
        except Exception:  # the scorers raise errors of any class on an answer that they cannot parse
            return CheckResult(Verdict.UNREADABLE, answer, "reasoning-gym")
        return CheckResult(Verdict.CORRECT if score == 1.0 else Verdict.WRONG, answer, "reasoning-gym")


def load_reasoning_gym(
    *,
    task: str | None = None,
    split: str = "train",
    seed: int = 0,
    size: int = 100_000,
    config: Mapping[str, Any] | None = None,
) -> ReasoningGymProblems:
    """Return problems of a task of reasoning-gym, shared by all callers with the same arguments.

    Args:
        task: Must be given.
        split: See `ReasoningGymProblems`, as for the other arguments.
        seed: As there.
        size: As there.
        config: As there.

    Raises:
        ConfigError: No task is given, or an argument is unknown or out of range.
        MissingDependencyError: reasoning-gym is not installed.
    """
    if task is None:
        raise ConfigError('RISE-ReasoningGym-v0 needs task=, for example task="chain_sum"')
    return _shared(task, split, seed, size, json.dumps(dict(config or {}), sort_keys=True))


@lru_cache(maxsize=32)
def _shared(task: str, split: str, seed: int, size: int, config: str) -> ReasoningGymProblems:
    return ReasoningGymProblems(task=task, split=split, seed=seed, size=size, config=json.loads(config))

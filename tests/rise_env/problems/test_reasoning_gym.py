import subprocess
import sys

import gymnasium
import numpy as np
import pytest

from rise_env.envs.math_env import math_env_of
from rise_env.errors import ConfigError, MissingDependencyError
from rise_env.problems.loading import load_problems
from rise_env.problems.reasoning_gym import ReasoningGymProblems
from rise_env.types import Verdict


@pytest.fixture
def library() -> None:
    pytest.importorskip("reasoning_gym")


def questions(**settings: object) -> set[str]:
    return {
        problem.question for problem in load_problems("ReasoningGym", task="chain_sum", size=200, **settings)
    }


@pytest.mark.usefixtures("library")
def test_neither_seeds_nor_splits_overlap() -> None:
    # the library's own datasets of seeds 0 and 1 share 199 of 200 problems
    sets = [questions(seed=0), questions(seed=1), questions(split="validation"), questions(split="test")]
    assert len(set.union(*sets)) > 0.98 * sum(map(len, sets))


@pytest.mark.usefixtures("library")
def test_a_problem_depends_on_seed_split_and_index_alone() -> None:
    first = load_problems("ReasoningGym", task="chain_sum", seed=3)
    [again] = [load_problems("ReasoningGym", task="chain_sum", seed=3, size=60)[50]]
    assert first[50] == again
    assert first[-1] == first[len(first) - 1]
    assert [p.id for p in first[2:4]] == [
        "reasoning_gym/chain_sum/train/3/2",
        "reasoning_gym/chain_sum/train/3/3",
    ]
    assert first[0].source.startswith("reasoning-gym ")


@pytest.mark.usefixtures("library")
def test_numbers_are_compared_exactly() -> None:
    # the library's cascade scorer takes 2025 for 2020, and its default one pays for "7-4" where -4 is right
    problems = load_problems("ReasoningGym", task="chain_sum")
    for reply, reference, right in (
        ("2025", "2020", False),
        ("7-4", "-4", False),
        ("101", "100", False),
        ("+4.0", "4", True),
    ):
        assert problems.checker.check(rf"\boxed{{{reply}}}", reference).correct is right  # type: ignore[attr-defined]


@pytest.mark.usefixtures("library")
def test_other_answers_are_scored_by_the_task() -> None:
    env = gymnasium.make("RISE-ReasoningGym-v0", task="prime_factorization")
    env.reset(options={"index": 1})
    problem = math_env_of(env).problem
    swapped = " × ".join(reversed(problem.reference.split(" × ")))
    assert math_env_of(env).check(rf"\boxed{{{swapped}}}").correct
    assert math_env_of(env).check(r"\boxed{2 × nonsense}").verdict in {Verdict.WRONG, Verdict.UNREADABLE}
    assert math_env_of(env).check("hm").verdict is Verdict.NO_ANSWER


@pytest.mark.usefixtures("library")
def test_settings_that_do_not_exist_are_named() -> None:
    with pytest.raises(ConfigError, match="no task of reasoning-gym 'chain_sums'; did you mean"):
        load_problems("ReasoningGym", task="chain_sums")
    with pytest.raises(ConfigError, match="no setting of chain_sum 'min_term'; did you mean 'min_terms'"):
        load_problems("ReasoningGym", task="chain_sum", config={"min_term": 3})
    with pytest.raises(ConfigError, match="seed must be at least 0"):
        load_problems("ReasoningGym", task="chain_sum", seed=-1)
    assert (
        len(load_problems("ReasoningGym", task="chain_sum", config={"min_terms": 2, "max_terms": 2}))
        == 100_000
    )


def test_a_task_must_be_named() -> None:
    with pytest.raises(ConfigError, match='needs task=, for example task="chain_sum"'):
        gymnasium.make("RISE-ReasoningGym-v0")


def test_without_the_library_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "reasoning_gym", None)
    with pytest.raises(MissingDependencyError, match="pip install reasoning-gym"):
        load_problems("ReasoningGym", task="chain_sum", seed=987)


@pytest.mark.usefixtures("library")
def test_importing_the_library_keeps_the_global_random_state() -> None:
    code = (
        "import random; random.seed(3); before = random.getstate()\n"
        "from rise_env import make\n"
        "make('RISE-ReasoningGym-v0', task='chain_sum').reset(seed=1)\n"
        "assert random.getstate() == before"
    )
    subprocess.run([sys.executable, "-W", "ignore", "-c", code], check=True)


@pytest.mark.parametrize("task", ["chain_sum", "gsm_symbolic", "countdown", "knights_knaves", "survo"])
def test_a_problem_is_that_of_a_dataset_made_for_its_seed(task: str) -> None:
    reasoning_gym = pytest.importorskip("reasoning_gym")
    problems = ReasoningGymProblems(task=task, split="test", seed=5, size=5000, config={})
    for index in (0, 1, 2047, 4999):
        entropy = np.random.SeedSequence(problems.entropy(index)).generate_state(1, np.uint64)
        dataset = reasoning_gym.create_dataset(task, seed=int(entropy[0]) >> 2, size=1)
        entry = dataset[0]
        assert (problems[index].question, problems[index].reference) == (
            entry["question"],
            str(entry["answer"]),
        )

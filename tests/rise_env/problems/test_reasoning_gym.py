import os
import random
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


@pytest.mark.usefixtures("library")
@pytest.mark.parametrize("task", ["pool_matrix", "list_functions"])
def test_tasks_that_draw_globally_have_the_same_problems_and_keep_the_global_state(task: str) -> None:
    problems = load_problems("ReasoningGym", task=task, seed=8)
    random.seed(1)
    before = random.getstate(), str(np.random.get_state(legacy=False))  # noqa: NPY002
    first = [problems[i] for i in range(20)]
    assert (random.getstate(), str(np.random.get_state(legacy=False))) == before  # noqa: NPY002
    random.seed(2)
    assert [problems[i] for i in range(20)] == first
    assert len({problem.question for problem in first}) > 15
    for problem in first:
        check = problems.checker.check(  # type: ignore[attr-defined]
            rf"\boxed{{{problem.reference}}}", problem.reference, question=problem.question
        )
        assert check.correct


@pytest.mark.usefixtures("library")
def test_tasks_that_no_seed_repeats_are_refused_when_the_environment_is_made() -> None:
    with pytest.raises(ConfigError, match="task='codeio' of reasoning-gym is refused: it runs code"):
        gymnasium.make("RISE-ReasoningGym-v0", task="codeio")


@pytest.mark.usefixtures("library")
def test_tasks_that_depend_on_the_order_of_sets_need_a_fixed_one() -> None:
    code = (
        "from rise_env import make; env = make('RISE-ReasoningGym-v0', task='word_ladder').unwrapped\n"
        "print([problem.question for problem in env.problems[:30]], env.problems[0].source)"
    )

    def run(hash_seed: str) -> subprocess.CompletedProcess[str]:
        settings = {**os.environ, "PYTHONHASHSEED": hash_seed}
        command = [sys.executable, "-W", "ignore", "-c", code]
        return subprocess.run(command, capture_output=True, text=True, check=False, env=settings)

    assert "set the environment variable PYTHONHASHSEED=0 before Python starts" in run("random").stderr
    fixed = run("7")
    assert fixed.stdout.endswith("word_ladder PYTHONHASHSEED=7\n"), fixed.stderr
    assert run("7").stdout == fixed.stdout


@pytest.mark.usefixtures("library")
def test_parts_of_a_composite_task_are_given_as_plain_values() -> None:
    parts = [{"name": name, "weight": 1.0, "config": {}} for name in ("chain_sum", "pool_matrix")]
    problems = load_problems("ReasoningGym", task="composite", config={"datasets": parts})
    assert len({problems[i].question[:30] for i in range(20)}) == 2
    for problem in problems[:20]:
        reply = rf"\boxed{{{problem.reference}}}"
        assert problems.checker.check(reply, problem.reference, question=problem.question).correct  # type: ignore[attr-defined]
    parts[1]["name"] = "codeio"
    with pytest.raises(ConfigError, match="is refused"):
        load_problems("ReasoningGym", task="composite", config={"datasets": parts})


@pytest.mark.usefixtures("library")
@pytest.mark.parametrize(
    ("task", "config", "message"),
    [
        ("composite", {}, "Must specify at least one dataset"),
        ("composite", {"datasets": [{"weight": 1.0}]}, "missing 2 required positional arguments"),
        ("chain_sum", {"min_terms": 5, "max_terms": 2}, "max_terms must be"),
    ],
)
def test_settings_that_the_library_refuses_are_refused_when_the_environment_is_made(
    task: str, config: dict[str, object], message: str
) -> None:
    with pytest.raises(ConfigError, match=f"reasoning-gym makes no problem of {task} .*{message}"):
        gymnasium.make("RISE-ReasoningGym-v0", task=task, config=config)

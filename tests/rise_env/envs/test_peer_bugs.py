"""Each test is a bug that was found in another math environment; ours must not have it."""

import asyncio
import random
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import gymnasium
import numpy as np
import pytest

from rise_env.checkers import NumericChecker, SymbolicChecker
from rise_env.envs.math_env import MathEnv, math_env_of
from rise_env.envs.vector_env import MathVectorEnv
from rise_env.problems.loading import load_problems
from rise_env.types import Problem


def one(reference: str, checker: Any = None, **settings: Any) -> MathEnv:
    """An environment with one problem."""
    env = MathEnv(
        [Problem(id="p", question="q?", reference=reference)], checker or NumericChecker(), **settings
    )
    env.reset()
    return env


def test_reset_takes_a_seed_and_returns_two_and_step_returns_five() -> None:
    env = one("4")
    assert len(env.reset(seed=1)) == 2
    assert len(env.step(r"\boxed{4}")) == 5


def test_ids_are_made_by_gymnasium_itself() -> None:
    env = gymnasium.make("rise_env:RISE-Arithmetic-v0")
    assert env.spec is not None
    assert env.observation_space is not None
    assert env.action_space is not None


def test_both_flags_are_never_true_when_solving_in_the_last_turn() -> None:
    env = one("4", max_turns=1)
    assert env.step(r"\boxed{4}")[2:4] == (True, False)


@pytest.mark.parametrize("checker", [NumericChecker(), SymbolicChecker()], ids=["numeric", "symbolic"])
def test_a_right_answer_is_right_in_a_worker_thread_and_in_asyncio(checker: Any) -> None:
    env = one("4", checker)
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(env.check, r"\boxed{4}").result().correct

    async def check() -> bool:
        return (await asyncio.to_thread(env.check, r"\boxed{4}")).correct

    assert asyncio.run(check())


def test_vector_environments_keep_the_outcome_over_an_autoreset() -> None:
    env = MathVectorEnv(
        load_problems("Arithmetic"), NumericChecker(), 2, max_turns=1, autoreset_mode="SameStep"
    )
    env.reset(seed=0)
    infos = env.step(["hm", "hm"])[4]
    assert infos["final_info"]["verdict"].tolist() == ["no_answer"] * 2


def test_seeding_leaves_the_global_generators_alone() -> None:
    random.seed(1)
    np.random.seed(1)  # noqa: NPY002 it is what is tested
    before = random.getstate(), np.random.get_state()[1].tolist()  # type: ignore[index,union-attr]  # noqa: NPY002
    one("4").reset(seed=123)
    MathVectorEnv(load_problems("Arithmetic"), NumericChecker(), 2).reset(seed=123)
    assert before == (random.getstate(), np.random.get_state()[1].tolist())  # type: ignore[index,union-attr]  # noqa: NPY002


def test_a_set_has_one_order_whatever_was_seeded_before() -> None:
    env = gymnasium.make("RISE-Arithmetic-v0")
    first = env.reset(seed=5)[1]["problem_id"]
    random.seed(9)
    assert gymnasium.make("RISE-Arithmetic-v0").reset(seed=5)[1]["problem_id"] == first


def test_neighbouring_seeds_pose_different_problems() -> None:
    posed = [gymnasium.make("RISE-Arithmetic-v0").reset(seed=seed)[1]["index"] for seed in range(50)]
    assert len(set(posed)) == 50
    first, second = load_problems("Arithmetic", seed=0), load_problems("Arithmetic", seed=1)
    assert not {first[i].question for i in range(200)} & {second[i].question for i in range(200)}


@pytest.mark.parametrize(
    ("reply", "reference", "right"),
    [
        (r"\boxed{2125}", "2,125", True),
        (r"\boxed{2,125}", "2,125", True),
        (r"\boxed{2}", "2,125", False),
        (r"\boxed{\$18}", "18", True),
        (r"\boxed{$18}", "18", True),
        (r"\boxed{18.0}", "18", True),
        (r"\boxed{18.}", "18", True),
        (r"\boxed{1,800}", "1800", True),
        ("#### $18", "18", True),
        ("#### 18.0", "18", True),
        ("#### 18.", "18", True),
        ("Answer: \\boxed{-3}", "3", False),
        (r"\boxed{2025}", "2020", False),
        (r"\boxed{101}", "100", False),
        (r"\boxed{7-4}", "-4", False),
        ("first #### 18 then no, #### 20", "18", False),
        ("#### 18 #### 20", "20", True),
        (r"\boxed{41}, no: \boxed{42}", "42", True),
        (r"\boxed{41}, no: \boxed{42}", "41", False),
        (r"\boxed{1, 2, 3, 4}", "4", False),
        ("", "4", False),
        (r"\boxed{}", "4", False),
    ],
)
@pytest.mark.parametrize("checker", [NumericChecker(), SymbolicChecker()], ids=["numeric", "symbolic"])
def test_gold_spellings_and_tricks(reply: str, reference: str, right: bool, checker: Any) -> None:
    _, reward, terminated, _, info = one(reference, checker).step(reply)
    assert (info["correct"], terminated, reward == 1.0) == (right, right, right)


def test_a_turn_that_is_wrong_but_well_formed_earns_nothing() -> None:
    env = one("4")
    rewards = [env.step(reply)[1] for reply in (r"\boxed{3}", r"\boxed{5}", r"\boxed{4}")]
    assert sum(float(reward) for reward in rewards) <= 1.0


def test_a_reply_of_any_sort_is_a_verdict_and_never_an_error() -> None:
    env = one("4", SymbolicChecker(), max_turns=100)
    for reply in (
        "",
        "\0",
        "\ud800",
        r"\boxed{" * 1000,
        r"\boxed{__import__('os')}",
        "9" * 10_000,
        "🙂" * 999,
    ):
        assert not env.step(reply)[4]["correct"]


def test_a_heavy_check_costs_its_own_limit_and_nothing_after_it() -> None:
    env = one("4", SymbolicChecker(timeout=0.5), max_turns=10)
    surds = "+".join(rf"\sqrt{{{n}}}" for n in range(2, 900))
    tower = "5^{5^{5^{5^5}}}"
    for heavy in (surds, tower, "9" * 2_000_000):
        assert not env.check(rf"\boxed{{{heavy}}}").correct
        assert env.check(r"\boxed{4}").correct


def test_one_environment_that_raises_leaves_the_others_as_they_are() -> None:
    good, bad = one("4"), one("not a number")
    with pytest.raises(ValueError, match="is not a number"):
        bad.step(r"\boxed{1}")
    assert bad.turn == 0
    assert good.step(r"\boxed{4}")[2]


def test_observations_do_not_hold_the_answer() -> None:
    env = gymnasium.make("RISE-Arithmetic-v0", split="test", feedback="oracle")
    observation, info = env.reset(seed=2)
    solution = math_env_of(env).problem.solution
    assert solution
    assert solution not in str(observation)
    assert "reference" not in info
    assert "reference" not in env.step("hm")[4]

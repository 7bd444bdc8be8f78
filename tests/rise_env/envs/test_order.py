from collections import Counter
from itertools import permutations
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import rise_env
from rise_env.checkers import NumericChecker
from rise_env.envs.math_env import MathEnv, math_env_of
from rise_env.envs.problem_sampler import ORDERS, ProblemSampler, WeightedSampler, pass_rates
from rise_env.envs.vector_env import MathVectorEnv
from rise_env.errors import ConfigError
from rise_env.types import Attempt, CheckResult, Trajectory, Turn, Verdict
from rise_env.utils.permutation import permute
from tests.rise_env.conftest import SUMS


def posed(env: MathEnv, count: int, seed: int | None = None) -> list[int]:
    first = env.reset(seed=seed)[1]["index"]
    return [first, *(env.reset()[1]["index"] for _ in range(count - 1))]


def single(**settings: Any) -> MathEnv:
    return MathEnv(SUMS, NumericChecker(), **settings)


@given(size=st.integers(1, 300), key=st.integers(0, 2**64 - 1))
def test_a_permutation_has_every_position_once(size: int, key: int) -> None:
    found = permute(np.arange(size, dtype=np.uint64), size, key)
    assert sorted(found.tolist()) == list(range(size))


@given(key=st.integers(0, 2**63), size=st.integers(2**40, 2**62), start=st.integers(0, 2**40 - 100))
def test_a_permutation_of_any_size_is_computed_position_by_position(key: int, size: int, start: int) -> None:
    places = np.arange(start, start + 50, dtype=np.uint64)
    found = permute(places, size, key)
    assert len(set(found.tolist())) == 50
    assert (found < size).all()
    assert permute(places[7:8], size, key)[0] == found[7]


@given(size=st.integers(1, 3000), key=st.integers(0, 2**64 - 1), data=st.data())
def test_a_permutation_does_not_depend_on_how_many_positions_are_asked_for(
    size: int, key: int, data: st.DataObject
) -> None:
    at = data.draw(st.integers(0, size - 1))
    whole = permute(np.arange(size, dtype=np.uint64), size, key)
    assert permute(np.array([at], dtype=np.uint64), size, key)[0] == whole[at]


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("size", [5, 5000])
def test_many_problems_drawn_together_are_those_drawn_one_at_a_time(order: str, size: int) -> None:
    one, many = (ProblemSampler(range(size), order) for _ in range(2))  # type: ignore[arg-type]
    sources = [single(), single()]
    for source in sources:
        source.reset(seed=3)
    for times in (1, 3, 64, 2000, 64, 0, 3000, 7):  # over the ends of blocks and of epochs
        expected = [one.sample(None, sources[0]) for _ in range(times)]
        assert many.sample_many(times, sources[1]) == expected
        assert many.place == one.place


def test_permutations_of_three_are_equally_frequent() -> None:
    orders = Counter(tuple(permute(np.arange(3, dtype=np.uint64), 3, key).tolist()) for key in range(6000))
    assert set(orders) == set(permutations(range(3)))
    assert max(abs(count - 1000) for count in orders.values()) < 150  # five standard deviations


def test_a_random_order_poses_every_problem_once_per_epoch() -> None:
    env = single()
    first, second, third = posed(env, 20, seed=4), posed(env, 20), posed(env, 20)
    assert sorted(first) == sorted(second) == sorted(third) == list(range(20))
    assert len({tuple(first), tuple(second), tuple(third), tuple(range(20))}) == 4
    assert posed(env, 20, seed=4) == first
    assert posed(env, 20, seed=5) != first


def test_the_first_problem_of_a_seed_is_uniform_and_so_is_the_second() -> None:
    env = single()
    pairs = [posed(env, 2, seed=seed) for seed in range(2000)]
    for column in zip(*pairs, strict=True):
        assert max(abs(count - 100) for count in Counter(column).values()) < 50
    steps = Counter((second - first) % 20 for first, second in pairs)
    assert len(steps) == 19
    assert max(abs(count - 105) for count in steps.values()) < 50


def test_the_first_problem_of_a_seed_is_that_of_independent_draws() -> None:
    for seed in range(30):
        assert posed(single(), 1, seed) == posed(single(order="replacement"), 1, seed)


def test_independent_draws_repeat_problems() -> None:
    assert len(set(posed(single(order="replacement"), 20, seed=1))) < 20


def test_a_million_problems_come_in_a_random_order_without_a_list() -> None:
    env = math_env_of(rise_env.make("RISE-Arithmetic-v0", size=2**61))
    assert len(set(posed(env, 1100, seed=3))) == 1100


def test_in_order_means_the_same_in_two_ways() -> None:
    assert posed(single(order="sequential"), 22) == posed(single(shuffle=False), 22) == [*range(20), 0, 1]


@pytest.mark.parametrize("mode", ["NextStep", "SameStep"])
def test_a_batch_goes_through_one_permutation(mode: str) -> None:
    env = MathVectorEnv(SUMS, NumericChecker(), 4, max_turns=1, autoreset_mode=mode)
    found = env.reset(seed=3)[1]["index"].tolist()
    while len(found) < 60:
        infos = env.step(["hm"] * 4)[4]
        if "index" in infos:
            found += infos["index"].tolist()
    for epoch in range(3):
        assert sorted(found[20 * epoch : 20 * epoch + 20]) == list(range(20))
    assert found == posed(single(), 60, seed=3)


def test_a_state_and_a_fork_keep_the_place_in_the_order() -> None:
    env = single()
    posed(env, 7, seed=1)
    state, twin, other = env.get_state(), env.fork(), single()
    expected = posed(env, 30)
    assert posed(twin, 30) == expected
    other.reset(seed=9)
    other.set_state(state)
    assert posed(other, 30) == expected


def test_a_problem_that_is_asked_for_takes_no_place_in_the_order() -> None:
    env = single()
    env.reset(seed=2)
    rest = []
    for _ in range(19):
        env.reset(options={"index": 5})
        rest.append(env.reset()[1]["index"])
    assert rest == posed(single(), 20, seed=2)[1:]


def test_weights_decide_how_often_a_problem_comes() -> None:
    env = single(order=WeightedSampler([0, 3, 1, *[0] * 17]))
    found = Counter(posed(env, 4000, seed=1))
    assert set(found) == {1, 2}
    assert abs(found[1] - 3000) < 150
    assert posed(env, 9, seed=4) == posed(env, 9, seed=4)
    batch = MathVectorEnv(SUMS, NumericChecker(), 8, order=WeightedSampler([0, 3, 1, *[0] * 17]))
    assert set(batch.reset(seed=1)[1]["index"].tolist()) == {1, 2}


def test_a_curriculum_of_the_user_chooses_with_the_generator_of_the_environment() -> None:
    class Hardest:
        def sample(self, generator: np.random.Generator, count: int) -> int:
            return count - 1 - int(generator.integers(2))

    found = posed(single(order=Hardest()), 30, seed=1)
    assert set(found) == {18, 19}
    assert posed(single(order=Hardest()), 30, seed=1) == found


def test_pass_rates_are_those_of_the_first_turn() -> None:
    def attempt(verdict: Verdict) -> Attempt:
        return Attempt(agent="a", reply="", check=CheckResult(verdict), reward=0.0)

    right, wrong = attempt(Verdict.CORRECT), attempt(Verdict.WRONG)
    turns = (Turn(observation=(), attempts=(right, wrong)), Turn(observation=(), attempts=(right,)))
    played = [
        Trajectory(id="1", problem=SUMS[0], turns=turns, seed=0),
        Trajectory(id="2", problem=SUMS[0], turns=turns[1:], seed=1),
        Trajectory(id="3", problem=SUMS[1], turns=(), seed=0, error="failed"),
    ]
    assert pass_rates(played) == {"sums/0": pytest.approx(2 / 3)}


class TooFar:
    def sample(self, generator: np.random.Generator, count: int) -> int:
        return count


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"order": "permuted"}, "no order 'permuted'; did you mean 'permutation'"),
        ({"order": "replacement", "shuffle": False}, "leave out order='replacement'"),
        ({"order": 3}, r"or has a method sample\(generator, count\); got 3"),
        ({"order": TooFar()}, r"TooFar chose 20, not an index in \[0, 20\)"),
        ({"order": WeightedSampler([1.0])}, "there are 1 weights for 20 problems"),
    ],
    ids=str,
)
def test_an_order_that_makes_no_sense_says_why(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        single(**settings).reset()


@pytest.mark.parametrize("weights", [[0, 0], [1, -1], [float("nan"), 1], [[1]], []])
def test_weights_that_make_no_sense_are_refused(weights: Any) -> None:
    with pytest.raises(ConfigError, match="weights must be finite numbers"):
        WeightedSampler(weights)

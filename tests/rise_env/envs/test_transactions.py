"""A step or a reset that raises changes nothing, and can be repeated."""

import re
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from gymnasium.vector import AutoresetMode
from hypothesis import given
from hypothesis import strategies as st

from rise_env.checkers import NumericChecker
from rise_env.envs.math_env import MathEnv
from rise_env.envs.problem_sampler import ORDERS
from rise_env.envs.vector_env import MathVectorEnv
from rise_env.errors import ConfigError
from rise_env.types import CheckResult, Problem
from tests.rise_env.conftest import SUMS

FEW = SUMS[:7]


class DownError(Exception):
    """The service that a function asks is down."""


class Line:
    """Counts calls of everything that a user may supply, and raises at the calls with given numbers."""

    def __init__(self, failing: frozenset[int] = frozenset()) -> None:
        self.failing = failing
        self.calls = 0

    def call(self) -> None:
        self.calls += 1
        if self.calls - 1 in self.failing:
            raise DownError(self.calls - 1)


class Problems(Sequence[Problem]):
    """Sums that are fetched one at a time."""

    def __init__(self, line: Line) -> None:
        self.line = line

    def __len__(self) -> int:
        return len(FEW)

    def __getitem__(self, index: Any) -> Any:
        self.line.call()
        return FEW[index]


class Judge(NumericChecker):
    def __init__(self, line: Line) -> None:
        super().__init__()
        self.line = line

    def check(self, reply: str, reference: str, *, question: str | None = None) -> CheckResult:
        self.line.call()
        return super().check(reply, reference, question=question)


def arguments(line: Line, **settings: Any) -> dict[str, Any]:
    def feedback(problem: Problem, check: CheckResult, turn: int) -> str:
        line.call()
        return f"{problem.id} {check.verdict.value} {turn}"

    return {"problems": Problems(line), "checker": Judge(line), "feedback": feedback, **settings}


def state_of(env: MathEnv | MathVectorEnv) -> Any:
    """Everything that a later call depends on."""
    if isinstance(env, MathEnv):
        episodes = [] if env._episode is None else [env._episode]
        generators = [env._np_random]
    else:
        episodes = env._episodes
        generators = [source._generator for source in env._sources]
    return (
        [(list(map(dict, e.messages)), e.turn, e.over, e.problem.id) for e in episodes],
        [None if generator is None else generator.bit_generator.state for generator in generators],
        env._sampler.place,
        env._np_random_seed,
    )


def play(
    env: MathEnv | MathVectorEnv, calls: Sequence[Callable[[], Any]], *, retries: bool
) -> tuple[list[Any], int]:
    """Return the results of calls that are repeated until they succeed, and the number of failures."""
    results, failures = [], 0
    for call in calls:
        while True:
            before = state_of(env)
            try:
                results.append(call())
                break
            except DownError:
                assert retries
                assert state_of(env) == before
                failures += 1
    return results, failures


failing = st.frozensets(st.integers(0, 60), max_size=12)
said = st.sampled_from([r"\boxed{1}", r"\boxed{7}", "hm", r"\boxed{15}"])


def as_text(value: Any) -> str:
    """The value without the times of the checks."""
    return re.sub(r"seconds=[^)]*", "", repr(value))


@given(numbers=failing, replies=st.lists(said, min_size=1, max_size=8), order=st.sampled_from(ORDERS))
def test_a_call_that_raises_leaves_an_episode_as_it_was(
    numbers: frozenset[int], replies: list[str], order: str
) -> None:
    def results(failures: frozenset[int]) -> tuple[list[Any], int]:
        env = MathEnv(**arguments(Line(failures), max_turns=3, order=order))

        def step(reply: str) -> Any:
            if env._episode is None or env._episode.over:
                return env.reset()
            return env.step(reply)

        calls = [lambda: env.reset(seed=3), *(lambda reply=reply: step(reply) for reply in replies)]
        return play(env, calls, retries=bool(failures))

    expected, none = results(frozenset())
    found, _ = results(numbers)
    assert none == 0
    assert as_text(found) == as_text(expected)


@pytest.mark.parametrize("mode", list(AutoresetMode), ids=lambda mode: mode.value)
@given(
    numbers=failing,
    replies=st.lists(st.tuples(said, said, said), min_size=1, max_size=6),
    order=st.sampled_from(ORDERS),
)
def test_a_call_that_raises_leaves_a_batch_as_it_was(
    mode: AutoresetMode, numbers: frozenset[int], replies: list[tuple[str, str, str]], order: str
) -> None:
    def results(failures: frozenset[int]) -> tuple[list[Any], int]:
        env = MathVectorEnv(
            num_envs=3,
            autoreset_mode=mode,
            **arguments(Line(failures), max_turns=3, order=order, stop_when_correct=False),
        )

        def step(actions: tuple[str, str, str]) -> Any:
            if mode is AutoresetMode.DISABLED and env._episodes[0].over:
                return env.reset(seed=[5, None, 6])
            return env.step(actions)

        calls = [lambda: env.reset(seed=3), *(lambda actions=actions: step(actions) for actions in replies)]
        return play(env, calls, retries=bool(failures))

    expected, none = results(frozenset())
    found, _ = results(numbers)
    assert none == 0
    assert as_text(found) == as_text(expected)


def test_the_property_above_has_failures_in_it() -> None:
    env = MathVectorEnv(num_envs=3, **arguments(Line(frozenset({1, 4, 7, 11})), max_turns=2))
    calls = [lambda: env.reset(seed=3), *[lambda: env.step(["hm"] * 3)] * 4]
    assert play(env, calls, retries=True)[1] == 4


def test_a_failing_print_leaves_the_episode_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    env = MathEnv(SUMS, NumericChecker(), render_mode="human")
    env.reset(options={"index": 3})
    before = state_of(env)

    def closed(text: str) -> int:
        raise OSError("no space left")

    with monkeypatch.context() as patch:
        patch.setattr("sys.stdout.write", closed)
        with pytest.raises(OSError, match="no space left"):
            env.step("hm")
    assert state_of(env) == before


def test_an_option_that_is_refused_takes_the_seed_back() -> None:
    env = MathEnv(SUMS, NumericChecker())
    env.reset(seed=1)
    before = state_of(env)
    with pytest.raises(ConfigError, match="index must be an integer"):
        env.reset(seed=2, options={"index": 99})
    assert state_of(env) == before
    batch = MathVectorEnv(SUMS, NumericChecker(), 2)
    batch.reset(seed=1)
    before = state_of(batch)
    with pytest.raises(ConfigError, match="index must be an integer"):
        batch.reset(seed=2, options={"index": [1, 99]})
    assert state_of(batch) == before


@pytest.mark.parametrize("value", [None, 3, b"again"])
def test_a_feedback_function_that_returns_no_text_is_named(value: Any) -> None:
    def silent(problem: Problem, check: CheckResult, turn: int) -> Any:
        return value

    env = MathEnv(SUMS, NumericChecker(), feedback=silent)
    env.reset(seed=1)
    before = state_of(env)
    with pytest.raises(ConfigError, match=f"returns a text, got {value!r} from .*silent"):
        env.step("hm")
    assert state_of(env) == before

import sys
from types import FrameType
from typing import Any

import gymnasium

from rise_benchmarks.speed.env import WRONG
from rise_benchmarks.speed.wrappers import added, empty, wrapped
from rise_env.checkers import NumericChecker
from rise_env.envs.math_env import MathEnv
from rise_env.types import Problem

PROBLEMS = [Problem(id="sums/0", question="What is 1 + 1?", reference="2")]


def wrapper_instructions(env: gymnasium.Env[Any, str]) -> int:
    """Count the bytecode instructions that Gymnasium's own code runs in one step."""
    env.reset(options={"index": 0})
    env.step(WRONG)
    env.step(WRONG)
    counted = 0

    def trace(frame: FrameType, event: str, argument: object) -> Any:
        nonlocal counted
        if "gymnasium" not in frame.f_code.co_filename:
            return None
        frame.f_trace_opcodes = True
        counted += event == "opcode"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        env.step(WRONG)
    finally:
        sys.settrace(before)
    return counted


def test_the_wrappers_of_make_do_no_more_around_ours_than_around_an_empty_environment() -> None:
    ours = wrapper_instructions(wrapped(MathEnv(PROBLEMS, NumericChecker())))
    assert ours == wrapper_instructions(wrapped(empty(PROBLEMS)))
    assert ours > 10


def test_our_own_step_runs_none_of_gymnasiums_code() -> None:
    assert wrapper_instructions(MathEnv(PROBLEMS, NumericChecker())) == 0


def test_what_the_wrappers_add_is_measured() -> None:
    found = added(PROBLEMS, rounds=2)
    assert set(found) == {"ours_bare", "added_to_ours", "empty_bare", "added_to_empty", "ratio"}
    assert found["ours_bare"] > 0

"""Every reply gets a verdict in bounded time, and memory does not grow."""

import resource
import time
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rise_env.checkers import check_answer
from rise_env.types import CheckResult
from tests.rise_env.checkers.random_answers import PIECES, REFERENCES, reply

LIMIT = 10.0
"""CPU seconds of one check, ten times its deadline: a check that needs more has unbounded work. The benchmark
of checkers measures how long checks really take."""


def check(text: str, reference: str, timeout: float = 1.0) -> float:
    start = time.process_time()
    result = check_answer(text, reference, timeout=timeout)
    assert isinstance(result, CheckResult)
    return time.process_time() - start


@settings(max_examples=200)
@given(st.text(max_size=300), st.sampled_from(REFERENCES))
def test_any_text_gets_a_verdict(text: str, reference: str) -> None:
    assert check(text, reference) < LIMIT
    assert check(f"\\boxed{{{text}}}", reference) < LIMIT


@settings(max_examples=200)
@given(st.lists(st.sampled_from(PIECES), max_size=40), st.booleans(), st.sampled_from(REFERENCES))
def test_any_pieces_of_latex_get_a_verdict(pieces: list[str], spaced: bool, reference: str) -> None:
    text = (" " if spaced else "").join(pieces)
    assert check(f"\\boxed{{{text}}}", reference) < LIMIT


def fuzz(count: int, seed: int) -> float:
    """Check `count` random replies and return the longest CPU time of one check."""
    random = Random(seed)
    return max(check(reply(random), random.choice(REFERENCES), timeout=0.2) for _ in range(count))


@pytest.mark.parametrize("seed", range(4))
def test_random_replies_get_a_verdict(seed: int) -> None:
    assert fuzz(300, seed) < LIMIT


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_a_hundred_thousand_random_replies_cost_no_memory() -> None:
    fuzz(20_000, 100)  # fills the caches
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert fuzz(100_000, 101) < LIMIT
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    assert grown < 64, f"{grown:.0f} MB more than before"

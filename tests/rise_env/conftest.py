import os

os.environ.setdefault("HF_HUB_OFFLINE", "1")  # read when the hub's client is imported

import pytest

from rise_env.checkers import NumericChecker
from rise_env.envs.math_env import MathEnv
from rise_env.types import Problem

SUMS = [
    Problem(
        id=f"sums/{i}",
        question=f"What is {i} + {i + 1}?",
        reference=str(2 * i + 1),
        solution=f"Start with {i}.\nCount {i + 1} on.\nThat makes {2 * i + 1}.\n#### {2 * i + 1}",
        source="sums sha256:0",
        split="test",
    )
    for i in range(20)
]


@pytest.fixture
def env() -> MathEnv:
    """Twenty sums, oracle feedback."""
    return MathEnv(SUMS, NumericChecker(), feedback="oracle")

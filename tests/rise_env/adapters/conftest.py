"""What the tests of adapters share: an environment over sums, and the replies to it."""

from typing import Any

from tests.rise_env.conftest import SUMS

ID = "RISE-Custom-v0"
SETTINGS: dict[str, Any] = {"dataset": SUMS, "checker": "numeric", "feedback": "oracle", "max_turns": 3}
WRONG = r"\boxed{-5}"
RIGHT = rf"\boxed{{{SUMS[3].reference}}}"  # to problem 3

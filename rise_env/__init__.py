"""RISE: math problems as multi-turn Gymnasium environments.

Importing this package registers every environment id, `RISE-<Set>-v0`.
`gymnasium.make("rise_env:RISE-GSM8K-v0")` imports, registers and makes in one call.
"""

from rise_env.checkers import Checker, NumericChecker, SymbolicChecker, check_answer, equivalent
from rise_env.envs.math_env import MathEnv
from rise_env.envs.rewards import Rewards
from rise_env.envs.vector_env import MathVectorEnv
from rise_env.errors import RiseError
from rise_env.problems.loading import load_problems
from rise_env.registration import get_checker, make, register_all
from rise_env.trajectories.store import TrajectoryStore, read_trajectories
from rise_env.types import (
    Attempt,
    CheckResult,
    Conversation,
    Message,
    ModelFormat,
    Problem,
    Trajectory,
    Turn,
    Usage,
    Verdict,
)
from rise_env.utils.versions import __version__

__all__ = [
    "Attempt",
    "CheckResult",
    "Checker",
    "Conversation",
    "MathEnv",
    "MathVectorEnv",
    "Message",
    "ModelFormat",
    "NumericChecker",
    "Problem",
    "Rewards",
    "RiseError",
    "SymbolicChecker",
    "Trajectory",
    "TrajectoryStore",
    "Turn",
    "Usage",
    "Verdict",
    "__version__",
    "check_answer",
    "equivalent",
    "get_checker",
    "load_problems",
    "make",
    "read_trajectories",
]

register_all()

"""RISE: math problems as multi-turn Gymnasium environments.

Importing this registers every id, `RISE-<Set>-v0`; `gymnasium.make("rise_env:RISE-GSM8K-v0")` does both.
"""

from rise_env.checkers import Checker, NumericChecker
from rise_env.math_env import MathEnv
from rise_env.problems.loading import load_problems
from rise_env.registration import get_checker, make_env, register_all
from rise_env.rewards import Rewards
from rise_env.types import CheckResult, Conversation, Message, Problem, Verdict
from rise_env.vector_env import MathVectorEnv

__all__ = [
    "CheckResult",
    "Checker",
    "Conversation",
    "MathEnv",
    "MathVectorEnv",
    "Message",
    "NumericChecker",
    "Problem",
    "Rewards",
    "Verdict",
    "get_checker",
    "load_problems",
    "make_env",
    "register_all",
]

register_all()

"""Answer checkers: decide whether the final answer of a reply is right. No reply makes a checker raise."""

from rise_env.checkers.api import check_answer, equivalent, make_checker
from rise_env.checkers.base import Checker, CheckItem, check_many
from rise_env.checkers.extraction.boxed import last_boxed
from rise_env.checkers.extraction.final_answer import final_answer
from rise_env.checkers.multiple_choice import ChoiceChecker
from rise_env.checkers.numeric import NumericChecker
from rise_env.checkers.policy import Policy
from rise_env.checkers.sandbox.worker_pool import CheckerService
from rise_env.checkers.symbolic import SymbolicChecker
from rise_env.checkers.text import TextChecker

__all__ = [
    "CheckItem",
    "Checker",
    "CheckerService",
    "ChoiceChecker",
    "NumericChecker",
    "Policy",
    "SymbolicChecker",
    "TextChecker",
    "check_answer",
    "check_many",
    "equivalent",
    "final_answer",
    "last_boxed",
    "make_checker",
]

"""Decides whether a reply gives the right answer. What a reply says is never an error, only a verdict."""

from rise_env.checkers.answers import check_answer, equivalent, make_checker
from rise_env.checkers.base import Checker, CheckItem, check_many
from rise_env.checkers.boxed import last_boxed
from rise_env.checkers.choice import ChoiceChecker
from rise_env.checkers.extraction import final_answer
from rise_env.checkers.numeric import NumericChecker
from rise_env.checkers.policy import Policy
from rise_env.checkers.service import CheckerService
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

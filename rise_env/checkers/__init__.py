"""Decides whether a reply gives the right answer. What a reply says is never an error, only a verdict."""

from rise_env.checkers.base import Checker, CheckItem, check_many
from rise_env.checkers.boxed import last_boxed
from rise_env.checkers.extraction import final_answer
from rise_env.checkers.numeric import NumericChecker

__all__ = ["CheckItem", "Checker", "NumericChecker", "check_many", "final_answer", "last_boxed"]

"""The generated set RISE-Conventions: problems whose answers depend on conventions that nobody is told."""

from rise_env.problems.conventions.conventions import SHARED, Convention, coverage, is_stated
from rise_env.problems.conventions.generator import ConventionProblems

__all__ = ["SHARED", "Convention", "ConventionProblems", "coverage", "is_stated"]

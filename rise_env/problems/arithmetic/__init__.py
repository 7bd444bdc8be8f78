"""The generated set RISE-Arithmetic: word problems of a few steps, with worked solutions."""

from rise_env.problems.arithmetic.generator import ArithmeticProblems, Difficulty

__all__ = ["ArithmeticProblems", "Difficulty"]

"""Metrics of trajectories, as pure functions of arrays: accuracy, flips, intervals, report rows."""

from rise_env.metrics.accuracy import (
    correct_by_turn,
    lift,
    m1_at_t1,
    m1_at_tt,
    majority,
    mk_at_t1,
    p1_at_tt,
    pass_at_k,
    right_to_wrong,
    transitions,
    wrong_to_right,
)

__all__ = [
    "correct_by_turn",
    "lift",
    "m1_at_t1",
    "m1_at_tt",
    "majority",
    "mk_at_t1",
    "p1_at_tt",
    "pass_at_k",
    "right_to_wrong",
    "transitions",
    "wrong_to_right",
]

"""Metrics of trajectories: pure functions of arrays, with bootstrap intervals, and the rows of reports."""

from rise_env.metrics.accuracy import (
    accuracy_at_turn,
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
from rise_env.metrics.bootstrap import Estimate, bootstrap, paired_bootstrap
from rise_env.metrics.diagnostics import (
    break_even,
    distinct_answers,
    format_failures,
    repeats,
    reply_length,
    timeouts,
    tokens_per_solved,
    verbatim_repeats,
)
from rise_env.metrics.policy_results import PolicyResults, policy_results
from rise_env.metrics.reply_arrays import Replies, by_draw, by_turn
from rise_env.metrics.report_row import gains, row
from rise_env.metrics.significance import mcnemar

__all__ = [
    "Estimate",
    "PolicyResults",
    "Replies",
    "accuracy_at_turn",
    "bootstrap",
    "break_even",
    "by_draw",
    "by_turn",
    "correct_by_turn",
    "distinct_answers",
    "format_failures",
    "gains",
    "lift",
    "m1_at_t1",
    "m1_at_tt",
    "majority",
    "mcnemar",
    "mk_at_t1",
    "p1_at_tt",
    "paired_bootstrap",
    "pass_at_k",
    "policy_results",
    "repeats",
    "reply_length",
    "right_to_wrong",
    "row",
    "timeouts",
    "tokens_per_solved",
    "transitions",
    "verbatim_repeats",
    "wrong_to_right",
]

"""Definitions of the measures of the self-correction card, as one sentence each.

In a sentence, {t} stands for the number of turns.
"""

from collections.abc import Mapping

TOTALS: Mapping[str, str] = {
    "accuracy_t1": "Accuracy of the reply at turn 1 of the sequential episodes.",
    "accuracy_t{t}": "Accuracy of the reply at turn {t}, the last one, without a vote.",
    "delta_t1_t2": "Accuracy at turn 2 minus accuracy at turn 1, as in SCoRe (arXiv:2409.12917).",
    "delta_t1_t{t}": "Accuracy at turn {t} minus accuracy at turn 1.",
    "delta_ic_t1_t2": (
        "Share of all problems whose reply is incorrect at turn 1 and correct at turn 2, as in SCoRe; "
        "Δ(t1,t2) is Δ i→c minus Δ c→i."
    ),
    "delta_ic_t1_t{t}": "Share of all problems whose reply is incorrect at turn 1 and correct at turn {t}.",
    "delta_ci_t1_t2": (
        "Share of all problems whose reply is correct at turn 1 and incorrect at turn 2, as in SCoRe."
    ),
    "delta_ci_t1_t{t}": "Share of all problems whose reply is correct at turn 1 and incorrect at turn {t}.",
    "ecr": "Error correction rate: share of the wrong replies that a right one follows at the next turn.",
    "eir": "Error introduction rate: share of the right replies that a wrong one follows at the next turn.",
    "repeated": "Share of the wrong answers that are given again at the next turn.",
    "edit_distance": (
        "Levenshtein distance in words of a reply to the reply before it, divided by the words of the longer "
        "one: 0 is a copy, 1 a new text."
    ),
    "turns_to_success": "Mean number of the first right turn, over the episodes that have a right turn.",
    "cut": "Share of the replies that were cut at the limit of tokens.",
    "unreadable": "Share of the replies that state no answer, or one that the checker cannot read.",
    "tokens": "Generated tokens per problem, over the {t} turns of one episode.",
    "entropy": (
        "Mean negative log-probability of the sampled tokens in nats, which estimates the entropy of the "
        "policy per token."
    ),
    "self_verify_stopped": (
        "Share of the episodes of the protocol self_verify in which the model says that its answer is right, "
        "which ends the episode."
    ),
    "self_verify_accuracy_at_stop": "Accuracy of the last answer of the episodes of self_verify.",
    "self_verify_precision": "Share of the answers that the model says are right that are right.",
    "self_verify_recall": "Share of the right answers of which the model says that they are right.",
}
"""Key of a total of `self_correction.measures.MEASURES` -> definition."""

BY_TURN: Mapping[str, str] = {
    "accuracy": "Accuracy of the reply at this turn, without a vote.",
    "delta": "Accuracy at this turn minus accuracy at turn 1.",
    "delta_ic": "Share of all problems whose reply is incorrect at turn 1 and correct at this turn.",
    "delta_ci": "Share of all problems whose reply is correct at turn 1 and incorrect at this turn.",
    "recovered": "Share of all problems whose reply is wrong at the turn before and right at this turn.",
    "lost": "Share of all problems whose reply is right at the turn before and wrong at this turn.",
    "tokens": "Generated tokens per problem, up to the end of this turn.",
    "entropy": "Mean negative log-probability of the sampled tokens of this turn in nats.",
}
"""Key of a measure -> definition of its line by turn, if it differs from that of its total."""

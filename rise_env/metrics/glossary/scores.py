"""Definitions of the metrics of a report row: key as in `report_metrics.METRICS` -> one sentence.

In a sentence, {t} stands for the number of turns, and {k} for that of independent first replies that vote.
"""

from collections.abc import Mapping

SCORES: Mapping[str, str] = {
    "m1@t1": "Accuracy of the first reply of each episode.",
    "m{k}@t1": "Accuracy of the majority answer of {k} independent first replies.",
    "m1@t{t}": (
        "Accuracy of the majority answer of the {t} turns of one episode, in which the agent is told to try "
        "again after every turn, whether its reply was right or not."
    ),
    "p1@t{t}": (
        "Share of the episodes in which at least one of the {t} turns is right: the result of an oracle that "
        "stops the episode at the first right reply."
    ),
    "accuracy_by_turn": "Accuracy of the reply at each turn from 1 to {t}, without a vote.",
    "majority_by_turn": "Accuracy of the majority answer of the first j turns, for j = 1 to {t} (m1@tj).",
    "any_by_turn": "Share of the episodes with a right reply in the first j turns, for j = 1 to {t} (p1@tj).",
    "majority_by_samples": "Accuracy of the majority answer of the first j independent replies (mj@t1).",
    "pass_at_k": "Chance that at least one of k independent first replies is right, from all draws.",
    "t{t} - t1": "Accuracy of the reply at turn {t} minus accuracy of the reply at turn 1.",
    "m1@t{t} - m1@t1": "What a vote over {t} turns gains over the first reply.",
    "m1@t{t} - m{k}@t1": "What a vote over {t} turns gains over a vote over {k} independent first replies.",
    "wrong_to_right_by_turn": "Share of wrong replies that a right one follows at the next turn (ECR).",
    "right_to_wrong_by_turn": "Share of right replies that a wrong one follows at the next turn (EIR).",
    "transitions_by_turn": (
        "Shares of problems whose reply stays right, stays wrong, becomes right or becomes wrong from one "
        "turn to the next."
    ),
    "break_even_by_turn": (
        "ECR / EIR at each step, and accuracy / (1 - accuracy) before it: the step raises the accuracy if "
        "the first number is greater."
    ),
    "distinct_answers": "Number of different answers of an episode, divided by the number of its answers.",
    "repeats": "Share of the wrong answers that are given again at the next turn.",
    "verbatim_repeats": "Share of the replies after the first that have the same text as the reply before.",
    "format_failures": "Share of the replies without a readable answer.",
    "timeouts": "Share of the replies whose check ran out of time or memory.",
    "withheld": "Share of the replies that a content filter withheld or the model's provider refused.",
    "tokens_per_reply": "Generated tokens per reply of the sequential episodes.",
    "self_correction": "The self-correction card: what the policy changes in later turns, and gains by it.",
    "cost": "Generations and tokens per problem, and generated tokens per solved problem.",
    "unsolved": "Share of the problems unsolved by many independent replies that {t} turns solve.",
    "protocols": "Metrics of further protocols, such as an oracle, self-refinement or self-verification.",
}

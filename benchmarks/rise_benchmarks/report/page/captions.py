"""What each figure of a report shows: heading and caption on the report page."""

from collections.abc import Mapping

CAPTIONS: Mapping[str, tuple[str, str]] = {
    "accuracy_by_turn": (
        "Accuracy by turn",
        "Accuracy of the reply at each turn, without a vote. After every turn the policy is told to try "
        "again; no oracle stops the episode.",
    ),
    "with_and_without_oracle": (
        "Turns with and without an oracle",
        "Left: share of the problems solved when an oracle stops the episode at the first right reply "
        "(p1@tj). Right: accuracy of the majority answer of the first j turns (m1@tj).",
    ),
    "pass_vs_seq": (
        "Turns and independent draws",
        "Share of the problems with at least one right reply among k turns of one episode (solid), and among "
        "k independent first replies (dashed).",
    ),
    "turn_correctness_change": (
        "What a turn changes",
        "Share of the problems whose reply stays right, becomes right, becomes wrong or stays wrong at each "
        "step from one turn to the next.",
    ),
    "success_rate_unsolved": (
        "Problems that draws leave unsolved",
        "Of the problems that none of so many independent draws solves: the share that one episode solves by "
        "majority (solid), and what an oracle adds (hatched). The number above a bar counts these problems "
        "over all seeds; a bar over few problems says little.",
    ),
    "equal_tokens": (
        "Accuracy against tokens",
        "Accuracy of the majority answer over the turns of one episode (solid) and over independent draws "
        "(dashed), against the tokens generated per problem.",
    ),
    "measure_nll": (
        "Likelihood of the right answer",
        "Mean log-probability that the policy gives to the right answer before each turn, with the history "
        "of the episode up to it.",
    ),
    "loss_vs_epoch": (
        "Training loss",
        "Weighted loss of each fit per token. Bands are the range over seeds.",
    ),
}
"""Name of a figure -> its heading, and what it shows."""


def caption(name: str) -> tuple[str, str]:
    """Return heading and caption of a figure; ablations have the same caption for all.

    Args:
        name: A key of `figures.FIGURES` or of `figures.ABLATIONS`.
    """
    heading = name.replace("_", " ")
    return CAPTIONS.get(
        name,
        (heading[0].upper() + heading[1:], "Accuracy of the majority answer of the first j turns (m1@tj)."),
    )

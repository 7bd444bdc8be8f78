"""The words of the pretraining corpus of the embedded model that reads notes."""

from collections.abc import Mapping, Sequence

from rise_env.problems.conventions.conventions import FAMILIES, SHARED, Kind

FAMILY_WORDS = 30
"""Number of families whose words the model knows."""

WORDS = tuple(convention.word for convention in (*SHARED, *FAMILIES[:FAMILY_WORDS]))
"""The words of the corpus: those of RISE-Conventions-v0."""

VALUES: Mapping[Kind, Sequence[int]] = {
    "holds": range(2, 21),
    "adds": range(2, 21),
    "takes": range(2, 11),
    "cents": (10, 100, 1000),
    "rounds": range(2, 11),
}
"""Kind -> the numbers that are drawn, for each word with equal probability."""

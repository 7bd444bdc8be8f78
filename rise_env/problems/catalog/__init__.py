"""The table of the problem sets that are read from files or from the hub.

To add such a set: add one entry to a module of this folder. It states where the set is (the file
`FOLDER/<folder>/<file>`, the hub, or both), which columns hold question and answer, how the final answer is
read from its column (by a function of `reference_answers.py`, where you may add one), and the checker that
suits the set. The id `RISE-<name>-v0`, `rise envs` and `rise problems` follow from the entry. Sets that are
made in another way are entries of `SETS` in `loading.py`.

Hub revisions are commits that public evaluation code pins for these sets. The hashes under `sha256` are of
files that were read; `rise problems audit` compares a folder with them.
"""

from collections.abc import Mapping

from rise_env.problems.catalog.competitions import COMPETITIONS
from rise_env.problems.catalog.set_spec import SetSpec
from rise_env.problems.catalog.training_sets import TRAINING_SETS
from rise_env.problems.catalog.word_problems import WORD_PROBLEMS

__all__ = ["CATALOG", "SetSpec"]

CATALOG: Mapping[str, SetSpec] = {spec.name: spec for spec in (*WORD_PROBLEMS, *COMPETITIONS, *TRAINING_SETS)}
"""Name -> entry."""

"""The problem sets that are read from files or from the hub.

To add such a set: add one entry to the table `CATALOG` below. It states where the set is (the file
`FOLDER/<folder>/<file>`, the hub, or both), which columns hold question and answer, how the final answer is
read from its column (by a function of `reference_answers.py`, where you may add one), and the checker that
suits the set. The id `RISE-<name>-v0`, `rise envs` and `rise problems` follow from the entry. Sets that are
made in another way are entries of `SETS` in `loading.py`.

Hub revisions are commits that public evaluation code pins for these sets. The hashes under `sha256` are of
files that were read; `rise problems audit` compares a folder with them.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from rise_env.problems import reference_answers


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SetSpec:
    """Where one problem set comes from and how it is read."""

    name: str
    """The environment is `RISE-<name>-v0`."""
    title: str
    """One line for people: what the problems are, and their source."""
    folder: str
    """Name of the set's folder in the folder of all sets."""
    files: Mapping[str, str]
    """Split -> file in the folder. The first split is the default one."""
    sizes: Mapping[str, int]
    """Split -> number of problems, as published."""
    hub: str | None = None
    """Id of the data set on the hub."""
    hub_config: str | None = None
    """Name of the configuration of the hub's data set."""
    hub_splits: Mapping[str, str] = field(default_factory=dict)
    """Our split -> the hub's."""
    revision: str | None = None
    """Commit of the hub's data set. None fetches "main", which may change: then only the hash in
    `Problem.source` identifies the rows."""
    question: tuple[str, ...] = ("question", "problem")
    """Columns that may hold the question; the first one present counts."""
    context: tuple[str, ...] = ()
    """Columns whose text precedes the question, where present."""
    answer: tuple[str, ...] = ("answer",)
    """Columns that may hold the answer; the first one present counts."""
    reference: Callable[[Any], str | None] = reference_answers.plain
    """From the answer column to the final answer alone."""
    solution: tuple[str, ...] = ("solution",)
    """Columns that may hold a worked solution; the first one present counts."""
    keep: Callable[[Mapping[str, Any]], bool] | None = None
    """Whether a row belongs to the set; None where all rows do."""
    meta: tuple[str, ...] = ()
    """Columns that are kept in `Problem.meta`."""
    sha256: Mapping[str, str] = field(default_factory=dict)
    """Split -> hash of the file as its publisher has it."""
    checker: str
    """The checker that suits the set: a name of `CHECKERS` in `registration.py`."""
    licence: str
    url: str
    """Web page of the files."""

    @property
    def splits(self) -> list[str]:
        """All splits, of files and hub; the first is the default one."""
        return list(dict.fromkeys([*self.files, *self.hub_splits]))


_QWEN = "https://github.com/QwenLM/Qwen2.5-Math (evaluation/data)"
_COMPETITION = "competition problems, their authors' own"


def _single_answer(row: Mapping[str, Any]) -> bool:
    """Return whether an ASDiv row has one answer; by common practice the others are left out."""
    return ";" not in row["answer"]


CATALOG: Mapping[str, SetSpec] = {
    spec.name: spec
    for spec in (
        SetSpec(
            name="GSM8K",
            title="grade-school word problems (Cobbe et al. 2021, arXiv:2110.14168)",
            folder="gsm8k",
            files={"train": "train.jsonl", "test": "test.jsonl"},
            sizes={"train": 7473, "test": 1319},
            sha256={
                "train": "17f347dc51477c50d4efb83959dbb7c56297aba886e5544ee2aaed3024813465",
                "test": "3730d312f6e3440559ace48831e51066acaca737f6eabec99bccb9e4b3c39d14",
            },
            hub="openai/gsm8k",
            hub_config="main",
            hub_splits={"train": "train", "test": "test"},
            revision="cc7b047b6e5bb11b4f1af84efc572db110a51b3c",
            reference=reference_answers.after_hashes,
            solution=("answer",),
            checker="numeric",
            licence="MIT",
            url="https://github.com/openai/grade-school-math",
        ),
        SetSpec(
            name="MATH",
            title="competition mathematics (Hendrycks et al. 2021, arXiv:2103.03874)",
            folder="math",
            files={"train": "train.jsonl", "test": "test_5000.jsonl", "test_rise": "test.jsonl"},
            sizes={"train": 7500, "test": 5000, "test_rise": 1000},
            sha256={
                "test": "3371949f33dd702d04b43fddd7d53a028de0aaca0e76abb1b875a050297b3aa4",
                "test_rise": "15b220a548dbc472ffa78a638aa12cf390274bd4764796659d64cbad90dbc669",
            },
            hub="DigitalLearningGmbH/MATH-lighteval",
            hub_splits={"train": "train", "test": "test"},
            revision="0530c78699ea5e8eb5530600900e1f328b48acad",
            question=("problem",),
            answer=("solution",),
            reference=reference_answers.boxed,
            meta=("level", "type"),
            checker="symbolic",
            licence="MIT",
            url="https://github.com/hendrycks/math; test_rise: https://github.com/cmu-mind/RISE (data/math)",
        ),
        SetSpec(
            name="MATH500",
            title="500 problems of the MATH test set (Lightman et al. 2023, arXiv:2305.20050)",
            folder="math500",
            files={"test": "test.jsonl"},
            sizes={"test": 500},
            hub="HuggingFaceH4/MATH-500",
            hub_splits={"test": "test"},
            revision="6e4ed1a2a79af7d8630a6b768ec859cb5af4d3be",
            question=("problem",),
            meta=("level", "subject", "unique_id"),
            checker="symbolic",
            licence="MIT",
            url="https://github.com/openai/prm800k",
        ),
        SetSpec(
            name="GSMHard",
            title="GSM8K with larger numbers (Gao et al. 2022, arXiv:2211.10435); some answers are rounded",
            folder="gsm_hard",
            files={"test": "test.jsonl"},
            sizes={"test": 1319},
            sha256={"test": "45db606263a4902580aba3974e8b7fb3f66012877889209af206b1c1b2f208f5"},
            hub="reasoning-machines/gsm-hard",
            hub_splits={"test": "train"},
            revision="960448f73503112d4226baeb8eb41d3fb5ae2506",
            question=("input",),
            answer=("target",),
            solution=(),
            checker="numeric",
            licence="MIT",
            url="https://github.com/microsoft/ToRA",
        ),
        SetSpec(
            name="SVAMP",
            title="varied elementary word problems (Patel et al. 2021, arXiv:2103.07191), all 1000",
            folder="svamp",
            files={"test": "test.jsonl"},
            sizes={"test": 1000},
            sha256={"test": "d0826ff1264f3860e46fc4e71db9e31d2d188960db87090e22677f9493e67a0d"},
            hub="ChilleD/SVAMP",
            hub_splits={"test": "train+test"},
            revision="5e0bf1e5e7c0e9c4bc39180d224f41f3f801b7ef",
            context=("Body",),
            question=("Question",),
            answer=("Answer",),
            meta=("Type",),
            checker="numeric",
            licence="MIT",
            url=_QWEN,
        ),
        SetSpec(
            name="ASDiv",
            title="elementary word problems of many kinds (Miao et al. 2020, arXiv:2106.15772)",
            folder="asdiv",
            files={"test": "test.jsonl"},
            sizes={"test": 2215},
            sha256={"test": "5759580385e706f961a30d4c07d6925b35c3f7c86d6c50bc413957169693dad2"},
            hub="EleutherAI/asdiv",
            hub_splits={"test": "validation"},
            revision="8f95807222d87b4c688c3c22a6ba2801e1fa03e2",
            keep=_single_answer,
            context=("body",),
            reference=reference_answers.before_unit,
            solution=(),
            meta=("solution_type", "formula"),
            checker="symbolic",
            licence="CC BY-NC 4.0",
            url=_QWEN,
        ),
        SetSpec(
            name="MAWPS",
            title="arithmetic word problems (Koncel-Kedziorski et al. 2016)",
            folder="mawps",
            files={"test": "test.jsonl"},
            sizes={"test": 2065},
            sha256={"test": "00ffe31161be8623a3d36741830edbba87a3aee0109f693810fe40b9d5d91b8b"},
            hub="MU-NLPC/Calc-mawps",
            hub_splits={"train": "train", "validation": "validation"},
            revision="38c10053efeafd20ab6ff4e08c3ec17de26c19b7",
            question=("input", "question"),
            answer=("target", "result"),
            solution=(),
            meta=("type",),
            checker="numeric",
            licence="MIT",
            url=_QWEN,
        ),
        SetSpec(
            name="AIME24",
            title="American Invitational Mathematics Examination 2024, I and II",
            folder="aime24",
            files={"test": "test.jsonl"},
            sizes={"test": 30},
            sha256={"test": "af2b8bd2aa911b6333ad0df32f3ca05c7ae8ed10f1731f4372c8ae26990bf7ac"},
            hub="HuggingFaceH4/aime_2024",
            hub_splits={"test": "train"},
            revision="2fe88a2f1091d5048c0f36abc874fb997b3dd99a",
            question=("problem",),
            meta=("url",),
            checker="symbolic",
            licence=_COMPETITION,
            url=_QWEN,
        ),
        SetSpec(
            name="AIME25",
            title="American Invitational Mathematics Examination 2025, I and II",
            folder="aime25",
            files={"test": "test.jsonl"},
            sizes={"test": 30},
            hub="math-ai/aime25",
            hub_splits={"test": "test"},
            revision="563bb8404243c5f09de6ec262f2db674fe5bce9b",
            question=("problem",),
            checker="symbolic",
            licence=_COMPETITION,
            url="https://huggingface.co/datasets/math-ai/aime25",
        ),
        SetSpec(
            name="AMC23",
            title="American Mathematics Competitions 12, 2023: those with a number as answer",
            folder="amc23",
            files={"test": "test.jsonl"},
            sizes={"test": 40},
            sha256={"test": "43707e1ca784602d8479de24ee8ce36609dbebc46dd152b0b12a46611aa898a4"},
            hub="math-ai/amc23",
            hub_splits={"test": "test"},
            revision="80815d37005feb82cd7f8fbc6901d5d3eff43057",
            meta=("url",),
            checker="symbolic",
            licence=_COMPETITION,
            url=_QWEN,
        ),
        SetSpec(
            name="MinervaMath",
            title="university science (Lewkowycz et al. 2022, arXiv:2206.14858); some answers are rounded",
            folder="minerva_math",
            files={"test": "test.jsonl"},
            sizes={"test": 272},
            sha256={"test": "0e656b430d3a0a1dab6aa853f453ba3805e28e2cabe4fc72486a897cc09d8ba2"},
            hub="math-ai/minervamath",
            hub_splits={"test": "test"},
            revision="ee46ddc498933b1977577953250ca5c66be64f96",
            question=("problem", "question"),
            answer=("answer", "solution"),
            reference=reference_answers.boxed_or_plain,
            meta=("type",),
            checker="symbolic",
            licence="see MIT OpenCourseWare",
            url=_QWEN,
        ),
        SetSpec(
            name="OlympiadBench",
            title="olympiad mathematics, English, text only (He et al. 2024, arXiv:2402.14008)",
            folder="olympiadbench",
            files={"test": "test.jsonl"},
            sizes={"test": 675},
            sha256={"test": "bb8c1e38a16ea9eacb77530315a674d883f267fbff79183effc53681b4fcc416"},
            hub="Hothan/OlympiadBench",
            hub_config="OE_TO_maths_en_COMP",
            hub_splits={"test": "train"},
            revision="91184b52131e7fc9455fef848035173aea8cc01a",
            context=("context",),
            question=("question",),
            answer=("final_answer",),
            reference=reference_answers.only_one,
            meta=("subfield", "answer_type", "unit", "is_multiple_answer"),
            checker="symbolic",
            licence="Apache-2.0",
            url=_QWEN,
        ),
    )
}
"""Name -> entry."""

"""Word problems of elementary school."""

from collections.abc import Mapping
from typing import Any

from rise_env.problems import reference_answers
from rise_env.problems.catalog.set_spec import SetSpec
from rise_env.problems.reading.worked_formula import write_solution

_QWEN = "https://github.com/QwenLM/Qwen2.5-Math (evaluation/data)"


def _single_answer(row: Mapping[str, Any]) -> bool:
    """Return whether an ASDiv row has one answer; by common practice the others are left out."""
    return ";" not in row["answer"]


def _from_formula(row: Mapping[str, Any], answer: str) -> str | None:
    """Return a solution of an ASDiv problem, written from its formula, such as "7+2=9"."""
    return write_solution(str(row.get("formula") or ""), answer)


def _from_equation(row: Mapping[str, Any], answer: str) -> str | None:
    """Return a solution of a SVAMP problem, written from its equation, such as "( 8.0 - 2.0 )"."""
    return write_solution(str(row.get("Equation") or ""), answer)


WORD_PROBLEMS = (
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
        write_solution=_from_equation,
        checker="numeric",
        licence="MIT",
        url=_QWEN,
    ),
    SetSpec(
        name="ASDiv",
        title="elementary word problems of many kinds (Miao et al. 2020, arXiv:2106.15772)",
        folder="asdiv",
        files={"test": "test.jsonl"},
        sizes={"test": 2215, "train_part": 1407, "validation_part": 213, "test_part": 595},
        sha256={"test": "5759580385e706f961a30d4c07d6925b35c3f7c86d6c50bc413957169693dad2"},
        hub="EleutherAI/asdiv",
        hub_splits={"test": "validation"},
        revision="8f95807222d87b4c688c3c22a6ba2801e1fa03e2",
        keep=_single_answer,
        context=("body",),
        reference=reference_answers.before_unit,
        solution=(),
        meta=("solution_type", "formula"),
        write_solution=_from_formula,
        parts={"train_part": 0.65, "validation_part": 0.1, "test_part": 0.25},
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
)

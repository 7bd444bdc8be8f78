import json
import re
import sys
import tracemalloc
from pathlib import Path
from typing import Any

import pytest

from rise_env.cli.problems import audit_set
from rise_env.errors import ConfigError, DataNotFoundError, MissingDependencyError, ProblemError
from rise_env.problems import catalog_loader as from_catalog
from rise_env.problems import sources
from rise_env.problems.catalog import CATALOG, SetSpec
from rise_env.problems.catalog_loader import load_catalog_set
from rise_env.problems.loading import SETS, find_set, load_problems
from rise_env.registration import get_checker

EXAMPLES: dict[str, tuple[dict[str, Any], str, str]] = {
    "GSM8K": ({"question": "q", "answer": "9 * 2 #### 1\n#### 2,125"}, "q", "2,125"),
    "MATH": (
        {"problem": "q", "solution": r"$\boxed{\frac{\sqrt{3}}{2}}$", "level": "Level 1"},
        "q",
        r"\frac{\sqrt{3}}{2}",
    ),
    "MATH500": ({"problem": "q", "answer": r"\pi", "solution": "s", "level": 1}, "q", r"\pi"),
    "GSMHard": ({"input": "q", "target": -9867630.0}, "q", "-9867630"),
    "SVAMP": ({"Body": "There are 2", "Question": "q?", "Answer": 145.0}, "There are 2. q?", "145"),
    "ASDiv": ({"body": "Two apples.", "question": "q?", "answer": "9 (apples)"}, "Two apples. q?", "9"),
    "MAWPS": ({"input": "q", "target": 0.25}, "q", "0.25"),
    "AIME24": ({"problem": "q", "answer": "025", "solution": "s"}, "q", "025"),
    "AIME25": ({"problem": "q", "answer": "70"}, "q", "70"),
    "AMC23": ({"question": "q", "answer": 27.0}, "q", "27"),
    "MinervaMath": ({"problem": "q", "solution": r"is \boxed{4.5e33} ergs"}, "q", "4.5e33"),
    "AIME26": ({"problem_idx": 1, "answer": 277, "problem": "q"}, "q", "277"),
    "HMMT25": ({"problem_idx": 1, "problem": "q", "answer": "103", "problem_type": ["Geometry"]}, "q", "103"),
    "HMMT26": ({"problem_idx": 1, "problem": "q", "answer": r"\frac{448}{3}"}, "q", r"\frac{448}{3}"),
    "BRUMO25": ({"problem_idx": 1, "problem": "q", "answer": r"\sqrt{130}"}, "q", r"\sqrt{130}"),
    "OmniMATH": (
        {
            "domain": ["Mathematics -> Algebra"],
            "difficulty": 8.0,
            "problem": "q",
            "solution": "s",
            "answer": r"2 \sqrt{2}",
            "source": "imo",
        },
        "q",
        r"2 \sqrt{2}",
    ),
    "DAPOMath": (
        {
            "prompt": "q",
            "solution": "34",
            "data_source": "math_dapo",
            "source_prompt": [],
            "ability": "MATH",
            "reward_model": {"ground_truth": "34", "style": "rule-lighteval/MATH_v2"},
            "extra_info": {"index": "9a"},
        },
        "q",
        "34",
    ),
    "DeepScaleR": ({"problem": "q", "answer": "-\\frac{2}{3}", "solution": ""}, "q", "-\\frac{2}{3}"),
    "BigMath": (
        {
            "problem": "q",
            "answer": "4",
            "source": "orca_math",
            "domain": ["Applied"],
            "llama8b_solve_rate": 0.9,
        },
        "q",
        "4",
    ),
    "Polaris": ({"problem": "q", "answer": "18", "difficulty": "5/8"}, "q", "18"),
    "OlympiadBench": (
        {"context": None, "question": "q", "final_answer": [r"$\frac{41}{12}$"]},
        "q",
        r"\frac{41}{12}",
    ),
}
"""Set -> (a row as published, the question and the reference answer in it); a set may be left out."""


def write(folder: Path, spec: SetSpec, split: str, *rows: dict[str, Any]) -> Path:
    path = folder / spec.folder / spec.files[split]
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".parquet":
        parquet = pytest.importorskip("pyarrow.parquet")
        parquet.write_table(pytest.importorskip("pyarrow").Table.from_pylist(list(rows)), path)
    else:
        path.write_text(
            json.dumps(rows) if path.suffix == ".json" else "".join(json.dumps(row) + "\n" for row in rows)
        )
    return path


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_row_as_published_becomes_a_problem(name: str, tmp_path: Path) -> None:
    row, question, reference = EXAMPLES[name]
    spec = CATALOG[name]
    split = next(iter(spec.files))
    write(tmp_path, spec, split, row)
    [problem] = load_problems(name, split=split, data_dir=tmp_path)
    assert (problem.question, problem.reference) == (question, reference)
    assert problem.id == f"{name.lower()}/{split}/0"
    assert re.search(r"sha256:[0-9a-f]{64}$", problem.source)
    boxed = rf"It is \boxed{{{reference}}}."
    assert get_checker(spec.checker).check(boxed, reference, question=question).correct


@pytest.mark.parametrize("spec", CATALOG.values(), ids=CATALOG.keys())
def test_the_fields_of_an_entry_agree(spec: SetSpec) -> None:
    assert spec.licence
    assert spec.url.startswith("https://")
    assert spec.splits
    assert (spec.hub is not None) == bool(spec.hub_splits)
    assert spec.revision is None or re.fullmatch(r"[0-9a-f]{40}", spec.revision)
    assert set(spec.sizes) <= set(spec.splits)
    assert set(spec.sha256) <= set(spec.files)
    assert spec.folder.isidentifier()


@pytest.mark.parametrize("name", CATALOG)
def test_the_published_files_are_read_whole(name: str, data_dir: Path) -> None:
    spec = CATALOG[name]
    here = [split for split, file in spec.files.items() if (data_dir / spec.folder / file).is_file()]
    if not here:
        pytest.skip(f"{spec.folder} is not in {data_dir}")
    for split in here:
        problems = load_problems(name, split=split, data_dir=data_dir)
        assert len(problems) == spec.sizes[split]
        if split in spec.sha256:
            assert problems.sha256 == spec.sha256[split]  # type: ignore[attr-defined]
        assert len({problem.id for problem in problems}) == len(problems)


def test_known_traps_of_the_published_files(data_dir: Path) -> None:
    comma = re.compile(r"\d,\d{3}")
    for split, count in (("test", 14), ("train", 79)):
        problems = load_problems("GSM8K", split=split, data_dir=data_dir)
        golds = [problem for problem in problems if comma.search(problem.reference)]
        assert len(golds) == count
        for problem in golds:
            plain = problem.reference.replace(",", "")
            assert get_checker("numeric").check(rf"\boxed{{{plain}}}", problem.reference).correct
            assert not get_checker("numeric").check(rf"\boxed{{{plain[0]}}}", problem.reference).correct
    nested = [
        problem.reference
        for problem in load_problems("MATH", split="test_rise", data_dir=data_dir)
        if re.search(r"\{[^{}]*\{[^{}]*\}", problem.reference)
    ]
    assert len(nested) == 9
    for reference in nested:
        assert reference.count("{") == reference.count("}")
        assert get_checker("symbolic").check(rf"\boxed{{{reference}}}", reference).correct


def test_gsm8k_loads_small(data_dir: Path) -> None:
    from_catalog._from_file.cache_clear()
    tracemalloc.start()
    try:
        problems = load_problems("GSM8K", split="train", data_dir=data_dir)
        assert tracemalloc.get_traced_memory()[1] < 60e6
        assert len(problems) == 7473
    finally:
        tracemalloc.stop()


def test_a_file_is_read_once_while_it_stays_the_same(tmp_path: Path) -> None:
    spec = CATALOG["GSM8K"]
    path = write(tmp_path, spec, "test", EXAMPLES["GSM8K"][0])
    first = load_problems("GSM8K", split="test", data_dir=tmp_path)
    assert load_problems("RISE-GSM8K-v0", split="test", data_dir=tmp_path) is first
    path.write_text(path.read_text() * 2)
    assert len(load_problems("gsm8k", split="test", data_dir=tmp_path)) == 2


def test_rows_with_several_answers_do_not_belong_to_asdiv(tmp_path: Path) -> None:
    row = EXAMPLES["ASDiv"][0]
    write(tmp_path, CATALOG["ASDiv"], "test", row | {"answer": "9 (apples); 2 (pears)"}, row)
    assert [p.id for p in load_problems("ASDiv", data_dir=tmp_path)] == ["asdiv/test/0"]


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (
            {"question": "q", "answer": "no marker"},
            r"gsm8k/test.jsonl \(line 1\), column 'answer', .* no final",
        ),
        (
            {"question": "", "answer": "#### 1"},
            r"\(line 1\), column 'question', is '': the question is blank",
        ),
        ({"problem": "q"}, "has no reference answer: no column 'answer'; there are: problem"),
    ],
    ids=str,
)
def test_a_row_that_lacks_something_is_named(row: dict[str, Any], message: str, tmp_path: Path) -> None:
    write(tmp_path, CATALOG["GSM8K"], "test", row)
    with pytest.raises(ProblemError, match=message):
        load_problems("GSM8K", split="test", data_dir=tmp_path)


def test_large_sets_leave_out_the_rows_that_cannot_be_read_and_count_them(tmp_path: Path) -> None:
    rows = [{"problem": "q", "answer": answer} for answer in ("7", "", None, r"\frac{", "8")]
    write(tmp_path, CATALOG["Polaris"], "train", *rows)
    problems = load_problems("Polaris", data_dir=tmp_path)
    assert [(problem.id, problem.reference) for problem in problems] == [
        ("polaris/train/0", "7"),
        ("polaris/train/4", "8"),
    ]
    assert problems.left_out == 3  # type: ignore[attr-defined]
    assert audit_set(SETS["Polaris"], {"train": problems})["splits"]["train"]["left_out"] == 3


def test_a_set_or_setting_that_does_not_exist_is_named() -> None:
    with pytest.raises(ConfigError, match="no problem set 'GSM8'; did you mean 'GSM8K'"):
        find_set("GSM8")
    with pytest.raises(ConfigError, match="no setting of GSM8K 'datadir'; did you mean 'data_dir'"):
        load_problems("GSM8K", datadir="x")
    with pytest.raises(ConfigError, match="no split of GSM8K 'dev'; there are: train, test"):
        load_problems("GSM8K", split="dev")
    assert find_set("rise_env:RISE-Arithmetic-v0") is SETS["Arithmetic"]


def test_the_hub_is_asked_for_the_pinned_revision(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[Any, ...]] = []

    class Datasets:
        @staticmethod
        def load_dataset(name: str, config: str | None, *, split: str, revision: str) -> list[dict[str, str]]:
            asked.append((name, config, split, revision))
            return [{"question": "q", "answer": "#### 1"}]

    monkeypatch.setitem(sys.modules, "datasets", Datasets)
    monkeypatch.delenv("RISE_DATA_DIR", raising=False)
    from_catalog._from_hub.cache_clear()
    sources.read_hub.cache_clear()
    try:
        problems = load_catalog_set(CATALOG["GSM8K"], split="test")
        revision = CATALOG["GSM8K"].revision
        assert asked == [("openai/gsm8k", "main", "test", revision)]
        assert problems[0].source.startswith(f"openai/gsm8k@{revision} sha256:")
        assert problems.revision == revision
        assert load_catalog_set(CATALOG["GSM8K"], split="test", revision="abc")[0].source.startswith(
            "openai/gsm8k@abc"
        )
    finally:
        from_catalog._from_hub.cache_clear()
        sources.read_hub.cache_clear()


def test_without_folder_and_hub_the_error_names_the_ways(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "datasets", None)
    monkeypatch.delenv("RISE_DATA_DIR", raising=False)
    with pytest.raises(DataNotFoundError, match=r"pip install '\.\[hub\]'.*data_dir=FOLDER.*dataset=FILE"):
        load_problems("SVAMP")
    with pytest.raises(MissingDependencyError):
        sources.read_hub("a/b", None, "train", None)

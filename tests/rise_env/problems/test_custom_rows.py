"""Rows that users bring: each is read right, or refused with its place, its column and its value."""

import json
import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import gymnasium
import pytest

from rise_env.errors import ProblemError
from rise_env.problems.loading import load_problems
from rise_env.problems.reading.columns import FORMATS
from rise_env.types import Problem

ASK = "What is 3 + 4?"
USER = {"role": "user", "content": ASK}
SYSTEM = {"role": "system", "content": "Be brief."}


def read(*rows: dict[str, Any], **settings: Any) -> list[Problem]:
    return list(load_problems("Custom", dataset=list(rows), **settings))


VERL = {
    "data_source": "openai/gsm8k",
    "prompt": [USER],
    "ability": "math",
    "reward_model": {"style": "rule", "ground_truth": "7"},
    "extra_info": {"split": "train", "index": 12, "answer": "3 + 4 = 7\n#### 7"},
}
SYNTHETIC = {"problem_id": "s_1", "prompt": ASK, "verification_info": '{"ground_truth": "7"}'}
PRIME = {"question": ASK, "answer": "7", "info": {"problem_id": "p1", "difficulty": 0.5}}
NUMINA = {
    "problem": ASK, "solution": "s", "answer": "7", "problem_type": "Algebra", "question_type": "MCQ",
    "problem_is_valid": "Yes", "uuid": "u-1",
}  # fmt: skip
OMNI = {
    "domain": ["Algebra"],
    "difficulty": 4.5,
    "problem": ASK,
    "solution": "s",
    "answer": "7",
    "source": "x",
}
DAPO = {
    "prompt": [USER],
    "reward_model": {"ground_truth": "7", "style": "r"},
    "extra_info": {"index": "9a-f"},
}


@pytest.mark.parametrize(
    ("row", "solution", "meta"),
    [
        pytest.param({"question": ASK, "answer": "It is 7.\n#### 7"}, "It is 7.\n#### 7", {}, id="GSM8K"),
        pytest.param(
            {"problem": ASK, "solution": r"It is \boxed{7}.", "level": "Level 1", "type": "Algebra"},
            r"It is \boxed{7}.",
            {"level": "Level 1", "type": "Algebra"},
            id="MATH",
        ),
        pytest.param(
            {
                "problem": ASK,
                "answer": "7",
                "solution": "s",
                "subject": "Algebra",
                "level": 2,
                "unique_id": "t/1",
            },
            "s",
            {"subject": "Algebra", "level": 2, "unique_id": "t/1", "id": "t/1"},
            id="MATH-500",
        ),
        pytest.param({"prompt": [USER], "solution": r"\boxed{7}"}, r"\boxed{7}", {}, id="TRL"),
        pytest.param(
            {"prompt": [SYSTEM, USER], "answer": "7"},
            None,
            {"system_prompt": "Be brief."},
            id="TRL with system",
        ),
        pytest.param({"prompt": ASK, "ground_truth": "7"}, None, {}, id="TRL with a text"),
        pytest.param(
            {"prompt": [USER], "completion": [{"role": "assistant", "content": r"So \boxed{7}."}]},
            None,
            {},
            id="TRL prompt and completion",
        ),
        pytest.param(
            VERL,
            "3 + 4 = 7\n#### 7",
            {
                "data_source": "openai/gsm8k",
                "ability": "math",
                "reward_model": {"style": "rule"},
                "extra_info": {"split": "train", "index": 12},
                "id": 12,
            },
            id="verl",
        ),
        pytest.param(
            {"prompt": [USER], "reward_model.ground_truth": "7", "ability": "math"},
            None,
            {"ability": "math"},
            id="verl with flat columns",
        ),
        pytest.param(
            DAPO,
            None,
            {"reward_model": {"style": "r"}, "extra_info": {"index": "9a-f"}, "id": "9a-f"},
            id="DAPO",
        ),
        pytest.param(
            SYNTHETIC | {"gold_standard_solution": "s"},
            "s",
            {"problem_id": "s_1", "id": "s_1"},
            id="SYNTHETIC",
        ),
        pytest.param(
            PRIME, None, {"info": {"problem_id": "p1", "difficulty": 0.5}, "id": "p1"}, id="prime-rl"
        ),
        pytest.param(
            {"problem": ASK, "answer": "7", "solution": ""}, None, {"solution": ""}, id="DeepScaleR"
        ),
        pytest.param(
            {"problem": ASK, "answer": "7", "source": "orca", "domain": ["A"], "llama8b_solve_rate": 0.5},
            None,
            {"source": "orca", "domain": ["A"], "llama8b_solve_rate": 0.5},
            id="Big-Math",
        ),
        pytest.param(
            NUMINA,
            "s",
            {
                "problem_type": "Algebra",
                "question_type": "MCQ",
                "problem_is_valid": "Yes",
                "uuid": "u-1",
                "id": "u-1",
            },
            id="NuminaMath-1.5",
        ),
        pytest.param(
            {"source": "cn", "problem": ASK, "solution": r"\boxed{7}", "messages": [USER]},
            r"\boxed{7}",
            {"source": "cn", "messages": [USER]},
            id="NuminaMath-CoT",
        ),
        pytest.param(OMNI, "s", {"domain": ["Algebra"], "difficulty": 4.5, "source": "x"}, id="Omni-MATH"),
        pytest.param(
            {"problem": ASK, "answer": "7", "difficulty": "3/8"}, None, {"difficulty": "3/8"}, id="Polaris"
        ),
        pytest.param(
            {"problem_idx": 3, "problem": ASK, "answer": 7, "problem_type": ["Algebra"]},
            None,
            {"problem_idx": 3, "problem_type": ["Algebra"], "id": 3},
            id="MathArena",
        ),
        pytest.param(
            {"query": ASK, "expected_answer": 7.0, "id": "x"}, None, {"id": "x"}, id="no known format"
        ),
        pytest.param({"question": ASK, "answer": ["7"]}, None, {}, id="a list of one answer"),
        pytest.param({"question": ASK, "answer": Decimal(7)}, None, {}, id="decimal"),
        pytest.param({"question": f"  {ASK}\n", "answer": " 7 ", "empty": None}, None, {}, id="white space"),
        pytest.param(
            {"prompt": [{"role": "user", "content": [{"type": "text", "text": ASK}]}], "answer": "7"},
            None,
            {},
            id="content in parts",
        ),
        pytest.param({"prompt": json.dumps([USER]), "answer": "7"}, None, {}, id="messages as JSON text"),
    ],
)
def test_a_row_of_every_format_becomes_a_problem(
    row: dict[str, Any], solution: str | None, meta: dict[str, Any]
) -> None:
    [problem] = read(row)
    assert (problem.question, problem.reference) == (ASK, "7")
    assert problem.solution == solution
    assert problem.meta == meta
    json.dumps(dict(problem.meta), allow_nan=False)


GOOD = {"question": ASK, "answer": "7"}


@pytest.mark.parametrize(
    ("row", "message"),
    [
        pytest.param({"answer": ["7", "8"]}, "column 'answer', is ['7', '8']: it has 2 answers", id="list"),
        pytest.param(
            {"answer": {"value": 7}}, "'answer', is {'value': 7}: an answer is a text", id="mapping"
        ),
        pytest.param({"answer": "['7', '8']"}, "it is a list or mapping that was printed", id="printed list"),
        pytest.param(
            {"answer": "{'value': 7}"}, "it is a list or mapping that was printed", id="printed mapping"
        ),
        pytest.param({"answer": '["7"]'}, "it is a list or mapping that was printed", id="JSON list"),
        pytest.param({"answer": None}, "column 'answer', is None: the answer is missing", id="no answer"),
        pytest.param({"answer": ""}, "column 'answer', is '': the answer is missing", id="empty answer"),
        pytest.param({"answer": " \n"}, r"column 'answer', is ' \n': the answer is blank", id="blank answer"),
        pytest.param({"answer": []}, "column 'answer', is []: the answer is missing", id="empty list"),
        pytest.param({"answer": float("nan")}, "is nan: an answer is a finite number", id="NaN"),
        pytest.param({"answer": float("inf")}, "is inf: an answer is a finite number", id="infinity"),
        pytest.param({"answer": "nan"}, "is 'nan': the answer is missing", id="NaN as a text"),
        pytest.param(
            {"answer": True}, "is True: an answer is a text or a number, not a bool", id="truth value"
        ),
        pytest.param({"answer": b"7"}, "is b'7': it is no text, number or list, but a bytes", id="bytes"),
        pytest.param(
            {"answer": r"\frac{"}, r"the braces of the answer '\\frac{' do not match", id="open brace"
        ),
        pytest.param({"answer": r"\frac{1}{2}}"}, "do not match", id="closed twice"),
        pytest.param({"answer": "1}{"}, "do not match", id="closed before it opens"),
        pytest.param({"answer": r"so \boxed{"}, "it has no final answer", id="open box"),
        pytest.param({"answer": r"so \boxed{}"}, "it has no final answer", id="empty box"),
        pytest.param({"answer": "3 + 4 ####  "}, "it has no final answer", id="nothing after the mark"),
        pytest.param(
            {"answer": "word " * 300}, "it is too long for an answer; mark the final", id="a solution"
        ),
        pytest.param(
            {"question": ""}, "column 'question', is '': the question is blank", id="empty question"
        ),
        pytest.param({"question": "  \t"}, r"is '  \t': the question is blank", id="blank question"),
        pytest.param({"question": None}, "is None: the question is missing", id="no question"),
        pytest.param({"question": float("nan")}, "is nan: the question is missing", id="NaN as question"),
        pytest.param({"question": 7}, "is 7: a question is a text or a list of chat messages", id="number"),
        pytest.param({"question": {"text": "q"}}, "not a dict", id="mapping as question"),
        pytest.param(
            {"question": str([USER])}, "a message list that was printed as text", id="printed messages"
        ),
        pytest.param({"question": [SYSTEM]}, "it has no message of the user", id="only system"),
        pytest.param({"question": [USER, USER]}, "it has two messages of the user", id="two users"),
        pytest.param(
            {"question": [USER, {"role": "assistant", "content": "7"}]},
            "it has a message of the role 'assistant'",
            id="an answered conversation",
        ),
        pytest.param(
            {"question": ["q"]}, "a chat message is a mapping with role and content", id="list of texts"
        ),
        pytest.param(
            {"question": [{"role": "user", "content": " "}]}, "the question is blank", id="blank message"
        ),
        pytest.param(
            {"question": [{"role": "user", "content": [{"type": "image"}]}]},
            "parts that are no text",
            id="image",
        ),
    ],
)
def test_a_bad_row_is_refused_with_place_column_and_value(
    row: dict[str, Any], message: str, tmp_path: Path
) -> None:
    with pytest.raises(ProblemError, match=re.escape(message)) as raised:
        gymnasium.make("RISE-Custom-v0", dataset=[GOOD, GOOD | row])
    column = next(iter(row))
    assert f"row 1 of rows of the caller's, column {column!r}, is " in str(raised.value)
    try:
        lines = [json.dumps(line) for line in (GOOD, GOOD | row)]
    except TypeError:
        return  # JSON has no such value
    path = tmp_path / "data.jsonl"
    path.write_text(lines[0] + "\n\n" + lines[1] + "\n")
    with pytest.raises(ProblemError, match=re.escape(f"row 1 of {path} (line 3), column {column!r}, is ")):
        load_problems("Custom", dataset=path)


def test_a_row_without_a_column_says_which_columns_it_has() -> None:
    with pytest.raises(
        ProblemError, match=r"row 1 of .* has no reference answer: no column 'answer'; there are"
    ):
        read(GOOD, {"question": "q"})
    with pytest.raises(ProblemError, match=r"row 0 .* has no question; its fields are: text, label"):
        read({"text": "q", "label": "7"})
    with pytest.raises(ProblemError, match="has no question: no column 'qestion'; did you mean 'question'"):
        read(GOOD, question_key="qestion")


@pytest.mark.parametrize(
    ("answer", "checker", "message"),
    [
        ("x^", None, "the reference answer 'x^' cannot be read: it ends too early"),
        ("1/0", "symbolic", "the reference answer '1/0' cannot be read: it divides by zero"),
        ("apple", "numeric", "the reference answer 'apple' is not a number"),
        ("x^", "text", None),
        ("apple", None, None),
    ],
)
def test_references_that_the_checker_cannot_read_are_refused_when_the_environment_is_made(
    answer: str, checker: str | None, message: str | None
) -> None:
    for dataset in ([GOOD, GOOD | {"answer": answer}], [([GOOD, GOOD | {"answer": answer}], 1)]):
        if message is None:
            gymnasium.make("RISE-Custom-v0", dataset=dataset, checker=checker)
            continue
        with pytest.raises(
            ProblemError, match=re.escape(f"row 1 of rows of the caller's, column 'answer': {message}")
        ):
            gymnasium.make("RISE-Custom-v0", dataset=dataset, checker=checker)


def test_the_documents_list_the_known_formats() -> None:
    page = (Path(__file__).parents[3] / "docs" / "environments.md").read_text()
    for known in FORMATS:
        cells = [known.question, known.answer, known.solution, known.identity]
        row = " | ".join([known.name, *(f"`{cell}`" if cell else "" for cell in cells)])
        assert f"| {row} |" in page


def test_columns_can_be_named_with_dots() -> None:
    row = {"in": {"text": ASK}, "out": {"value": 7, "unit": "m"}, "how": "s"}
    [problem] = read(row, question_key="in.text", answer_key="out.value", solution_key="how")
    assert (problem.question, problem.reference, problem.solution) == (ASK, "7", "s")
    assert problem.meta == {"out": {"unit": "m"}}


def test_a_named_column_is_used_instead_of_that_of_the_format() -> None:
    row = {"problem": ASK, "answer": "wrong", "solution": r"\boxed{7}", "level": 3}
    [problem] = read(row, answer_key="solution")
    assert (problem.reference, problem.meta) == ("7", {"answer": "wrong", "level": 3})


@pytest.mark.parametrize(
    "answer", ["[7, 8]", r"\{1, 2\}", r"\left\{1\right\}", "(1,2]", r"\text{Monday}", "a"]
)
def test_brackets_and_words_are_answers(answer: str) -> None:
    assert read({"question": ASK, "answer": answer})[0].reference == answer

import time

import pytest

from rise_env.checkers import last_boxed


@pytest.mark.parametrize(
    ("text", "content"),
    [
        pytest.param(r"\boxed{42}", "42", id="plain"),
        pytest.param(r"\boxed {42}", "42", id="space before the brace"),
        pytest.param("\\boxed\n{ 42 }", "42", id="newline before the brace"),
        pytest.param(r"\fbox{42}", "42", id="fbox"),
        pytest.param(r"\boxed{\frac{\sqrt{3}}{2}}", r"\frac{\sqrt{3}}{2}", id="nested braces"),
        pytest.param(r"\boxed{\{1,2\}}", r"\{1,2\}", id="escaped braces"),
        pytest.param(r"\boxed{\left\{1\right.}", r"\left\{1\right.", id="unbalanced escaped brace"),
        pytest.param(r"\boxed{\boxed{42}}", "42", id="box in box"),
        pytest.param(r"\boxed{\boxed{1}+2}", r"\boxed{1}+2", id="the outermost box counts"),
        pytest.param(r"\\boxed{\\frac{1}{2}}", r"\frac{1}{2}", id="escaped twice"),
        pytest.param(r"\boxed{42}}", "42", id="extra closing brace"),
        pytest.param(r"\boxed{41}, no: \boxed{42}", "42", id="the last box counts"),
        pytest.param(r"\boxed{41} \boxed{42}", "42", id="boxes side by side are no list"),
        pytest.param(r"\boxed{1},\boxed{2}", "1, 2", id="boxes joined by a comma"),
        pytest.param(
            r"$\boxed{k=4} \quad \text{and} \quad \boxed{n=2}$", "k=4, n=2", id="boxes joined by and"
        ),
        pytest.param(r"use \boxed{ and so \boxed{3}", "3", id="an earlier open box is no matter"),
        pytest.param(r"\boxed 7", "7", id="no brace"),
        pytest.param(r"$\boxed 42$.", "42", id="no brace, two digits"),
        pytest.param(r"\boxed 4.5.", "4.5", id="no brace, decimal"),
        pytest.param(r"\boxed 1,234", "1,234", id="no brace, group of thousands"),
        pytest.param(r"\boxed 1,2", None, id="no brace, list"),
        pytest.param(r"\boxed C\quad", "C", id="no brace, letter"),
        pytest.param(r"\boxed half", None, id="no brace, word"),
        pytest.param(r"\boxed x+1", None, id="no brace, formula"),
        pytest.param(r"\boxed 2\sqrt{3}", None, id="no brace, product"),
        pytest.param(r"\boxed{41} \boxed{42", None, id="last box open"),
        pytest.param(r"\boxed{41}\boxed{}", None, id="last box empty"),
        pytest.param(r"\boxed{ }", None, id="blank box"),
        pytest.param("42", None, id="no box"),
    ],
)
def test_the_last_box_is_read(text: str, content: str | None) -> None:
    assert last_boxed(text) == content


@pytest.mark.parametrize(
    "piece", ["\\", "{", "}", "boxed", "\\boxed{", "\\boxed ", "\\boxed{}", "\\boxed{1},", "\\{"]
)
def test_many_repetitions_of_one_piece_take_linear_time(piece: str) -> None:
    start = time.process_time()
    last_boxed("\\boxed{" + piece * (200_000 // len(piece)))
    assert time.process_time() - start < 10.0  # quadratic time would be minutes

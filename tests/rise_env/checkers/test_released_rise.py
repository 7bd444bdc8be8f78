import json
import os
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rise_env.checkers.numeric import NumericChecker
from rise_env.checkers.reading.math_normalizer import normalized
from rise_env.checkers.released_rise import ReleasedRiseGSM8KChecker, ReleasedRiseMathChecker, truncated_box
from rise_env.envs.math_env import MathEnv
from rise_env.errors import ProblemError
from rise_env.registration import get_checker
from rise_env.types import Problem, Verdict

RELEASED = json.loads((Path(__file__).parents[2] / "fixtures" / "released_rise" / "rewards.json").read_text())
"""Name of a released environment -> replies, and reference -> the reward of each reply."""
DATA = os.environ.get("RISE_DATA_DIR")


@pytest.mark.parametrize(
    ("reply", "reference", "verdict"),
    [
        pytest.param(r"\boxed{18}", "18", Verdict.CORRECT, id="a whole number"),
        pytest.param(r"\boxed{1,800}", "1800", Verdict.CORRECT, id="commas in replies are read"),
        pytest.param(r"\boxed{2,125}", "2,125", Verdict.WRONG, id="commas in references are not"),
        pytest.param(r"\boxed{2}", "2,125", Verdict.CORRECT, id="what the misread reference asks for"),
        pytest.param(r"\boxed{18.0}", "18", Verdict.UNREADABLE, id="a decimal"),
        pytest.param(r"\boxed{\$18}", "18", Verdict.UNREADABLE, id="a dollar"),
        pytest.param(r"\boxed{1}, then \boxed{18}", "18", Verdict.CORRECT, id="the last box"),
        pytest.param("18", "18", Verdict.NO_ANSWER, id="no box"),
        pytest.param(r"\boxed{}", "18", Verdict.NO_ANSWER, id="an empty box"),
        pytest.param(
            r"\boxed{" + "9" * 5000 + "}", "18", Verdict.UNREADABLE, id="more digits than int takes"
        ),
        pytest.param(r"\boxed{" + "9" * 400 + "}", "18", Verdict.UNREADABLE, id="more than a float holds"),
    ],
)
def test_gsm8k_as_released(reply: str, reference: str, verdict: Verdict) -> None:
    assert ReleasedRiseGSM8KChecker().check(reply, reference).verdict is verdict


@pytest.mark.parametrize(
    ("reply", "reference", "verdict"),
    [
        pytest.param(r"\boxed{\frac12}", r"\frac{1}{2}", Verdict.CORRECT, id="normal forms"),
        pytest.param(r"\boxed{0.25}", r"\frac{1}{4}", Verdict.WRONG, id="values are not compared"),
        pytest.param(r"\boxed{\frac{\sqrt{3}}{9}}", r"\frac{\sqrt{3}}{2}", Verdict.CORRECT, id="cut alike"),
        pytest.param("none", "1", Verdict.NO_ANSWER, id="no box"),
        pytest.param(r"\boxed{1", "1", Verdict.NO_ANSWER, id="an open box"),
    ],
)
def test_math_as_released(reply: str, reference: str, verdict: Verdict) -> None:
    assert ReleasedRiseMathChecker().check(reply, reference).verdict is verdict


@given(st.lists(st.sampled_from(["boxed{", "{", "}", "a", "\\"]), max_size=14).map("".join))
def test_boxes_are_cut_as_by_an_expression_that_knows_one_level(text: str) -> None:
    matches = re.findall(r"boxed\{((?:[^{}]|\{[^}]*\})*)\}", text)
    assert truncated_box(text) == (matches[-1] if matches else None)


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (r"\sqrt3", r"\sqrt{3}"),
        (r"\tfrac{1}{2}", r"\frac{1}{2}"),
        (r"\frac1{72}", r"\frac{1}{72}"),
        ("3/4", r"\frac{3}{4}"),
        ("03/4", "03/4"),
        ("x/4", "x/4"),
        ("k = 5", "5"),
        ("abc=5", "abc=5"),
        (r"90^\circ", "90"),
        (r"5\text{ cm}", "5"),
        (r"\left(1, 2\right)", "(1,2)"),
        ("0.5", r"\frac{1}{2}"),
        ("", ""),
    ],
)
def test_normal_forms(answer: str, expected: str) -> None:
    assert normalized(answer) == expected


@pytest.mark.parametrize("name", RELEASED)
def test_environments_give_the_rewards_of_the_released_environments(name: str) -> None:
    replies, rewards = RELEASED[name]["replies"], RELEASED[name]["rewards"]
    problems = [Problem(id=str(i), question="?", reference=ref) for i, ref in enumerate(rewards)]
    env = MathEnv(problems, get_checker(f"released_rise_{name}"), rewards=name, max_turns=1)
    found = {}
    for index, reference in enumerate(rewards):
        found[reference] = []
        for reply in replies:
            env.reset(options={"index": index})
            found[reference].append(env.step(reply)[1])
    assert found == rewards


def test_a_reference_it_cannot_read_is_named() -> None:
    with pytest.raises(ProblemError, match="three"):
        ReleasedRiseGSM8KChecker().check(r"\boxed{3}", "three")
    with pytest.raises(ProblemError, match="cannot read"):
        ReleasedRiseMathChecker().check(r"\boxed{3}", "{{")


@pytest.mark.skipif(DATA is None, reason="RISE_DATA_DIR is not set")
def test_it_misreads_fourteen_references_of_gsm8k() -> None:
    rows = [json.loads(line) for line in (Path(DATA or "") / "gsm8k" / "test.jsonl").read_text().splitlines()]
    golds = [row["answer"].rpartition("####")[2].strip() for row in rows]
    checker, right = ReleasedRiseGSM8KChecker(), NumericChecker()
    misread = [
        reference for reference in golds if not checker.check(f"\\boxed{{{reference}}}", reference).correct
    ]
    assert len(misread) == 14
    assert all("," in reference for reference in misread)
    assert all(right.check(f"\\boxed{{{reference}}}", reference).correct for reference in golds)


def test_they_can_be_named() -> None:
    assert isinstance(get_checker("released_rise_gsm8k"), ReleasedRiseGSM8KChecker)
    assert isinstance(get_checker("released_rise_math"), ReleasedRiseMathChecker)

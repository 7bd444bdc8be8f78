import json
import random
import re
from pathlib import Path

import pytest

from rise_trainers.tracking.charts import HEADLINE, HISTOGRAMS, displayed
from rise_trainers.tracking.names import scalars, valid_name
from rise_trainers.tracking.phase_metrics import phase_lines, report_lines
from rise_trainers.tracking.rows import Rows
from tests.rise_trainers.loop.run_folders import phases

RULE = re.compile(r"[_a-zA-Z][_a-zA-Z0-9]*(/[_a-zA-Z][_a-zA-Z0-9]*)*")
"""docs.wandb.ai, "Metric naming constraints", for each part between slashes."""


@pytest.mark.parametrize(
    ("line", "names"),
    [
        ({"eval/m1@t5 - m5@t1": 0.1}, ["eval/m1_t5_minus_m5_t1"]),
        ({"fit/entropy_first@t2": 0.1}, ["fit/entropy_first_t2"]),
        ({"eval/flips": {"right to wrong": [0.1]}}, ["eval/flips/right_to_wrong/t1"]),
        ({"data/replies_by_turn": [3, 4]}, ["data/replies_by_turn/t1", "data/replies_by_turn/t2"]),
        ({"eval/pass_at_k": [0.1, 0.2]}, ["eval/pass_at_k/k1", "eval/pass_at_k/k2"]),
        ({"rewards": {"-1.0": 1, "0.5": 2}}, ["rewards/reward_minus_1", "rewards/reward_0_5"]),
        ({"train/grad_norm": None, "data/notes": ["a note"], "phase": "seed-0.1-fit"}, []),
    ],
)  # fmt: skip
def test_the_numbers_of_a_line_have_names_for_charts(line: dict[str, object], names: list[str]) -> None:
    assert list(scalars(line)) == names


def test_w_and_b_accepts_the_name_of_every_key() -> None:
    text = random.Random(0)
    signs = "ab_Z019 @-.,/:+\\é√\n"
    for _ in range(2000):
        key = "".join(text.choices(signs, k=text.randint(1, 12)))
        assert RULE.fullmatch(valid_name(key)), key


def test_w_and_b_accepts_every_name_of_a_run_and_no_number_is_lost(folder: Path) -> None:
    by_phase = [(phase, phase_lines(phase)) for phase in phases(folder)]
    names = {
        name for phase, lines in by_phase for row in Rows().of_ended(phase, lines) for name in row.values
    }
    names |= {displayed(name) for name in HISTOGRAMS}
    names |= {
        name for line in report_lines(json.loads((folder / "report.json").read_text())) for name in line
    }
    assert len(names) > 80
    assert not [name for name in names if not RULE.fullmatch(name)]
    for line in (line for _, lines in by_phase for line in lines):
        assert len(scalars(line)) == len(numbers(line))


def numbers(value: object) -> list[float]:
    if isinstance(value, dict):
        return [number for part in value.values() for number in numbers(part)]
    if isinstance(value, list):
        return [number for part in value for number in numbers(part)]
    return [value] if isinstance(value, int | float) else []


def test_charts_outside_detail_are_those_of_the_table_of_headlines() -> None:
    assert displayed("train/loss") == "train/loss"
    assert displayed("train/loss_scale") == "detail/train/loss_scale"
    assert displayed("eval/m1_t5_minus_m5_t1") == "detail/eval/m1_t5_minus_m5_t1"
    patterns_with_two = [
        pattern for pattern in HEADLINE if "\\d" in pattern
    ]  # m1@t1, mK@t1 and m1@tT are three
    assert len(HEADLINE) - len(patterns_with_two) + 3 <= 10

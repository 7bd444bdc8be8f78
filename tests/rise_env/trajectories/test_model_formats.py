from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rise_env.errors import StoreError
from rise_env.trajectories.model_formats import FORMATS, format_from_json, format_to_json, stored_formats
from rise_env.trajectories.store import TrajectoryStore, read_run
from rise_env.types import ModelFormat

TINY = ModelFormat(
    model="tiny@1",
    tokenizer="t1",
    chat_template="c1",
    template_options={"enable_thinking": False},
    stop_tokens=(2, 7),
    thinking="show",
    date="2024-07-26",
)
texts = st.text(max_size=8)


@given(
    st.builds(
        ModelFormat,
        model=texts,
        revision=st.none() | texts,
        adapter=st.none() | texts,
        tokenizer=texts,
        chat_template=texts,
        template_text=st.none() | texts,
        template_options=st.dictionaries(texts, st.booleans() | texts | st.integers(), max_size=2),
        stop_tokens=st.lists(st.integers(0), max_size=3).map(tuple),
        thinking=st.sampled_from(["template", "show", "hide"]),
        date=st.none() | texts,
    )
)
def test_every_format_survives_json_unchanged(made: ModelFormat) -> None:
    assert format_from_json(format_to_json(made)) == made


def test_fields_of_a_later_version_are_left_out() -> None:
    assert format_from_json({**format_to_json(TINY), "voice": "low"}) == TINY


def test_a_damaged_format_is_named() -> None:
    with pytest.raises(ValueError, match=r"\$\.thinking"):
        format_from_json({**format_to_json(TINY), "thinking": "loud"})
    with pytest.raises(ValueError, match="map agents"):
        stored_formats({FORMATS: ["tiny"]})


def test_a_merged_store_has_every_format_of_its_runs_once() -> None:
    other = replace(TINY, thinking="hide")
    parts = [record(tiny=TINY), record(tiny=TINY), {}, record(tiny=other, teacher=TINY)]
    assert stored_formats({"merged": parts}) == {"tiny": (TINY, other), "teacher": (TINY,)}
    assert stored_formats({}) == {}


def record(**formats: ModelFormat) -> dict[str, Any]:
    return {FORMATS: {agent: format_to_json(made) for agent, made in formats.items()}}


def test_a_run_that_goes_on_with_another_format_is_refused_and_the_field_named(tmp_path: Path) -> None:
    path = tmp_path / "s.jsonl"
    TrajectoryStore(path, record(tiny=TINY)).close()
    TrajectoryStore(path, record(tiny=TINY)).close()
    for other, message in (
        (replace(TINY, stop_tokens=(2,)), r"formats\.tiny\.stop_tokens is \[2, 7\], not \[2\]"),
        (replace(TINY, template_options={}), r"formats\.tiny\.template_options"),
        (replace(TINY, adapter="lora"), r"formats\.tiny\.adapter is None, not 'lora'"),
    ):
        with pytest.raises(StoreError, match=message):
            TrajectoryStore(path, record(tiny=other))


@pytest.mark.parametrize(
    "unknown",
    [
        pytest.param({}, id="a store of version 0.1"),
        pytest.param(record(teacher=TINY), id="the agent did not know it"),
        pytest.param(
            {FORMATS: {"tiny": {k: v for k, v in format_to_json(TINY).items() if k != "thinking"}}},
            id="the field came later",
        ),
    ],
)
def test_what_a_store_does_not_know_of_a_format_is_no_difference(
    tmp_path: Path, unknown: dict[str, Any]
) -> None:
    for before, now in ((unknown, record(tiny=TINY)), (record(tiny=TINY), unknown)):
        path = tmp_path / f"{len(list(tmp_path.iterdir()))}.jsonl"
        TrajectoryStore(path, before).close()
        TrajectoryStore(path, now).close()
        assert read_run(path) == {"kind": "run", "schema": 1, **before}

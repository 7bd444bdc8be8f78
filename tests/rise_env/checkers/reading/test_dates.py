import pytest

from rise_env.checkers import equivalent

SAME = [
    ("10:00 a.m.", r"10\text{ a.m.}"),
    ("10:00 a.m.", "10 AM"),
    ("10:00 a.m.", "10am"),
    ("3:30 PM", r"3\!:\!30\text{ p.m.}"),
    ("3:30 PM", r"3:30\ \text{PM}"),
    ("3:30 PM", "15:30"),
    ("3:30 PM", r"3:30\text{ in the afternoon}"),
    ("8:15 a.m.", "8 : 15 am"),
    ("3:00", "3 o'clock"),
    ("12:00 p.m.", r"\text{noon}"),
    ("noon", "12:00 PM"),
    ("midnight", "12:00 a.m."),
]


@pytest.mark.parametrize(("reference", "answer"), SAME, ids=[f"{a} = {b}" for a, b in SAME])
def test_a_time_of_day_may_be_written_in_several_ways(reference: str, answer: str) -> None:
    assert equivalent(answer, reference).correct


OTHER = [
    ("10:00 a.m.", r"10\text{ p.m.}"),
    ("10:00 a.m.", "11 a.m."),
    ("3:30 PM", "3:30 AM"),
    ("3:30 PM", r"3:30\text{ in the morning}"),
    ("noon", "midnight"),
    ("10:00 a.m.", "10 meters"),
    ("12:00", "1:00"),
]


@pytest.mark.parametrize(("reference", "answer"), OTHER, ids=[f"{a} or {b}" for a, b in OTHER])
def test_another_time_is_wrong(reference: str, answer: str) -> None:
    assert not equivalent(answer, reference).correct


ANGLES = [
    (r"37.5^\circ", r"37^\circ 30'"),
    (r"37.5^\circ", "37° 30′"),
    (r"37.5^\circ", r"37^{\circ}30^{\prime}"),
    (r"37.5", r"37^\circ 30' 0''"),
    (r"37^\circ 30'", r"37.5^\circ"),
    (r"-37.5^\circ", r"-37^\circ 30'"),
    (r"10.51^\circ", r"10^\circ 30' 36''"),
]


@pytest.mark.parametrize(("reference", "answer"), ANGLES, ids=[f"{a} = {b}" for a, b in ANGLES])
def test_minutes_and_seconds_of_arc_are_parts_of_a_degree(reference: str, answer: str) -> None:
    assert equivalent(answer, reference).correct
    assert not equivalent(answer, r"37.3^\circ").correct

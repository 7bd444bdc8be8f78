import pytest

from rise_env.utils.progress_line import duration, plain_line, progress_line

LINE = {
    "title": "iteration 12, seed 3, sequential",
    "share": 0.4,
    "count": "120000/300000",
    "speed": "12,345 tokens/s",
    "left": "1:02:03",
    "status": "last reply right 53.3%, 12 failed",
}


@pytest.mark.parametrize("width", [60, 80, 100, 120, 200])
def test_share_count_speed_and_time_left_are_on_the_line_at_every_width(width: int) -> None:
    line = progress_line(**LINE, width=width)  # type: ignore[arg-type]
    assert len(line) <= width
    for part in ("count", "speed", "left"):
        assert str(LINE[part]) in line
    assert "40% " in line
    assert line.startswith("iterati")


def test_a_wide_line_has_the_whole_title_a_bar_and_the_status() -> None:
    line = progress_line(**LINE, width=140)  # type: ignore[arg-type]
    assert line == (
        f"{LINE['title']} {'━' * 10}{'─' * 14} 40% 120000/300000  {LINE['status']}  12,345 tokens/s  1:02:03"
    )


def test_at_80_columns_the_status_is_shown_where_there_is_room() -> None:
    line = progress_line(
        title="tiny, seed 0, sequential", share=0.5, count="150/300", speed="950 tokens/s", left="0:00:12",
        status="solved 30.0%", width=80,
    )  # fmt: skip
    assert line == "tiny, seed 0, sequential 50% 150/300  solved 30.0%  950 tokens/s  0:00:12"
    assert len(line) <= 80


def test_a_line_without_speed_and_time_left_has_no_gaps() -> None:
    line = progress_line(title="fit", share=None, count="0/8", speed="", left="", status="", width=80)
    assert line == "fit 0/8"


def test_the_line_for_a_log_has_the_share_the_count_the_speed_and_the_time_left() -> None:
    line = plain_line(**LINE)  # type: ignore[arg-type]
    assert line == (
        "iteration 12, seed 3, sequential: 40 % done, 120000/300000, 12,345 tokens/s, "
        "last reply right 53.3%, 12 failed, 1:02:03 left"
    )


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(None, ""), (0.2, "0:00:00"), (59.6, "0:01:00"), (3723, "1:02:03"), (90000, "25:00:00")],
)
def test_durations_are_hours_minutes_and_seconds(seconds: float | None, text: str) -> None:
    assert duration(seconds) == text

from rise_env.metrics.policy_results import policy_results
from rise_env.metrics.reply_arrays import by_draw, by_turn
from rise_env.metrics.report_row import row
from rise_env.metrics.report_table import COLUMNS, headline, long_rows
from tests.rise_env.episodes import parallel, sequential


def report() -> dict[str, object]:
    runs = [sequential("1", "2", problem="p"), sequential("2", "2", problem="q")]
    draws = [parallel("2", "1", problem="p"), parallel("2", "2", problem="q")]
    stopped = {"oracle": [by_turn(runs, 2)]}
    found = policy_results([by_turn(runs, 2)], [by_draw(draws, 2)], stopped)
    return {"turns": 2, "num_samples": 2, "rows": [row("base", found), row("next", found, found)]}


def test_every_estimate_is_one_row_of_a_long_table() -> None:
    rows = {line[:3]: line[3] for line in long_rows(report())}
    assert len(COLUMNS) == 6
    assert rows["base", "m1@t1", None] == 0.5
    assert rows["base", "accuracy_by_turn", 2] == 1.0
    assert rows["base", "transitions_by_turn/wrong to right", 1] == 0.5
    assert rows["base", "protocols/oracle/p1@t2", None] == 1.0
    assert rows["next", "gain m1@t2", None] == 0.0
    assert ("base", "gain m1@t2", None) not in rows
    assert len(rows) == len(long_rows(report()))  # no two figures share a name


def test_the_headline_is_what_a_run_is_followed_by() -> None:
    first, second = headline(report())
    assert first == second
    assert first.items() >= {
        "m1@t1": 0.5, "m2@t1": 0.75, "m1@t2": 0.75, "p1@t2": 1.0, "m1@t2 - m2@t1": 0.0,
        "acc@t1": 0.5, "acc@t2": 1.0,
    }.items()  # fmt: skip

from rise_env.metrics.policy_results import policy_results
from rise_env.metrics.reply_arrays import by_draw, by_turn
from rise_env.metrics.report_metrics import METRICS
from rise_env.metrics.report_row import row
from rise_env.metrics.report_table import cells
from tests.rise_env.episodes import parallel, sequential

RESULTS = policy_results(
    [by_turn([sequential("1", "2", "2", problem="p"), sequential("2", "3", "4", problem="q")], 3)],
    [by_draw([parallel("2", "1", problem="p"), parallel("2", "2", problem="q")], 2)],
)
ROW = row("base", RESULTS)
REPORT = {"turns": 3, "num_samples": 2, "rows": [ROW]}


def test_a_row_has_the_metrics_of_the_table_in_its_order() -> None:
    assert list(ROW) == ["name", *(metric.key.format(t=3, k=2) for metric in METRICS)]


def test_a_table_has_a_column_for_each_metric_that_names_it() -> None:
    for table in ("scores", "turns"):
        head, body = cells(REPORT, table)  # type: ignore[arg-type]
        shown = [metric for metric in METRICS if metric.table == table]
        assert head == ["", *((metric.heading or metric.key).format(t=3, k=2) for metric in shown)]
        assert body == ["base", *(metric.show(ROW[metric.key.format(t=3, k=2)]) for metric in shown)]


def test_curves_and_rates_are_shown_in_percent() -> None:
    scores = dict(zip(*cells(REPORT), strict=True))
    assert scores["accuracy by turn 1..3"] == "50.0 50.0 50.0"
    turns = dict(zip(*cells(REPORT, "turns"), strict=True))
    assert turns["wrong to right per turn"] == turns["right to wrong per turn"] == "50 %"


def test_one_column_is_shown_where_two_metrics_are_the_same() -> None:
    single = policy_results([by_turn([sequential("2")], 1)], [by_draw([parallel("2")], 1)])
    head, _ = cells({"turns": 1, "num_samples": 1, "rows": [row("base", single)]})
    assert head.count("m1@t1") == head.count("p1@t1") == 1
    assert len(set(head)) == len(head)

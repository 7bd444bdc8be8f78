import re

from rise_env.metrics.glossary.definitions import definitions
from rise_env.metrics.glossary.scores import SCORES
from rise_env.metrics.glossary.self_correction import BY_TURN, TOTALS
from rise_env.metrics.report_metrics import METRICS
from rise_env.metrics.self_correction.measures import MEASURES
from tests.source_tree import ROOT


def test_every_metric_of_a_report_is_defined_and_nothing_else_is() -> None:
    assert list(SCORES) == [metric.key for metric in METRICS]
    assert list(TOTALS) == [total.key for measure in MEASURES for total in measure.totals]
    labels = {total.label for measure in MEASURES for total in measure.totals}
    own = [measure.key for measure in MEASURES if measure.label and measure.label not in labels]
    assert list(BY_TURN) == own


def test_every_definition_is_one_sentence() -> None:
    for name, sentence in definitions(5, 3).items():
        assert sentence[0].isupper(), name
        assert sentence.endswith("."), name
        assert not re.search(r"\. [A-Z]", sentence), name
        assert "{" not in name + sentence


def test_definitions_are_found_under_the_names_of_the_tables() -> None:
    found = definitions(turns=5, num_samples=3)
    assert {"m1@t1", "m3@t1", "m1@t5", "p1@t5", "accuracy by turn 1..5", "Δ(t1,t2)", "ECR"} <= set(found)
    assert "3 independent first replies" in found["m3@t1"]
    assert "m1@tT" in definitions()
    assert "mK@t1" in definitions()


def test_the_page_on_the_report_has_all_definitions() -> None:
    rows = [f"| {name} | {sentence} |" for name, sentence in definitions().items()]
    table = (ROOT / "docs" / "report.md").read_text().partition("| name | definition |\n| --- | --- |\n")[2]
    assert table.splitlines() == rows

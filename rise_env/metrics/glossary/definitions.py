"""Looks up what a metric means, by its key in report.json or by its name in tables."""

from collections.abc import Iterator

from rise_env.metrics.glossary.scores import SCORES
from rise_env.metrics.glossary.self_correction import BY_TURN, TOTALS
from rise_env.metrics.report_metrics import METRICS
from rise_env.metrics.self_correction.measures import MEASURES


def definitions(turns: int | None = None, num_samples: int | None = None) -> dict[str, str]:
    """Return the name of each metric, as tables show it, with its definition in one sentence.

    Args:
        turns: The number of turns of the sequential episodes; None writes "T".
        num_samples: The number of independent first replies that vote; None writes "K".

    >>> definitions(turns=5, num_samples=5)["m5@t1"]
    'Accuracy of the majority answer of 5 independent first replies.'
    """
    sizes = {"t": str(turns or "T"), "k": str(num_samples or "K")}
    found: dict[str, str] = {}
    for name, sentence in (*_scores(), *_card()):
        found.setdefault(name.format(**sizes), sentence.format(**sizes))
    return found


def _scores() -> Iterator[tuple[str, str]]:
    """Yield name and definition of each metric of a row, with {t} and {k}."""
    for metric in METRICS:
        yield metric.heading or metric.key, SCORES[metric.key]


def _card() -> Iterator[tuple[str, str]]:
    """Yield name and definition of each measure of the self-correction card, with {t}."""
    for measure in MEASURES:
        for total in measure.totals:
            yield total.label, TOTALS[total.key]
        if measure.key in BY_TURN:
            yield measure.label, BY_TURN[measure.key]

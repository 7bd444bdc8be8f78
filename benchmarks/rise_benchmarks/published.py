"""Tables 1 and 2 of the RISE paper (arXiv:2407.18219), and how certain each number is.

confirmed  is in the abstract or the introduction, or in a script that others checked against the paper
derived    follows by arithmetic from confirmed numbers
recalled   is commonly quoted, but was not checked against the paper's table

All numbers are in percent. The base models are of 2023, so compare gains with those of other models, and not
the absolute numbers.
"""

from dataclasses import dataclass
from typing import Literal

Status = Literal["confirmed", "derived", "recalled"]
_MARKS: dict[str, Status] = {"+": "confirmed", "~": "derived"}
METRICS = ("m1@t1", "m5@t1", "m1@t5", "p1@t5")


@dataclass(frozen=True, slots=True)
class Cell:
    """One published number, in percent."""

    value: float
    status: Status


@dataclass(frozen=True, slots=True)
class PublishedRow:
    """One row of a published table."""

    table: str
    name: str
    cells: dict[str, Cell | None]
    """Metric -> number; None if the number is not known."""


# after a number, "+" is confirmed, "~" is derived and nothing is recalled; "-" is a number that is not known
_TABLE_1 = """
Llama2-7B base            | 10.5 22.8 11.1~ 13.9      | 1.9 5.1 1.4 2.3
Llama2-7B + Boost         | 32.9 45.4 39.2+ 55.5      | 5.5 6.8 5.5 14.6
Llama2-7B + RISE iter 1   | 35.6 49.7+ 50.7+ 63.9     | 6.3 8.8+ 9.7+ 19.4
Llama2-7B + RISE iter 2   | 37.3~ 51.0+ 55.0+ 68.4    | 5.8 10.4+ 10.4+ 19.8
Mistral-7B base           | 33.7 49.4 39.0 46.9       | 7.5 13.0 8.4 13.0
Mistral-7B + RISE iter 1  | 35.3~ 50.6+ 59.2+ 68.6    | - 9.5+ 18.4+ 29.7
SFT, correct only         | 27.4 42.2 34.0 43.6       | 5.8 7.9 5.5 12.1
SFT, correct + incorrect  | 25.7 41.8 31.2 41.5       | 5.0 5.2 5.0 13.1
GPT-3.5                   | 66.4 80.6 71.0 74.7       | 39.7 46.5 45.1 54.3
Eurus-7B-SFT              | 36.3 66.3 47.9 53.1       | 12.3 19.8 16.3 22.9
Self-Refine Llama2 base   | 10.5 22.4 7.1 13.0        | 1.9 5.1 1.9 3.1
Self-Refine + Boost       | 32.9 45.4 26.5 40.9       | 5.5 6.5 2.9 7.2
Self-Refine + iter 1      | 35.6 49.5 31.7 43.7       | 6.3 8.7 5.9 9.9
Self-Refine + iter 2      | 37.3 50.5 33.3 44.5       | 5.8 9.4 5.7 9.8
Self-Refine GPT-3.5       | 66.4 80.2 61.0 71.6       | 39.7 46.5 36.5 46.7
Self-Refine Mistral-7B    | 33.7 48.5 21.2 37.9       | 7.5 12.3 7.1 11.4
Self-Refine Eurus-7B-SFT  | 36.3 65.9 26.2 42.8       | 12.3 19.4 9.0 15.1
GLoRe + ORM               | 48.2 49.5 57.1 -          | - - - -
GLoRe + SORM              | 48.2 51.6 59.7 -          | - - - -
GLoRe + Direct            | 48.2 47.4 59.2 -          | - - - -
"""
_TABLE_2 = """
Mistral-7B                  | 33.7 49.4 39.0 46.9
Mistral-7B + iter 1 (self)  | 36.8+ 44.4~ 39.5+ 48.7+
Llama-3-8B                  | 45.3 69.7 52.5 61.0
Llama-3-8B + iter 1 (self)  | 65.6 80.7 73.8 81.0
"""
NOTES = (
    "Table 2 prints +6.6 and +15.9 for the self-distilled Mistral where its own cells give +2.7 and +11.9.",
    "No pair of columns of table 1 gives the 4 to 8 points by which the text says turns beat parallel draws.",
    "In table 2 the majority of 5 draws (m5@t1) is above that of 5 turns (m1@t5) after self-distillation.",
)
"""Remarks on the tables, printed below them."""


def table(dataset: Literal["gsm8k", "math"]) -> list[PublishedRow]:
    """Return the published rows of a data set: table 1, and for GSM8K table 2."""
    column = 0 if dataset == "gsm8k" else 1
    rows = _rows("table 1", _TABLE_1, column)
    return rows + _rows("table 2", _TABLE_2, 0) if dataset == "gsm8k" else rows


def _rows(name: str, text: str, column: int) -> list[PublishedRow]:
    rows = []
    for line in text.strip().splitlines():
        label, *columns = line.split("|")
        cells = dict(zip(METRICS, map(_cell, columns[column].split()), strict=True))
        rows.append(PublishedRow(name, label.strip(), cells))
    return rows


def _cell(text: str) -> Cell | None:
    if text == "-":
        return None
    return Cell(float(text.rstrip("+~")), _MARKS.get(text[-1], "recalled"))

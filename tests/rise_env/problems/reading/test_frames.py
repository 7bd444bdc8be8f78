from collections.abc import Iterator
from typing import Any

import gymnasium
import pytest

from rise_env.errors import ConfigError
from rise_env.problems.loading import load_problems

ROWS = [
    {"prompt": [{"role": "user", "content": "1 + 1?"}], "answer": "2", "level": 1},
    {"prompt": [{"role": "user", "content": "6 * 7?"}], "answer": "42", "level": None},
]


def read(dataset: Any, **settings: Any) -> list[tuple[str, str, dict[str, Any]]]:
    problems = load_problems("Custom", dataset=dataset, **settings)
    return [(problem.question, problem.reference, dict(problem.meta)) for problem in problems]


EXPECTED = [("1 + 1?", "2", {"level": 1}), ("6 * 7?", "42", {})]


def test_frames_of_pandas(tmp_path: Any) -> None:
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(ROWS)
    assert read(frame) == EXPECTED
    frame.to_parquet(tmp_path / "a.parquet")
    assert read(pandas.read_parquet(tmp_path / "a.parquet")) == EXPECTED  # message lists are arrays now


def test_frames_of_polars_also_lazy() -> None:
    polars = pytest.importorskip("polars")
    assert read(polars.DataFrame(ROWS)) == EXPECTED
    assert read(polars.DataFrame(ROWS).lazy()) == EXPECTED


def test_tables_of_pyarrow() -> None:
    assert read(pytest.importorskip("pyarrow").Table.from_pylist(ROWS)) == EXPECTED


def test_data_sets_of_the_datasets_library_also_streaming_and_by_split() -> None:
    datasets = pytest.importorskip("datasets")
    dataset = datasets.Dataset.from_list(ROWS)
    assert read(dataset) == EXPECTED
    assert read(dataset.to_iterable_dataset()) == EXPECTED
    splits = datasets.DatasetDict({"train": dataset, "test": dataset.select([1])})
    assert read(splits) == EXPECTED
    assert read(splits, split="test") == EXPECTED[1:]
    assert read({"dev": ROWS}, split="dev") == EXPECTED
    with pytest.raises(ConfigError, match="it has no 'dev', it has: train, test"):
        read(splits, split="dev")


def test_a_generator_serves_one_environment_and_then_says_so() -> None:
    def rows() -> Iterator[dict[str, Any]]:
        yield from ROWS

    generator = rows()
    assert read(generator) == EXPECTED
    with pytest.raises(ConfigError, match=r"can be read once, by one environment; make a list"):
        read(generator)
    mapped = map(dict, ROWS)
    with pytest.raises(ConfigError, match="make a list of it first"):
        gymnasium.make_vec("RISE-Custom-v0", num_envs=2, vectorization_mode="sync", dataset=mapped)


@pytest.mark.parametrize(
    ("dataset", "message"),
    [
        ([1], "got a int in it"),
        (7, "got a int$"),
        (b"x", "got a bytes$"),
        ({"question": []}, "one data set per split"),
    ],
)
def test_another_object_is_refused(dataset: Any, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        read(dataset)

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from rise_env.errors import ConfigError
from rise_trainers import fit
from rise_trainers.data.dataset import EMPTY_EXAMPLE, collate_packed, collate_padded, make_examples
from rise_trainers.data.tokenization import Span, TokenSequence
from rise_trainers.policies.first_model import FirstModelLogprobs
from tests.rise_trainers import small_models


def divergence(folder: Path, name: str, **settings: Any) -> float:
    """Return how far a fit moves the mean entropy of the first turn, as the metrics say."""
    config = small_models.fit_config(folder, output=str(folder / name), epochs=4.0, **settings)
    fit(config)
    lines = [json.loads(line) for line in (folder / name / "metrics.jsonl").read_text().splitlines()]
    policy: dict[str, float] = {}
    for line in lines:
        if line["kind"] == "policy":
            policy |= line
    return abs(policy["entropy@t1"] - policy["entropy_first@t1"])


def test_a_penalty_keeps_the_fitted_model_near_the_first_one(tmp_path: Path) -> None:
    free = divergence(tmp_path, "free")
    held = divergence(tmp_path, "held", kl_penalty=100.0)
    assert held < free / 2


@pytest.mark.parametrize("normalize", ["token", "reply"])
def test_the_factor_is_that_of_a_mean_over_tokens_or_replies(normalize: Any) -> None:
    sequence = TokenSequence([5, 6, 7, 8, 9, 1], [Span(0, 1, 3), Span(1, 4, 5), Span(2, 5, 6)])
    [example] = make_examples([sequence], np.array([2.0, -1.0, 0.0]), normalize=normalize, kl_penalty=0.5)
    assert example.penalty is not None
    expected = [0, 0.5, 0.5, 0, 0.5, 0] if normalize == "token" else [0, 0.25, 0.25, 0, 0.5, 0]
    assert example.penalty.tolist() == expected


def test_batches_hold_the_penalty_only_where_there_is_one() -> None:
    sequence = TokenSequence([5, 6, 7], [Span(0, 1, 3)])
    [plain] = make_examples([sequence], np.ones(1))
    [held] = make_examples([sequence], np.ones(1), kl_penalty=0.5)
    assert held.reference is not None
    held.reference[:] = -2.0
    assert "penalty" not in collate_padded([plain]) | collate_packed([plain])
    padded, packed = collate_padded([held, EMPTY_EXAMPLE]), collate_packed([held, EMPTY_EXAMPLE])
    assert padded["penalty"].tolist() == [[0, 0.5, 0.5], [0, 0, 0]]
    assert padded["reference"].tolist() == [[-2, -2, -2], [0, 0, 0]]
    assert packed["penalty"].tolist() == [[0, 0.5, 0.5, 0, 0]]
    assert packed["reference"].tolist() == [[-2, -2, -2, 0, 0]]


def test_a_continued_fit_reads_the_values_of_the_first_model_and_computes_none(tmp_path: Path) -> None:
    sequences = [TokenSequence([5, 6, 7], [Span(0, 1, 3)]), TokenSequence([8, 9], [Span(1, 1, 2)])]
    values = [np.array([-1.0, -2.0], dtype=np.float32), np.array([-3.0], dtype=np.float32)]

    def references(passes: Any, step: int) -> list[list[float]]:
        examples = make_examples(sequences, np.ones(2), kl_penalty=0.5)
        callback = FirstModelLogprobs(tmp_path, examples, passes)
        state = SimpleNamespace(global_step=step, is_world_process_zero=True)
        callback.on_train_begin(None, state, None)
        return [example.reference.tolist() for example in examples if example.reference is not None]

    def computed(trainer: Any, examples: Any) -> list[tuple[Any, Any]]:
        return [(value, value) for value in values]

    expected = [[0, -1, -2], [0, -3]]
    assert references(computed, 0) == expected
    assert references(None, 3) == expected


@pytest.mark.slow
@pytest.mark.parametrize("stage", [1, 3])
def test_two_ranks_measure_and_penalise_as_one(tmp_path: Path, stage: int) -> None:
    lines = []
    for ranks in (1, 2):
        name = f"fitted-{ranks}"
        config = small_models.fit_config(
            tmp_path, output=str(tmp_path / name), kl_penalty=1.0, ranks=ranks, zero_stage=stage
        )
        fit(config)
        found = [json.loads(line) for line in (tmp_path / name / "metrics.jsonl").read_text().splitlines()]
        lines.append([line for line in found if line["kind"] in ("step", "policy")])
    for one, two in zip(*lines, strict=True):
        for key in set(one) - {"kind", "seconds", "seconds_left", "tokens_per_s"}:
            assert two[key] == pytest.approx(one[key], rel=1e-3), key


def test_a_negative_factor_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="kl_penalty must be at least 0, got -1"):
        small_models.fit_config(tmp_path, kl_penalty=-1.0)

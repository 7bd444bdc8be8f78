import json
from pathlib import Path

import pytest

from rise_benchmarks.speed import rollout as bench


def test_a_rollout_is_measured_beside_bare_generate_and_one_request_at_a_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bench, "SAMPLING", bench.SamplingConfig(max_new_tokens=4))
    path = tmp_path / "speed.json"
    options = ["--agents", "transformers", "--problems", "3", "--single", "1", "--repeats", "1"]
    bench.main([*options, "--batches", "2", "4", "--output", str(path)])
    found = json.loads(path.read_text())["agents"]["transformers"]
    assert found["requests"] == 3 * bench.TURNS
    assert found["generated_tokens"] > 0
    assert 0.5 < found["share_of_prompt_tokens_from_prefix_cache"] < 1
    assert found["generate_batch"] in (2, 4)
    assert found["rollout_over_generate"][0] > 0
    assert found["rollout_over_one_at_a_time"] > 0

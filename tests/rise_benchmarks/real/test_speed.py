"""The speed of a real model beside the library that it calls, tried with the embedded model."""

import json
from pathlib import Path

import pytest

from rise_benchmarks.real import speed
from rise_benchmarks.speed.rollout import TINY


def test_the_limit_reads_the_agents_prompts_and_shares_add_up(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "speed.json"
    options = {"env": "RISE-Arithmetic-v0", "problems": 3, "turns": 2, "max_new_tokens": 8, "repeats": 1}
    arguments = [part for name, value in options.items() for part in (f"--{name}", str(value))]
    speed.main(["--model", str(TINY), "--agent", "transformers", *arguments, "--output", str(output)])
    result = json.loads(output.read_text())
    assert json.loads(capsys.readouterr().out).items() <= result.items()
    assert result["agent"] == "transformers"
    assert result["requests"] == 6
    assert result["rollout"][0]["tokens"] == result["generated_tokens"] <= 6 * 8
    assert 0 < result["limit"][0]["tokens"] <= 6 * 8
    shares = result["shares_of_cpu_time"]
    assert sum(shares.values()) == pytest.approx(1, abs=0.01)
    assert {"attention", "MLP", "output layer", "sampler", "prefix cache"} <= set(shares)
    assert all(share > 0 for share in shares.values())


def test_generation_is_as_before_after_the_shares_were_measured() -> None:
    from rise_agents.generation.gumbel_sampling import SeededSampling
    from rise_agents.registry import load_agent
    from rise_benchmarks.real.shares import of_transformers

    agent = load_agent("tiny")
    decoder = agent._decoder  # type: ignore[attr-defined]
    call = SeededSampling.__call__
    with of_transformers(agent):
        assert SeededSampling.__call__ is not call
    assert SeededSampling.__call__ is call
    assert "_find" not in vars(decoder)
    assert not any(module._forward_hooks for module in decoder.model.modules())
    agent.close()

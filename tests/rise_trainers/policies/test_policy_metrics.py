import json
from pathlib import Path

import numpy as np
import pytest

from rise_agents import load_agent
from rise_agents.types import SamplingConfig
from rise_env.trajectories.store import TrajectoryStore
from rise_env.types import Attempt, CheckResult, Problem, Trajectory, Turn, Verdict
from rise_trainers import fit
from rise_trainers.policies.policy_metrics import change_metrics, gap_metrics
from tests.rise_trainers import small_models

NAN = float("nan")


def arrays(**values: list[float]) -> dict[str, np.ndarray]:
    return {name: np.array(numbers, dtype=np.float32) for name, numbers in values.items()}


def test_the_gap_and_the_divergence_are_computed_from_tokens_of_the_first_model() -> None:
    before = arrays(
        logprob=[-1.0, -2.0, -3.0], sampled=[-1.5, -2.0, NAN], entropy=[1.0, 3.0, 5.0], turn=[0, 0, 2]
    )
    found = gap_metrics(before)
    assert found["sampled_tokens"] == 2
    assert found["sampler_gap_mean"] == pytest.approx(0.25)
    assert found["sampler_gap_p99"] == pytest.approx(0.495)
    assert (found["entropy_first@t1"], found["entropy_first@t3"]) == (2.0, 5.0)
    after = arrays(logprob=[-1.0, -1.0, 0.0], entropy=[2.0, 2.0, 4.0], turn=[0, 0, 2])
    changed = change_metrics(before, after)
    assert changed["kl_to_first"] == changed["kl_to_first@t1"] == pytest.approx((np.e - 2) / 2)
    assert "kl_to_first@t3" not in changed  # another model wrote that token
    assert (changed["entropy@t1"], changed["entropy@t3"]) == (2.0, 4.0)
    moved = {**before, "sampled": np.array([-1.5, NAN, -3.0], dtype=np.float32)}
    by_turn = change_metrics(moved, after)
    assert by_turn["kl_to_first@t1"] == 0
    assert by_turn["kl_to_first@t3"] == pytest.approx(np.exp(3) - 4)


def test_without_tokens_of_the_first_model_there_are_entropies_only() -> None:
    before = arrays(logprob=[-1.0], sampled=[NAN], entropy=[1.0], turn=[0])
    assert gap_metrics(before) == {"sampled_tokens": 0, "entropy_first@t1": 1.0}
    assert change_metrics(before, before) == {"entropy@t1": 1.0}


def played(model: Path, folder: Path, *, number: int = 12) -> Path:
    """Write a store that an agent with the model played: one turn per problem."""
    agent = load_agent(f"transformers:{model}", dtype="float32")
    asked = [({"role": "user", "content": f"What is {i} plus 7?"},) for i in range(number)]
    replies = agent.act(asked, SamplingConfig(max_new_tokens=20), list(range(number)))
    episodes = [
        Trajectory(
            id=f"t{i}",
            problem=Problem(id=f"p{i}", question="q", reference="1"),
            seed=0,
            turns=(
                Turn(
                    observation=asked[i],
                    attempts=(
                        Attempt(
                            agent=agent.name,
                            reply=reply.text,
                            check=CheckResult(Verdict.WRONG),
                            reward=0.0,
                            finish=reply.finish,
                            usage=reply.usage,
                            token_ids=reply.token_ids,
                            logprobs=reply.logprobs,
                        ),
                    ),
                ),
            ),
        )
        for i, reply in enumerate(replies)
    ]
    from rise_env.trajectories.model_formats import format_to_json

    record = {"formats": {agent.name: format_to_json(agent.format)}}
    agent.close()
    with TrajectoryStore(folder / "played.jsonl", record) as store:
        store.append(episodes)
    return folder / "played.jsonl"


def test_a_fit_says_that_its_model_gives_the_sampled_tokens_the_probabilities_of_the_sampler(
    tmp_path: Path,
) -> None:
    model = small_models.save_model(tmp_path / "model")
    config = small_models.fit_config(tmp_path, data=(str(played(model, tmp_path)),), epochs=2.0)
    fit(config)
    lines = [json.loads(line) for line in (tmp_path / "fitted" / "metrics.jsonl").read_text().splitlines()]
    data = next(line for line in lines if line["kind"] == "data")
    first, last = (line for line in lines if line["kind"] == "policy")
    assert data["sampled_ids"] == 12
    assert (data["from_text"], data["other_text"], data["other_prompt"]) == (0, 0, 0)
    assert first["sampled_tokens"] == data["trained_tokens"]
    assert first["sampler_gap_mean"] < 1e-5
    assert first["sampler_gap_p99"] < 1e-4
    assert 0 < last["kl_to_first"] < 1
    assert 0 < last["entropy@t1"] != first["entropy_first@t1"]

import json
from pathlib import Path

import pytest
import torch
from transformers import AutoModelForCausalLM

from rise_agents.chat.loading import load_chat
from rise_agents.evaluation.answer_likelihood import answer_logps, score_logs
from rise_env.errors import ConfigError, DataNotFoundError
from rise_env.trajectories.store import read_trajectories
from tests.rise_agents.evaluation.test_protocols import play
from tests.rise_agents.small_models import save_random_model


def test_the_right_answer_is_scored_after_each_history_as_one_at_a_time(tmp_path: Path) -> None:
    folder = save_random_model(tmp_path / "model")
    play(tmp_path / "label" / "seed-0", "sequential", turns=3)
    [written] = score_logs(str(folder), tmp_path / "label")
    found = json.loads(written.read_text())["logp"]
    model, chat = AutoModelForCausalLM.from_pretrained(folder).eval(), load_chat(str(folder))
    tokenizer = chat.tokenizer
    for episode in read_trajectories(tmp_path / "label" / "seed-0" / "sequential.jsonl"):
        for turn, value in zip(episode.turns, found[episode.problem.id], strict=True):
            prompt = tokenizer.apply_chat_template(
                list(turn.observation), tokenize=False, add_generation_prompt=True
            )
            before = tokenizer(prompt, add_special_tokens=False)["input_ids"]
            answer = tokenizer(f"\\boxed{{{episode.problem.reference}}}", add_special_tokens=False)[
                "input_ids"
            ]
            with torch.inference_mode():
                logps = model(torch.tensor([before + answer])).logits[0].log_softmax(-1)
            expected = sum(float(logps[len(before) + i - 1, token]) for i, token in enumerate(answer))
            assert value == pytest.approx(expected, abs=1e-3)
    assert score_logs(str(folder), tmp_path / "label") == []  # it is there already


def test_batches_change_no_score_and_missing_turns_are_none(tmp_path: Path) -> None:
    folder = save_random_model(tmp_path / "model")
    play(tmp_path, "oracle")
    episodes = list(read_trajectories(tmp_path / "oracle.jsonl"))
    model, chat = AutoModelForCausalLM.from_pretrained(folder).eval(), load_chat(str(folder))
    small = answer_logps(model, chat, episodes, 5, max_batch_tokens=1)
    large = answer_logps(model, chat, episodes, 5)
    for one, other in zip(small, large, strict=True):
        assert one[3:] == other[3:] == [None, None]
        assert one[:3] == pytest.approx(other[:3], abs=1e-3)


def test_a_seed_with_a_model_of_its_own_is_scored_alone(tmp_path: Path) -> None:
    folder = save_random_model(tmp_path / "model")
    for seed in (0, 1):
        play(tmp_path / "label" / f"seed-{seed}", "sequential", turns=1)
    assert score_logs(str(folder), tmp_path / "label", 1) == [tmp_path / "label" / "seed-1" / "nll.json"]
    assert not (tmp_path / "label" / "seed-0" / "nll.json").exists()


def test_an_agent_that_scores_texts_gives_the_values_of_the_model(tmp_path: Path) -> None:
    folder = save_random_model(tmp_path / "model")
    for place in ("a", "b"):
        play(tmp_path / place / "seed-0", "sequential", turns=2)
    written = [
        score_logs(model, tmp_path / place)[0]
        for model, place in ((str(folder), "a"), (f"transformers:{folder}", "b"))
    ]
    own, agents = (json.loads(path.read_text())["logp"] for path in written)
    assert own.keys() == agents.keys()
    for problem, values in own.items():
        assert agents[problem] == pytest.approx(values, abs=1e-3)
    (tmp_path / "a" / "seed-0" / "nll.json").unlink()
    with pytest.raises(ConfigError, match="cannot say how likely an answer is"):
        score_logs("expert", tmp_path / "a")


def test_a_label_without_logs_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataNotFoundError, match="run `rise evaluate` first"):
        score_logs("model", tmp_path)

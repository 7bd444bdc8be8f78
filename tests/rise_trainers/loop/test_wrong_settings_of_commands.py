"""`rise fit`, `rise collect` and `rise evaluate` refuse what `rise run` refuses, and write nothing either."""

import json
from pathlib import Path
from typing import Any

import pytest

from rise_env.cli.main import main
from tests.rise_trainers.loop.wrong_settings import make_files

FIT = ["fit", "--data", "{tmp}/no_solutions.jsonl", "--model", "{tmp}/model", "--output", "new/model"]
COLLECT = ["collect", "RISE-Arithmetic-v0", "--limit", "2", "--out", "new"]
EVALUATE = ["evaluate", "RISE-Arithmetic-v0", "--limit", "2", "--out", "new"]
OPENAI = "openai:gpt@https://api.openai.com/v1"


def mapping(name: str, **settings: Any) -> list[str]:
    return [name, json.dumps(settings)]


CASES = [
    ([*FIT, "--seed", "-1"], "seed must be at least 0 and below 2**32, got -1"),
    ([*FIT, "--scheduler", "cosin"], "did you mean 'cosine'?"),
    ([*FIT, "--attention", "foo"], "attention is 'foo'"),
    ([*FIT, "--attention", "flash_attention_3"], "flash-attn-3"),
    ([*FIT, "--attention", "owner/kernel"], "pip install kernels"),
    ([*FIT, "--report_to", "w"], "report_to is 'w'"),
    ([*FIT, "--max_grad_norm", "-1"], "max_grad_norm must be at least 0, got -1.0"),
    ([*FIT, *mapping("--lora", targets=["foo"])], "lora.targets has 'foo'"),
    ([*FIT, *mapping("--lora", alpha=-1)], "lora.alpha must be a positive number, got -1.0"),
    ([*FIT, *mapping("--lora", merge=False), "--adapter", "x"], "adapter needs lora.merge true"),
    ([*FIT, "--adapter", "{tmp}"], "there is no LoRA adapter in"),
    ([*FIT, "--model", "{tmp}/no_weights"], "has a config.json and no weights"),
    ([*FIT, "--model", "{tmp}/many_tokens"], "resize the embeddings of the model"),
    ([*FIT, "--model", "{tmp}/unsavable"], "Correct this file in the model's folder"),
    ([*FIT, "--model", "{tmp}/unknown_type"], "cannot read the configuration of the model"),
    ([*FIT, "--output", "{tmp}/no.jinja/model"], "is no folder: name another one"),
    ([*FIT, "--output", "/proc/no/model"], "name another folder"),
    ([*FIT, "--deepspeed", "{tmp}/no.jinja"], "is not valid JSON"),
    ([*COLLECT, "--agent", "transformers:{tmp}/no_template"], "has no chat template"),
    ([*COLLECT, "--agent", "transformers:{tmp}/no_weights"], "has a config.json and no weights"),
    ([*COLLECT, "--agent", "transformers:{tmp}/model", "--teacher", OPENAI], "variable OPENAI_API_KEY"),
    ([*COLLECT, "--agent", "transformers:{tmp}/model", "--teacher", "replay:{tmp}/none"], "no reply log"),
    ([*COLLECT, "--agent", "tiny", *mapping("--agent_settings", device="tpu")], "no device of torch"),
    ([*COLLECT, "--agent", "tiny", *mapping("--env_settings", max_turns=2)], "use turns"),
    ([*COLLECT, "--agent", "tiny", "--turn", "x"], "give either turn or agent"),
    ([*COLLECT, "--agent", "tiny", "--workers", "rya:2"], "did you mean 'ray'"),
    ([*COLLECT, "--agent", "tiny", "--out", "{tmp}/no.jinja"], "is no folder: name another one"),
    ([*EVALUATE, "--agent", "transformers:{tmp}/model", "--agent", OPENAI], "variable OPENAI_API_KEY"),
    ([*EVALUATE, "--agent", "transformers:{tmp}/no_template"], "has no chat template"),
    ([*EVALUATE, "--agent", "transformers:{tmp}/model", "--verifier", "expret"], "did you mean 'expert'?"),
    ([*EVALUATE, "--seeds", "-1"], "seeds must be at least 0, got [-1]"),
    ([*EVALUATE, "--verifier_votes", "0"], "verifier_votes must be at least 1, got 0"),
    ([*EVALUATE, "--history_turns", "-1"], "history_turns must be at least 0, got -1"),
    (
        [*EVALUATE, *mapping("--temperatures", parallel=-1)],
        "temperatures.parallel must be finite and at least 0",
    ),
    ([*EVALUATE, *mapping("--temperatures", parallel=float("nan"))], "must be finite and at least 0"),
    ([*COLLECT, "--agent", "mcts:tiny", "--agent_settings", "{alpha: .nan}"], "alpha is nan"),
    ([*EVALUATE, *mapping("--env_settings", max_turns=2)], "is set by the protocols"),
]
"""Arguments, and a text of the message."""


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("files")
    make_files(folder)
    return folder


@pytest.mark.parametrize(
    ("arguments", "message"), CASES, ids=[f"{arguments[0]}: {message}" for arguments, message in CASES]
)
def test_a_wrong_setting_is_refused_before_a_model_is_loaded_or_a_file_written(
    arguments: list[str],
    message: str,
    files: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    assert main([word.replace("{tmp}", str(files)) for word in arguments]) == 2
    last = capsys.readouterr().err.rstrip("\n").rpartition(f"rise {arguments[0]}: ")[2]
    assert message in last
    assert "\n" not in last
    assert list(tmp_path.rglob("*")) == []

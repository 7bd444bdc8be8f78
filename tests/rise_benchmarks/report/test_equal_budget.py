"""The table at equal budgets of logs that agents with a known cost wrote."""

import json
import math
from collections.abc import Sequence
from pathlib import Path

import pytest

import rise_env
from rise_agents.evaluation.runner import EvaluationSettings, evaluate, evaluate_best_of_n
from rise_agents.types import Reply, SamplingConfig
from rise_benchmarks.report.report import write_report
from rise_env.cli.main import main
from rise_env.errors import ConfigError
from rise_env.types import Conversation, Usage
from tests.rise_benchmarks.report.evaluation_logs import ANSWERS


class Costly:
    """Right with every `period`-th seed, at a cost of tokens; confident when it is right."""

    def __init__(self, tokens: int, period: int, *, logprobs: bool = True) -> None:
        self.name = f"costly-{tokens}-{period}"
        self._tokens, self._period, self._logprobs = tokens, period, logprobs

    def act(
        self,
        conversations: Sequence[Conversation],
        sampling: SamplingConfig,
        seeds: Sequence[int] | None = None,
    ) -> list[Reply]:
        assert seeds is not None
        return [self._reply(c, seed) for c, seed in zip(conversations, seeds, strict=True)]

    def _reply(self, conversation: Conversation, seed: int) -> Reply:
        question = next((q for q in ANSWERS if q in conversation[0]["content"]), None)
        usage = Usage(prompt_tokens=50, completion_tokens=self._tokens)
        if question is None or "Problem:" in conversation[0]["content"]:
            return Reply(text="\\boxed{yes}", usage=usage)
        right = seed % self._period == 0
        text = f"\\boxed{{{ANSWERS[question] if right else -1}}}"
        logprobs = (math.log(0.9 if right else 0.2),) if self._logprobs else None
        return Reply(text=text, usage=usage, logprobs=logprobs, token_ids=(1,) if logprobs else None)

    def close(self) -> None:
        pass


def evaluated(
    folder: Path, order: int, agent: Costly, draws: int = 4, verifier: Costly | None = None
) -> None:
    record = {"label": agent.name, "order": order, "seed": 0, "env": "RISE-Arithmetic-v0", "env_settings": {}}
    own = folder / agent.name / "seed-0"
    settings = EvaluationSettings(turns=1, num_samples=draws, draws=draws)
    evaluate(
        agent,
        lambda given: rise_env.make("RISE-Arithmetic-v0", split="test", **given),
        range(6), own, settings, seed=0, run_record=record,
    )  # fmt: skip
    if verifier is not None:
        evaluate_best_of_n(verifier, own, settings, votes=2, seed=0, run_record=record)


def test_a_row_is_compared_with_the_first_row_at_equal_tokens(tmp_path: Path) -> None:
    evaluated(tmp_path, 0, Costly(10, 3))
    evaluated(tmp_path, 1, Costly(30, 1))
    report = write_report(tmp_path, page=False, equal="generated")
    base, searched = report["equal"]["rows"]
    assert report["equal"]["scores"] == "confidence"
    assert searched["choices"]["majority"]["draws"] == 3
    assert base["choices"]["majority"]["draws"] == 1
    # confidence knows which reply is right: best of 3 is right where any of three draws is
    best, vote = (searched["choices"][name]["score"]["mean"] for name in ("best of n", "weighted vote"))
    assert best == vote
    assert searched["gain"]["mean"] == pytest.approx(1 - best)
    text = (tmp_path / "report.md").read_text()
    assert "At equal generated tokens per problem" in text
    assert "best of n by confidence at its generated" in text
    assert json.loads((tmp_path / "report.json").read_text())["equal"] == report["equal"]


def test_the_ratings_of_a_verifier_are_part_of_the_budget(tmp_path: Path) -> None:
    verifier = Costly(5, 1)
    evaluated(tmp_path, 0, Costly(10, 3, logprobs=False), verifier=verifier)
    evaluated(tmp_path, 1, Costly(40, 1))
    for by, draws in (("generated", 40 / 20), ("total", 90 / (60 + 2 * 55)), ("calls", 1)):
        [_, searched] = write_report(tmp_path, page=False, equal=by)["equal"]["rows"]  # type: ignore[arg-type]
        assert searched["choices"]["best of n"]["draws"] == pytest.approx(max(1, draws))
    assert f"best of n by {verifier.name}" in (tmp_path / "report.md").read_text()


def test_without_scores_the_table_has_the_majority_only(tmp_path: Path) -> None:
    evaluated(tmp_path, 0, Costly(10, 3, logprobs=False))
    report = write_report(tmp_path, page=False, equal="generated")
    assert report["equal"]["scores"] is None
    assert list(report["equal"]["rows"][0]["choices"]) == ["majority"]


def test_too_few_draws_are_named_with_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    evaluated(tmp_path, 0, Costly(10, 3))
    evaluated(tmp_path, 1, Costly(95, 1))
    assert main(["report", str(tmp_path), "--equal", "generated", "--page", "false"]) == 0
    shown = capsys.readouterr().out
    assert "costly-95-1 spends 95 generated tokens per problem, 10 draws of costly-10-3 for majority" in shown
    assert "there are 4: rise evaluate --draws 10" in shown
    assert "too few draws" in shown


def test_an_unknown_budget_is_refused(tmp_path: Path) -> None:
    evaluated(tmp_path, 0, Costly(10, 3))
    assert main(["report", str(tmp_path), "--equal", "tokens"]) != 0


def test_agents_that_count_no_tokens_cannot_be_compared_by_tokens(tmp_path: Path) -> None:
    evaluated(tmp_path, 0, Costly(0, 3))
    with pytest.raises(ConfigError, match="cost above 0"):
        write_report(tmp_path, page=False, equal="generated")

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

import rise_env
from rise_agents.backends.scripted_agent import ScriptedAgent
from rise_agents.evaluation.evaluate_agents import EvaluateConfig, run
from rise_agents.evaluation.protocols import CRITICISE, REFINE
from rise_agents.evaluation.runner import EvaluationSettings, evaluate, evaluate_best_of_n
from rise_agents.types import Agent, Reply, SamplingConfig
from rise_env.cli.main import main
from rise_env.errors import ConfigError
from rise_env.problems.arithmetic.generator import ArithmeticProblems
from rise_env.trajectories.store import read_run, read_trajectories
from rise_env.types import Conversation, Trajectory

ANSWERS = {p.question: p.reference for p in ArithmeticProblems(split="test")[:4]}
RECORD = {"label": "a", "order": 0, "env": "RISE-Arithmetic-v0", "env_settings": {}, "seed": 0}


def answer_to(conversation: Conversation) -> str:
    return next(a for q, a in ANSWERS.items() if q in conversation[0]["content"])


def right_at_third_answer(conversation: Conversation) -> str:
    if conversation[-1]["content"].startswith(CRITICISE[:20]):
        return "Step 2 looks wrong."
    answers = sum("boxed" in m["content"] for m in conversation if m["role"] == "assistant")
    return f"\\boxed{{{answer_to(conversation) if answers >= 2 else -1}}}"


def make_env(settings: Any) -> Any:
    return rise_env.make("RISE-Arithmetic-v0", split="test", **settings)


def play(folder: Path, *protocols: str, agent: Agent | None = None, **settings: Any) -> None:
    evaluate(
        agent or ScriptedAgent(right_at_third_answer),
        make_env,
        range(4),
        folder,
        EvaluationSettings(**settings),
        seed=0,
        run_record=RECORD,
        protocols=protocols,
    )


def episodes(folder: Path, protocol: str) -> list[Trajectory]:
    return list(read_trajectories(folder / f"{protocol}.jsonl"))


def test_oracle_feedback_stops_correct_episodes_and_corrects_wrong_ones(tmp_path: Path) -> None:
    play(tmp_path, "oracle")
    for episode in episodes(tmp_path, "oracle"):
        assert len(episode.turns) == 3
        assert episode.terminated
        assert "not right" in episode.turns[1].observation[-1]["content"]


def test_a_window_shows_the_problem_and_the_last_attempts_only(tmp_path: Path) -> None:
    play(tmp_path, "window", history_turns=1)
    for episode in episodes(tmp_path, "window"):
        assert [len(turn.observation) for turn in episode.turns] == [1, 3, 3, 3, 3]
        assert all(turn.observation[0] == episode.turns[0].observation[0] for turn in episode.turns)
        assert not any(turn.action.check.correct for turn in episode.turns)  # it never sees two attempts
    assert read_run(tmp_path / "window.jsonl")["history_turns"] == 1


def test_self_refinement_alternates_answers_and_critiques_without_a_verdict(tmp_path: Path) -> None:
    play(tmp_path, "self_refine", turns=3)
    record = read_run(tmp_path / "self_refine.jsonl")
    assert (record["turns"], record["answer_every"]) == (5, 2)
    for episode in episodes(tmp_path, "self_refine"):
        asked = [turn.observation[-1]["content"] for turn in episode.turns]
        assert len(asked) == 5
        assert [text.startswith(CRITICISE[:20]) for text in asked] == [False, True, False, True, False]
        assert [text.startswith(REFINE[:20]) for text in asked] == [False, False, True, False, True]
        assert [turn.action.check.correct for turn in episode.turns[::2]] == [False, False, True]


def test_there_may_be_more_parallel_replies_than_votes(tmp_path: Path) -> None:
    play(tmp_path, "parallel", num_samples=2, draws=7)
    assert [len(e.turns[0].attempts) for e in episodes(tmp_path, "parallel")] == [7] * 4
    record = read_run(tmp_path / "parallel.jsonl")
    assert (record["num_samples"], record["draws"]) == (2, 7)


def test_every_protocol_has_its_own_temperature(tmp_path: Path) -> None:
    temperatures: list[float] = []

    class RecordingTemperatures(ScriptedAgent):
        def act(
            self,
            conversations: Sequence[Conversation],
            sampling: SamplingConfig,
            seeds: Sequence[int] | None = None,
        ) -> list[Reply]:
            temperatures.append(sampling.temperature)
            return super().act(conversations, sampling, seeds)

    agent = RecordingTemperatures(right_at_third_answer)
    play(tmp_path, "parallel", "oracle", agent=agent, temperatures={"parallel": 0.7}, num_samples=1, draws=1)
    assert temperatures == [0.7, 1.0, 1.0, 1.0]
    assert read_run(tmp_path / "parallel.jsonl")["sampling"]["temperature"] == 0.7


class Draws:
    """Right at the draws that its seeds make right; says which in its reply."""

    name = "draws"

    def act(
        self,
        conversations: Sequence[Conversation],
        sampling: SamplingConfig,
        seeds: Sequence[int] | None = None,
    ) -> list[Reply]:
        assert seeds is not None
        return [
            Reply(text=f"I am {s % 7 // 5} sure: \\boxed{{{answer_to(c) if s % 7 // 5 else -1 - s % 97}}}")
            for c, s in zip(conversations, seeds, strict=True)
        ]

    def close(self) -> None:
        pass


def test_a_verifier_selects_the_reply_with_the_highest_rating(tmp_path: Path) -> None:
    def trusts_marked_replies(conversation: Conversation) -> str:
        assert "reference" not in conversation[0]["content"]
        return "\\boxed{yes}" if "I am 1 sure" in conversation[0]["content"] else "\\boxed{0.2}"

    play(tmp_path, "parallel", agent=Draws(), num_samples=4, draws=6)
    verifier = ScriptedAgent(trusts_marked_replies)
    evaluate_best_of_n(
        verifier, tmp_path, EvaluationSettings(num_samples=4, draws=6), votes=2, seed=0, run_record=RECORD
    )
    before = (tmp_path / "best_of_n.jsonl").read_bytes()
    drawn = episodes(tmp_path, "parallel")
    picked = episodes(tmp_path, "best_of_n")
    assert [len(e.turns[0].attempts) for e in picked] == [4] * 4
    for episode, draws in zip(picked, drawn, strict=True):
        right = [a.check.correct for a in draws.turns[0].attempts[:4]]
        assert episode.turns[0].action.check.correct == any(right)
        assert episode.turns[0].chosen == (right.index(True) if any(right) else 0)
    assert any(episode.turns[0].chosen > 0 for episode in picked)
    for episode in episodes(tmp_path, "verifier"):
        assert [len(turn.attempts) for turn in episode.turns] == [2] * 4
        assert all(turn.action.check.correct for turn in episode.turns)  # its ratings are always right
    # a second run rates nothing again
    never = ScriptedAgent(lambda _: pytest.fail("asked again"), name=verifier.name)
    evaluate_best_of_n(
        never, tmp_path, EvaluationSettings(num_samples=4, draws=6), votes=2, seed=0, run_record=RECORD
    )
    assert (tmp_path / "best_of_n.jsonl").read_bytes() == before


def test_unreadable_ratings_select_the_first_reply(tmp_path: Path) -> None:
    play(tmp_path, "parallel", agent=Draws(), num_samples=3, draws=3)
    unreadable = ScriptedAgent(lambda _: "hmm")
    evaluate_best_of_n(
        unreadable, tmp_path, EvaluationSettings(num_samples=3, draws=3), votes=1, seed=0, run_record=RECORD
    )
    assert [e.turns[0].chosen for e in episodes(tmp_path, "best_of_n")] == [0] * 4


def trusting() -> ScriptedAgent:
    return ScriptedAgent(lambda _: "\\boxed{yes}", name="trusting")


def test_protocols_are_an_option_of_the_command_and_nothing_is_played_twice(tmp_path: Path) -> None:
    config = EvaluateConfig(
        agent=("expert",), label=("e",), out=str(tmp_path), limit=3, turns=2, num_samples=2, told=True,
        protocols=("sequential", "parallel", "oracle", "best_of_n"),
        verifier="tests.rise_agents.evaluation.test_protocols:trusting",
    )  # fmt: skip
    run(config)
    folder = tmp_path / "e-told-the-answers" / "seed-0"
    files = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert set(files) == {
        "sequential.jsonl", "parallel.jsonl", "oracle.jsonl", "best_of_n.jsonl", "verifier.jsonl",
    }  # fmt: skip
    run(config)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == files


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"protocols": ("sequental",)}, "did you mean 'sequential'"),
        ({"protocols": ("best_of_n",)}, "add parallel to protocols"),
        ({"protocols": ()}, "at least one protocol"),
        ({"draws": 3}, "at least num_samples"),
        ({"temperatures": {"orakel": 0.0}}, "no protocol 'orakel'"),
        ({"env_settings": {"feedback": "oracle"}}, "set by the protocols"),
        ({"agent": ("tiny", "expert"), "label": ("a",)}, "one label per agent"),
    ],
)
def test_settings_that_contradict_are_named(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        EvaluateConfig(**settings)


EVALUATE = ["evaluate", "RISE-Arithmetic-v0", "--limit", "6", "--turns", "3"]


def test_a_dry_run_prints_upper_bounds_per_protocol(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ["--out", str(tmp_path / "new"), "--dry-run", "--seeds", "[0, 1]", "--draws", "8"]
    options += ["--protocols", "[sequential, parallel, self_refine, best_of_n]", "--verifier_votes", "2"]
    options += ["--sampling.max_new_tokens", "10", "--agent_settings.prices", '{"completion": 1000}']
    assert main([*EVALUATE, "--agent", "openai:m@http://x", *options]) == 0
    printed = {line.split()[0]: line for line in capsys.readouterr().out.splitlines()}
    for name, calls in (("sequential", 36), ("parallel", 96), ("self_refine", 60), ("best_of_n", 120)):
        assert f"12 episodes: at most {calls} calls" in printed[name]
        assert f"and {10 * calls:,} generated tokens, ${calls / 100:.2f}" in printed[name]
    assert not (tmp_path / "new").exists()


def test_resume_false_refuses_a_folder_with_logs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = [*EVALUATE, "--agent", "expert", "--told", "true", "--out", str(tmp_path)]
    assert main([*options, "--resume", "false"]) == 0
    assert main([*options, "--resume", "false"]) == 2
    assert "holds logs already" in capsys.readouterr().err
    assert main([*options, "--resume"]) == 0

"""`JudgeChecker`: an agent compares replies with references, in batches and in both orders."""

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from rise_agents.cli.collect import main as collect_command
from rise_agents.deliberation.judge import JudgeChecker
from rise_agents.rollouts.rollout import rollout
from rise_agents.rollouts.turn_plan import TurnPlan
from rise_agents.types import Reply, SamplingConfig
from rise_benchmarks.checkers.cases import read_cases
from rise_benchmarks.checkers.compare import judged
from rise_env import read_trajectories
from rise_env.envs.math_env import MathEnv
from rise_env.errors import AgentError, ConfigError
from rise_env.registration import get_checker
from rise_env.trajectories.serialization import from_json, to_json
from rise_env.types import Conversation, Problem, Trajectory, Verdict
from tests.rise_agents.rollouts.streaming_agents import Guesser, Streamer

PROBLEMS = [Problem(id=str(n), question=f"Prove {n}.", reference=f"proof of {n}") for n in range(8)]


class Judge(Guesser):
    """Says yes where both solutions name the same number; prefers whatever is read first for number 3."""

    name = "judge"

    def reply(self, conversation: Conversation, seed: int) -> Reply:
        _, first, second = conversation[0]["content"].split(" solution:\n")
        number = first.split("\n")[0].split()[-1]
        if "refuse" in first + second:
            return Reply(text="out of order", finish="error")
        if number == "3":
            return Reply(text="The first one. \\boxed{%s}" % ("yes" if "proof" in first else "no"))
        if number == "4":
            return Reply(text="I cannot tell.")
        same = second.split()[-1] == number
        return Reply(text=f"Both name {number}. \\boxed{{{'yes' if same else 'no'}}}")


class StreamingJudge(Judge, Streamer):
    """The same, and streams."""


class Author(Guesser):
    """Writes the right text for even numbers, and from the second turn on for all."""

    def reply(self, conversation: Conversation, seed: int) -> Reply:
        number = int(conversation[0]["content"].split()[1].strip("."))
        right = number % 2 == 0 or len(conversation) > 1 or number == 3
        return Reply(text=f"my argument for {number if right else 99}")


def played(judge: JudgeChecker) -> Sequence[Trajectory]:
    envs = [MathEnv(PROBLEMS, judge, prompt="plain", max_turns=2) for _ in PROBLEMS]
    return rollout([TurnPlan(Author())] * 2, envs, range(8), SamplingConfig(), seed=0)


@pytest.mark.parametrize("kind", [Judge, StreamingJudge])
def test_a_rollout_asks_for_all_replies_of_a_turn_at_once_and_in_both_orders(kind: type[Judge]) -> None:
    agent = kind()
    episodes = played(JudgeChecker(agent))
    first = [episode.turns[0].action.check for episode in episodes]
    yes, no, unreadable = Verdict.CORRECT, Verdict.WRONG, Verdict.UNREADABLE
    assert [check.verdict for check in first] == [yes, no, yes, unreadable, unreadable, no, yes, no]
    assert first[3].method == "judge: depends on the order"
    if not isinstance(agent, Streamer):
        assert agent.batches == [16, 6], "replies whose verdict is known are not asked about again"
    else:
        assert agent.batches == []
        assert max(agent.open) >= 2
    assert episodes == played(JudgeChecker(Judge()))


def test_verdict_and_reason_are_stored() -> None:
    [check, *_] = [
        episode.turns[0].action.check
        for episode in map(from_json, map(to_json, played(JudgeChecker(Judge()))))
    ]
    assert (check.verdict, check.method) == (Verdict.CORRECT, "judge")
    assert check.reason == "Both name 0. \\boxed{yes}\n\nBoth name 0. \\boxed{yes}"


def test_a_judge_that_gives_no_verdict_fails_the_episode_and_not_the_run() -> None:
    problems = [*PROBLEMS[:2], Problem(id="r", question="Prove 2.", reference="refuse")]
    judge = JudgeChecker(Judge())
    envs = [MathEnv(problems, judge, prompt="plain", max_turns=1) for _ in problems]
    episodes = rollout([TurnPlan(Author())], envs, range(3), SamplingConfig(), seed=0)
    assert [episode.error for episode in episodes] == [
        None,
        None,
        "turn 1: the judge judge gave no verdict: out of order",
    ]
    with pytest.raises(AgentError, match="out of order"):
        judge.check("a", "refuse")


def test_the_judge_is_part_of_the_ids_of_episodes() -> None:
    other = Judge()
    other.name = "another judge"
    assert {e.id for e in played(JudgeChecker(Judge()))}.isdisjoint(e.id for e in played(JudgeChecker(other)))


def test_a_check_by_itself_gives_the_verdict_of_a_rollout() -> None:
    judge = JudgeChecker(Judge())
    for episode in played(JudgeChecker(Judge())):
        action = episode.turns[0].action
        problem = episode.problem
        assert judge.check(action.reply, problem.reference, question=problem.question) == action.check


def test_the_agreement_with_labelled_cases_is_printed(tmp_path: Path) -> None:
    path = tmp_path / "cases.jsonl"
    rows = [
        ("proof of 1", "mine of 1", True),
        ("proof of 2", "mine of 9", False),
        ("proof of 5", "of 6", True),
    ]
    rows += [("proof of 3", "mine of 3", True), ("proof of 4", "mine of 4", True)]
    path.write_text(
        "".join(
            json.dumps({"reference": reference, "reply": reply, "want": want}) + "\n"
            for reference, reply, want in rows
        )
    )
    assert judged("tests.rise_agents.deliberation.test_judge:Judge", read_cases([path])) == (
        "judge judge: agrees with the label in 2 of 5 cases and accepts 0 wrong replies; 1 verdicts depend "
        "on the order, 1 cannot be read"
    )


def yes_judge() -> Judge:
    """Make an agent that says yes to everything; the command line names it `module:factory`."""
    judge = Judge()
    judge.reply = lambda conversation, seed: Reply(text="The same. \\boxed{yes}")  # type: ignore[method-assign]
    return judge


def test_a_judge_is_named_like_an_agent_and_loaded_when_it_is_first_asked(tmp_path: Path) -> None:
    name = f"judge:{__name__}:yes_judge"
    checker = get_checker(name)
    assert isinstance(checker, JudgeChecker)
    assert "agent" not in vars(checker)
    command = [
        "RISE-Arithmetic-v0",
        "--agent",
        "tiny",
        "--limit",
        "2",
        "--turns",
        "1",
        "--out",
        str(tmp_path),
    ]
    assert collect_command([*command, "--env_settings.checker", name]) == 0
    for trajectory in read_trajectories(tmp_path / "trajectories.jsonl"):
        assert trajectory.turns[0].action.check.method == "judge"
        assert trajectory.turns[0].action.check.verdict is Verdict.CORRECT


def test_an_unknown_judge_is_refused_when_it_is_named() -> None:
    with pytest.raises(ConfigError, match="opnai"):
        get_checker("judge:opnai:gpt-4o")
    with pytest.raises(ConfigError, match="jugde"):
        get_checker("jugde:tiny")

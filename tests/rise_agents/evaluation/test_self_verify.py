"""The protocol "self_verify": a model judges its own answers and stops by itself."""

from pathlib import Path

import pytest

from rise_agents.evaluation.runner import EvaluationSettings, evaluate
from rise_env.checkers import NumericChecker
from rise_env.envs.rewards import Rewards
from rise_env.metrics.policy_results import policy_results
from rise_env.metrics.reply_arrays import by_turn
from rise_env.metrics.report_metrics import METRICS
from rise_env.metrics.self_verification import verification_check, verifications
from rise_env.trajectories.recheck import Changes, recheck
from rise_env.trajectories.store import read_run, read_trajectories
from rise_env.types import Conversation, Trajectory, Verdict
from tests.rise_agents.fake_agents import SeededAgent, attempts_in, number_in, right, sums, wrong


def author(conversation: Conversation, seed: int) -> str:
    """Answers right from the second answer on; says yes to right answers of even sums, else no or nothing."""
    number, turn = number_in(conversation), attempts_in(conversation)
    if turn % 2 == 0:
        return right(conversation) if turn > 0 and number % 4 else wrong(conversation)
    accepts = turn > 1 and number % 2 == 0
    return "\\boxed{yes}" if accepts else "\\boxed{no}" if number % 3 else "I cannot tell."


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("verified")
    evaluate(
        SeededAgent(author),
        lambda settings: sums(**settings),
        range(12),
        folder,
        EvaluationSettings(turns=3),
        seed=0,
        run_record={},
        protocols=["self_verify"],
    )
    return folder / "self_verify.jsonl"


def episodes(log: Path) -> list[Trajectory]:
    return list(read_trajectories(log))


def test_a_yes_ends_the_episode_and_nothing_else_does(log: Path) -> None:
    assert [len(episode.turns) for episode in episodes(log)] == [4, 6] * 6
    assert all(episode.truncated and not episode.terminated for episode in episodes(log))


def test_each_verification_is_graded_by_whether_it_is_right(log: Path) -> None:
    of_two = episodes(log)[2]
    assert [turn.action.check.verdict for turn in of_two.turns] == [
        Verdict.WRONG,
        Verdict.CORRECT,  # says no to a wrong answer
        Verdict.CORRECT,
        Verdict.CORRECT,  # says yes to a right one
    ]
    of_four = episodes(log)[4]
    assert of_four.turns[-1].action.check.verdict is Verdict.WRONG  # says yes to a wrong answer
    assert of_four.turns[-1].action.reward == 0
    of_three = episodes(log)[3]
    assert {turn.action.check.verdict for turn in of_three.turns[1::2]} == {Verdict.NO_ANSWER}


def test_precision_recall_and_the_accuracy_at_the_stop_are_columns(log: Path) -> None:
    record = read_run(log)
    assert (record["turns"], record["verify_every"]) == (6, 2)
    table = by_turn(episodes(log), record["turns"])
    read = verifications(table)
    assert read.accepted.sum() == 6
    assert read.final.tolist() == [float(number % 4 > 0) for number in range(12)]
    first = table.first(1)
    [protocols] = [metric for metric in METRICS if metric.key == "protocols"]
    found = protocols.compute(policy_results([first], [first], {"self_verify": [table]}))["self_verify"]
    assert found["accuracy_at_stop"]["mean"] == pytest.approx(9 / 12)
    assert found["precision"]["mean"] == pytest.approx(3 / 6)
    assert found["recall"]["mean"] == pytest.approx(3 / (3 + 2 * 6))
    assert found["stopped"]["mean"] == 0.5
    assert found["answers"]["mean"] == 2.5


def test_checking_again_grades_verifications_by_the_new_verdicts(log: Path) -> None:
    class Contrary(NumericChecker):
        def check(self, reply: str, reference: str, *, question: str | None = None):  # type: ignore[no-untyped-def]
            return super().check(reply, "-1", question=question)

    changed = list(recheck(episodes(log), Contrary(), Rewards(), Changes()))
    verdicts = [turn.action.check.verdict for turn in changed[2].turns]
    assert verdicts == [Verdict.CORRECT, Verdict.WRONG, Verdict.WRONG, Verdict.WRONG]
    same = list(recheck(episodes(log), NumericChecker(), Rewards(), Changes()))
    assert [t.action.check.verdict for e in same for t in e.turns] == [
        t.action.check.verdict for e in episodes(log) for t in e.turns
    ]


def test_a_reply_that_says_neither_is_no_answer() -> None:
    assert verification_check(None, True).verdict is Verdict.NO_ANSWER
    assert verification_check(0.25, False).verdict is Verdict.CORRECT
    assert verification_check(0.75, False).verdict is Verdict.WRONG

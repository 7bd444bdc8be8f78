import dataclasses
import json

import pytest

from rise_env.errors import ConfigError
from rise_env.trajectories.outcomes import (
    FailureLimits,
    Outcomes,
    counted,
    end_with,
    failure,
    summary,
    warnings,
)
from rise_env.types import CheckResult, Trajectory, Turn, Verdict
from tests.rise_env.episodes import RIGHT, attempt, parallel, sequential


def failed(error: str) -> Trajectory:
    return dataclasses.replace(sequential(), error=error)


def with_finish(finish: str, count: int = 1) -> list[Trajectory]:
    one = sequential("3")
    action = dataclasses.replace(one.turns[0].action, finish=finish)  # type: ignore[arg-type]
    return [dataclasses.replace(one, turns=(Turn(observation=(), attempts=(action,)),))] * count


def with_verdict(verdict: Verdict) -> Trajectory:
    action = dataclasses.replace(attempt("3"), check=CheckResult(verdict))
    return dataclasses.replace(sequential(), turns=(Turn(observation=(), attempts=(action,)),))


def test_failures_are_counted_by_reason_whatever_their_turn_and_numbers() -> None:
    found = counted(
        [
            failed("turn 1: server: HTTP 400: the prompt has 5012 tokens"),
            failed("turn 2: server: HTTP 400: the prompt has 6120 tokens"),
            failed("turn 3: ValueError: the reward is nan"),
            sequential("3"),
        ]
    )
    assert (found.episodes, found.failed) == (4, 3)
    assert summary(found) == [
        "3 of 4 (75.0 %) episodes failed:",
        "  2 x server: HTTP 400: the prompt has 5012 tokens",
        "  1 x ValueError: the reward is nan",
    ]


def test_many_reasons_are_cut_to_the_most_frequent_ones() -> None:
    found = counted([failed(f"turn 1: {letter}") for letter in "aaabbcdef"])
    assert summary(found)[1:] == ["  3 x a", "  2 x b", "  1 x c", "  3 for 3 other reasons"]


@pytest.mark.parametrize("finish", ["content_filter", "refusal"])
def test_replies_that_went_wrong_are_counted_by_what_is_recorded(finish: str) -> None:
    found = counted(
        [
            *with_finish("length", 3),
            *with_finish(finish, 2),
            *with_finish("a finish of a later version"),
            sequential(RIGHT, None),
            with_verdict(Verdict.UNREADABLE),
            with_verdict(Verdict.TIMEOUT),
        ]
    )
    assert (found.replies, found.correct, found.cut, found.withheld) == (10, 1, 3, 2)
    assert (found.no_answer, found.unreadable, found.timeouts) == (1, 1, 1)
    assert summary(found) == [
        "of 10 replies: 3 cut, 2 refused or filtered, 1 without an answer, 1 unreadable, 1 too slow to check"
    ]


def test_nothing_is_said_of_episodes_without_failures() -> None:
    found = counted([sequential("3", RIGHT), parallel("1", "3", "4")])
    assert (
        summary(found)
        == warnings(found, FailureLimits(warn_above=0))
        == warnings(Outcomes(), FailureLimits())
        == []
    )


def test_draws_that_are_all_the_same_are_counted() -> None:
    found = counted([parallel("3", "3", "3"), parallel("3", "3", "4"), parallel("3", "3")])
    assert (found.sampled_turns, found.identical) == (2, 1)
    assert summary(found) == ["1 of 2 (50.0 %) turns with several samples drew the same reply each time"]
    assert warnings(found, FailureLimits()) == []
    [said] = warnings(counted([parallel("3", "3", "3")]), FailureLimits())
    assert said.startswith("warning: 100.0 % of the turns with several samples drew the same reply")


def test_a_warning_stands_for_each_share_above_the_limit() -> None:
    episodes = [sequential("3")] * 18 + [failed("turn 1: gone")] + with_finish("length")
    found = counted(episodes)
    assert warnings(found, FailureLimits(warn_above=0.06)) == []
    assert warnings(found, FailureLimits(warn_above=0.04)) == [
        "warning: 5.0 % of the episodes failed, most often: gone",
        "warning: 5.3 % of the replies are cut: raise sampling.max_new_tokens, or the context of the model",
    ]
    assert found.failed_share == 1 / 20
    assert found.lost_share == 1 / 19


def test_most_failed_episodes_or_most_cut_or_refused_replies_make_a_command_fail(
    capsys: pytest.CaptureFixture[str],
) -> None:
    limits = FailureLimits()
    gone = failed("turn 1: gone")
    assert failure(counted([gone, sequential("3")]), limits) == ""
    said = "66.7 % of the episodes failed (failures.max_failed is 0.5): gone"
    assert failure(counted([gone] * 2 + [sequential("3")]), limits) == said
    said = "100.0 % of the replies were cut (failures.max_cut is 0.5)"
    assert failure(counted(with_finish("length")), limits) == said
    assert failure(counted(with_finish("refusal")), limits) == said.replace("cut (", "refused (")
    assert failure(counted(with_finish("refusal")), FailureLimits(max_cut=1)) == ""
    assert failure(counted([sequential(None), with_verdict(Verdict.UNREADABLE)]), limits) == ""
    assert (end_with("", prog="rise x"), end_with(said, prog="rise x")) == (0, 1)
    assert capsys.readouterr().err == f"rise x: {said}\n"


@pytest.mark.parametrize("value", [-0.1, 1.5, float("nan")])
def test_a_limit_that_is_no_share_is_refused(value: float) -> None:
    with pytest.raises(ConfigError, match=r"failures\.max_failed must be a share"):
        FailureLimits(max_failed=value)


def test_counts_are_the_same_after_json() -> None:
    found = counted([failed("turn 1: gone"), sequential(RIGHT, None), parallel("1", "1", "1")])
    assert Outcomes.from_json(json.loads(json.dumps(found.to_json()))) == found

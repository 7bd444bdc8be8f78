import dataclasses
import typing

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rise_env.errors import ConfigError
from rise_trainers.data.targets import (
    CRITERIA,
    TURNS,
    Selection,
    kept_turns,
    select_targets,
    shortened,
    targets,
)
from tests.rise_trainers.small_models import RETRY, trajectory


# Worked through the released conversion by hand: which prefixes it writes for these rewards.
@pytest.mark.parametrize(
    ("rewards", "criterion", "expected"),
    [
        ([0, -1, 0, 1], "all", [0, 1, 2, 3]),
        ([0, -1, 0, 1], "better", [0, 2, 3]),
        ([0, -1, 0, 1], "best", [0, 2, 3]),
        ([0, -1, 0, 1], "successful", [3]),
        ([0, 0, 0], "better", [0]),
        ([0, 0, 0], "best", [0, 1, 2]),
        ([0, 0, 0], "successful", []),
        ([1], "successful", [0]),
        ([-1, 0, -1, -1, 0], "better", [0, 1, 4]),
        ([-1, 0, -1, -1, 0], "best", [0, 1, 4]),
    ],
)
def test_criteria_mean_what_the_released_code_means(
    rewards: list[float], criterion: str, expected: list[int]
) -> None:
    assert kept_turns(rewards, criterion) == expected
    found = targets(trajectory(rewards), Selection(criterion=criterion))
    assert [target.turn for target in found] == expected


def test_a_target_knows_the_rewards_of_all_attempts_at_its_problem_also_of_those_that_are_not_trained() -> (
    None
):
    first = trajectory([0, -1, 1])
    sampled = dataclasses.replace(first.turns[0].attempts[0], reward=-1.0)
    turns = (
        dataclasses.replace(first.turns[0], attempts=(*first.turns[0].attempts, sampled)),
        *first.turns[1:],
    )
    again = dataclasses.replace(first, id="again", turns=turns)
    other = dataclasses.replace(
        trajectory([1]), id="other", problem=dataclasses.replace(first.problem, id="another problem")
    )
    selection = Selection(criterion="successful", per_problem=1)
    found = select_targets([first, again, other], selection)
    assert {target.problem: sorted(target.problem_rewards) for target in found} == {
        first.problem.id: [-1.0, -1.0, -1.0, 0.0, 0.0, 1.0, 1.0],
        "another problem": [1.0],
    }


def test_a_target_sees_all_earlier_turns_whether_they_are_kept_or_not() -> None:
    last = targets(trajectory([0, -1, 1]), Selection(criterion="better"))[-1]
    assert [message["role"] for message in last.prompt] == ["user", "assistant", "user", "assistant", "user"]
    assert last.reward == 1


def test_turns_after_the_first_success_are_left_out_unless_asked_for() -> None:
    episode = trajectory([0, 1, 1])
    assert len(targets(episode, Selection())) == 2
    assert len(targets(episode, Selection(keep_after_success=True))) == 3


def test_history_can_be_limited_to_the_latest_attempts() -> None:
    episode = trajectory([0, 0, 0], ["one", "two", "three"])
    none, one = (targets(episode, Selection(history=n))[-1] for n in (0, 1))
    assert none.prompt == none.start
    assert [m["content"] for m in one.prompt[1:]] == ["two", RETRY]
    assert shortened(targets(episode, Selection())[-1], 1) == one


def test_duplicates_leave_targets_and_history() -> None:
    episode = trajectory([0, 0, 0, 0, 1], ["a", "b", " a ", "", "c"])
    found = targets(episode, Selection(drop_duplicates=True))
    assert [target.reply for target in found] == ["a", "b", "c"]
    assert [m["content"] for m in found[-1].history if m["role"] == "assistant"] == ["a", "b"]
    assert len(targets(episode, Selection())) == 5


def test_unsolved_trajectories_can_be_left_out() -> None:
    assert targets(trajectory([0, 0]), Selection(solved_only=True)) == []
    assert len(targets(trajectory([0, 1]), Selection(solved_only=True))) == 2


@pytest.mark.parametrize(
    ("turns", "expected"), [("all", [0, 1, 2]), ("first", [0]), ("last", [2]), ("later", [1, 2])]
)
def test_trained_turns_can_be_chosen(turns: str, expected: list[int]) -> None:
    found = targets(trajectory([0, 0, 1]), Selection(turns=turns))
    assert [target.turn for target in found] == expected


def test_the_last_turn_is_the_last_one_played_not_the_last_one_kept() -> None:
    assert targets(trajectory([0, 0, -1]), Selection(turns="last", criterion="best")) == []


def test_replies_that_failed_are_never_learned_from() -> None:
    episode = trajectory([0, 1])
    broken = dataclasses.replace(episode.turns[0].attempts[0], finish="error")
    turns = (dataclasses.replace(episode.turns[0], attempts=(broken,)), episode.turns[1])
    found = targets(dataclasses.replace(episode, turns=turns), Selection())
    assert [target.turn for target in found] == [1]


def test_a_trajectory_that_two_stores_hold_counts_once() -> None:
    assert len(select_targets([trajectory([1]), trajectory([1])], Selection())) == 1


def test_a_cap_limits_trajectories_per_problem_and_depends_on_the_seed_alone() -> None:
    episodes = [dataclasses.replace(trajectory([1], name=f"p{i % 2}"), id=str(i)) for i in range(20)]
    selection = Selection(per_problem=3)
    kept = select_targets(episodes, selection, seed=1)
    assert [sum(t.problem == name for t in kept) for name in ("p0", "p1")] == [3, 3]
    assert kept == select_targets(episodes, selection, seed=1)
    assert kept != select_targets(episodes, selection, seed=2)


@given(st.lists(st.sampled_from([-1.0, 0.0, 1.0]), min_size=1, max_size=6))
def test_the_best_turns_are_those_that_reach_the_running_maximum(rewards: list[float]) -> None:
    best = set(kept_turns(rewards, "best"))
    running = [i for i in range(len(rewards)) if rewards[i] == max(rewards[: i + 1])]
    assert best == set(running)


@pytest.mark.parametrize(
    "settings", [{"criterion": "good"}, {"turns": "middle"}, {"history": -1}, {"per_problem": 0}]
)
def test_unknown_settings_are_refused(settings: dict[str, object]) -> None:
    with pytest.raises(ConfigError):
        Selection(**settings)


def test_every_entry_of_the_tables_can_be_set_and_no_other() -> None:
    hints = typing.get_type_hints(Selection)
    assert typing.get_args(hints["criterion"]) == tuple(CRITERIA)
    assert typing.get_args(hints["turns"]) == tuple(TURNS)
    assert [Selection(criterion=name).criterion for name in CRITERIA] == list(CRITERIA)
    assert [Selection(turns=name).turns for name in TURNS] == list(TURNS)
    with pytest.raises(ConfigError, match="no criterion 'betterr'; did you mean 'better'"):
        Selection(criterion="betterr")
    with pytest.raises(ConfigError, match="no choice of turns 'lats'; did you mean 'last'"):
        Selection(turns="lats")

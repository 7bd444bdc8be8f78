from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from gymnasium.wrappers.vector import DictInfoToList, RecordEpisodeStatistics

from rise_env.checkers import NumericChecker
from rise_env.checkers.base import CheckItem
from rise_env.envs.math_env import MathEnv
from rise_env.envs.vector_env import MathVectorEnv
from rise_env.errors import ConfigError, EpisodeError
from rise_env.types import CheckResult
from tests.rise_env.conftest import SUMS

MODES = list(AutoresetMode)


def batch(count: int = 3, **settings: Any) -> MathVectorEnv:
    return MathVectorEnv(SUMS, NumericChecker(), count, **settings)


def singles(count: int, mode: AutoresetMode, **settings: Any) -> SyncVectorEnv:
    make = lambda: MathEnv(SUMS, NumericChecker(), **settings)  # noqa: E731
    return SyncVectorEnv([make] * count, autoreset_mode=mode)


def assert_same(first: Any, second: Any) -> None:
    assert type(first) is type(second) or (isinstance(first, dict) and isinstance(second, dict))
    if isinstance(first, dict):
        assert first.keys() == second.keys()
        for key in first:
            assert_same(first[key], second[key])
    elif isinstance(first, tuple):
        assert len(first) == len(second)
        for one, other in zip(first, second, strict=True):
            assert_same(one, other)
    elif isinstance(first, np.ndarray):
        assert first.dtype == second.dtype
        assert first.tolist() == second.tolist()
    else:
        assert first == second


@pytest.mark.parametrize("mode", MODES, ids=lambda mode: mode.value)
@pytest.mark.parametrize(
    "settings", [{}, {"max_turns": 2, "feedback": "oracle"}, {"stop_when_correct": False}], ids=str
)
def test_a_batch_does_what_gymnasiums_own_vector_env_does(
    mode: AutoresetMode, settings: dict[str, Any]
) -> None:
    settings = {"order": "replacement", **settings}
    ours, theirs = batch(4, autoreset_mode=mode, **settings), singles(4, mode, **settings)
    rng = np.random.default_rng(0)
    outcome, expected = ours.reset(seed=11), theirs.reset(seed=11)
    assert_same(outcome, expected)
    over = np.zeros(4, dtype=np.bool_)
    for _ in range(40):
        if mode is AutoresetMode.DISABLED and over.any():
            assert_same(
                ours.reset(options={"reset_mask": over.copy()}),
                theirs.reset(options={"reset_mask": over.copy()}),
            )
        actions = [rf"\boxed{{{rng.integers(0, 9)}}}" if rng.random() < 0.8 else "hm" for _ in range(4)]
        actions[0] = rf"\boxed{{{ours._episodes[0].problem.reference}}}" if rng.random() < 0.5 else "hm"
        outcome, expected = ours.step(actions), theirs.step(tuple(actions))
        assert_same(outcome, expected)
        over = outcome[2] | outcome[3]
    assert ours.observation_space == theirs.observation_space
    assert outcome[0] in ours.observation_space
    assert tuple(actions) in ours.action_space


def test_the_outcome_survives_an_autoreset_in_the_same_step() -> None:
    env = batch(2, autoreset_mode="SameStep")
    env.reset(options={"index": [3, 4]})
    observations, rewards, terminated, _, infos = env.step([r"\boxed{7}", "hm"])
    assert (rewards.tolist(), terminated.tolist()) == ([1.0, -1.0], [True, False])
    assert infos["final_info"]["correct"].tolist() == [True, False]
    assert infos["final_info"]["correct"][0]
    assert infos["_final_info"].tolist() == [True, False]
    assert infos["final_obs"][0][-1] == {"role": "assistant", "content": r"\boxed{7}"}
    assert infos["final_obs"][1] is None
    assert len(observations[0]) == 1
    assert infos["turn"].tolist() == [0, 1]


def test_in_mode_disabled_a_finished_episode_waits_for_its_reset() -> None:
    env = batch(2, autoreset_mode="Disabled")
    env.reset(options={"index": [3, 4]})
    env.step([r"\boxed{7}", "hm"])
    with pytest.raises(EpisodeError, match=r"episodes \[0\] are over"):
        env.step(["1", "1"])
    observations, infos = env.reset(options={"reset_mask": np.array([True, False]), "index": 5})
    assert infos["index"].tolist() == [5, 0]
    assert infos["_index"].tolist() == [True, False]
    assert [len(observation) for observation in observations] == [1, 3]


def test_all_replies_are_checked_in_one_call() -> None:
    class Counting(NumericChecker):
        calls = 0

        def check_many(self, items: list[CheckItem]) -> list[CheckResult]:
            self.calls += 1
            return [self.check(item.reply, item.reference) for item in items]

    checker = Counting()
    env = MathVectorEnv(SUMS, checker, 16)
    env.reset()
    env.step(["hm"] * 16)
    assert checker.calls == 1


def test_in_order_the_batch_walks_through_the_problems_once() -> None:
    env = batch(4, shuffle=False, max_turns=1, autoreset_mode="SameStep")
    _, infos = env.reset()
    posed = infos["index"].tolist()
    for _ in range(4):
        posed += env.step(["hm"] * 4)[4]["index"].tolist()
    assert posed == list(range(20))


def test_one_seed_gives_the_same_problems_again() -> None:
    first, second = batch(8).reset(seed=5), batch(8).reset(seed=5)
    assert_same(first, second)
    assert len(set(first[1]["index"].tolist())) > 2
    twins = batch(2, order="replacement").reset(seed=[3, 3])[1]["index"].tolist()
    assert twins[0] == twins[1]


def test_observations_are_new_objects_on_every_call() -> None:
    env = batch(2, autoreset_mode="SameStep")
    first, _ = env.reset(seed=0)
    second = env.step(["hm"] * 2)[0]
    assert first[0][0] == second[0][0]
    assert first[0][0] is not second[0][0]
    second[0][0]["content"] = "changed by the user"
    assert env.step(["hm"] * 2)[0][0][0] == first[0][0]


def test_gymnasiums_wrappers_for_vector_environments_work() -> None:
    listed = DictInfoToList(batch(3))
    assert [info["turn"] for info in listed.reset()[1]] == [0, 0, 0]
    env = RecordEpisodeStatistics(batch(3, max_turns=2))
    env.reset(seed=0)
    env.step(["hm"] * 3)
    infos = env.step(["hm"] * 3)[4]
    assert infos["episode"]["r"].tolist() == [-2.0] * 3
    assert infos["episode"]["l"].tolist() == [2] * 3


@pytest.mark.parametrize("mode", ["sync", "vector_entry_point"])
def test_make_vec_makes_batches(mode: str) -> None:
    settings = {"split": "test", "order": "replacement"}
    env = gymnasium.make_vec("RISE-Arithmetic-v0", num_envs=3, vectorization_mode=mode, **settings)
    observations, _ = env.reset(seed=1)
    assert len(observations) == 3
    assert env.metadata["autoreset_mode"] is AutoresetMode.NEXT_STEP
    again = gymnasium.make_vec("RISE-Arithmetic-v0", num_envs=3, **settings)
    assert isinstance(again, MathVectorEnv)
    assert again.reset(seed=1)[0] == observations


@pytest.mark.parametrize("context", ["fork", "spawn"])
def test_make_vec_works_in_processes(context: str) -> None:
    env = gymnasium.make_vec(
        "rise_env:RISE-Arithmetic-v0",
        num_envs=2,
        vectorization_mode="async",
        vector_kwargs={"shared_memory": False, "context": context, "autoreset_mode": "SameStep"},
        max_turns=1,
        order="replacement",
    )
    try:
        observations, _ = env.reset(seed=1)
        ours = gymnasium.make_vec("RISE-Arithmetic-v0", num_envs=2, order="replacement")
        assert observations == ours.reset(seed=1)[0]
        infos = env.step(("hm", "hm"))[4]
        assert infos["final_info"]["correct"].tolist() == [False, False]
    finally:
        env.close()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"num_envs": 0}, "num_envs must be at least 1, got 0"),
        ({"autoreset_mode": "Never"}, "autoreset_mode must be one of .*got 'Never'"),
        ({"render_mode": "human"}, "render_mode must be None or one of"),
    ],
    ids=str,
)
def test_settings_that_cannot_be_met_say_why(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        MathVectorEnv(SUMS, NumericChecker(), **{"num_envs": 2, **settings})


def test_misuse_says_what_to_do() -> None:
    env = batch(2)
    with pytest.raises(EpisodeError, match=r"call reset\(\) first"):
        env.step(["1", "1"])
    with pytest.raises(EpisodeError, match="without a reset_mask first"):
        env.reset(options={"reset_mask": np.array([True, False])})
    env.reset()
    with pytest.raises(ConfigError, match="expected 2 actions, got 1"):
        env.step(["1"])
    with pytest.raises(ConfigError, match="reply's text, got int"):
        env.step(["1", 1])  # type: ignore[list-item]
    with pytest.raises(ConfigError, match="expected 2 seeds, got 1"):
        env.reset(seed=[1])
    with pytest.raises(ConfigError, match="reset_mask must hold 2 booleans"):
        env.reset(options={"reset_mask": [True]})


def test_rendering_gives_one_text_per_episode() -> None:
    env = batch(2, render_mode="ansi")
    env.reset(options={"index": 1})
    assert env.render() is not None
    assert all("What is 1 + 2?" in text for text in env.render() or ())
    assert batch(2).render() is None

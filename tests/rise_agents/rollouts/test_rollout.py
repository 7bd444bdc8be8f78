import pickle
from collections.abc import Sequence
from typing import Any, SupportsFloat

import gymnasium
import numpy as np
import pytest

import rise_env
from rise_agents.backends.expert_agent import ExpertAgent
from rise_agents.backends.scripted_agent import ScriptedAgent
from rise_agents.rollouts.rollout import rollout
from rise_agents.rollouts.turn_plan import TurnPlan
from rise_agents.types import Reply, SamplingConfig
from rise_env.envs.math_env import math_env_of
from rise_env.errors import AgentError, ConfigError
from rise_env.types import CheckResult, Conversation, Verdict
from rise_env.utils.seeding import derive
from tests.rise_agents.fake_agents import (
    PROBLEMS,
    SeededAgent,
    attempts_in,
    envs,
    luck,
    number_in,
    right,
    sums,
    wrong,
)

SAMPLING = SamplingConfig()


def test_a_turn_records_observation_reply_and_check() -> None:
    agent = ScriptedAgent(lambda c: right(c) if attempts_in(c) else wrong(c))
    [made] = rollout([TurnPlan(agent)] * 5, envs(1), [21], SAMPLING, seed=0)
    assert made.problem == PROBLEMS[21]
    assert [turn.action.check.verdict for turn in made.turns] == [Verdict.WRONG, Verdict.CORRECT]
    assert [turn.action.reward for turn in made.turns] == [0.0, 1.0]
    assert [len(turn.observation) for turn in made.turns] == [1, 3]
    assert made.turns[1].observation[1] == {"role": "assistant", "content": "\\boxed{-1}"}
    assert (made.terminated, made.truncated, made.error) == (True, False, None)


def test_the_plans_end_truncates() -> None:
    [made] = rollout([TurnPlan(ScriptedAgent(wrong))] * 2, envs(1), [1], SAMPLING, seed=0)
    assert len(made.turns) == 2
    assert (made.terminated, made.truncated) == (False, True)


def test_the_environments_limit_truncates() -> None:
    [made] = rollout([TurnPlan(ScriptedAgent(wrong))] * 5, envs(1, max_turns=3), [1], SAMPLING, seed=0)
    assert len(made.turns) == 3
    assert (made.terminated, made.truncated) == (False, True)


def test_all_active_episodes_are_in_one_batch_per_turn() -> None:
    agent = SeededAgent(lambda c, seed: right(c) if attempts_in(c) == number_in(c) else wrong(c))
    made = rollout([TurnPlan(agent)] * 5, envs(4), [0, 1, 2, 9], SAMPLING, seed=0)
    assert agent.batches == [4, 3, 2, 1, 1]
    assert [len(trajectory.turns) for trajectory in made] == [1, 2, 3, 5]
    assert [trajectory.problem.id for trajectory in made] == ["sums/0", "sums/1", "sums/2", "sums/9"]


def test_drawing_stops_at_the_first_correct_reply() -> None:
    agent = SeededAgent(luck)
    made = rollout([TurnPlan(agent, num_samples=16)], envs(20), range(20), SAMPLING, seed=1)
    for trajectory in made:
        found = [attempt.check.correct for attempt in trajectory.turns[0].attempts]
        assert not any(found[:-1])
        assert found[-1] or len(found) == 16
    assert sum(agent.batches) == sum(len(trajectory.turns[0].attempts) for trajectory in made) < 160


def test_all_samples_are_drawn_where_the_plan_says_so() -> None:
    plan = [TurnPlan(SeededAgent(luck), num_samples=5, until_correct=False)]
    made = rollout(plan, envs(10), range(10), SAMPLING, seed=1)
    assert [len(trajectory.turns[0].attempts) for trajectory in made] == [5] * 10


def test_the_first_best_reply_becomes_the_action() -> None:
    texts = iter(["no answer", "\\boxed{-1}", "\\boxed{-2}", "none"])
    agent = SeededAgent(lambda c, seed: next(texts))
    [made] = rollout([TurnPlan(agent, num_samples=4)], envs(1), [5], SAMPLING, seed=0)
    assert [attempt.reward for attempt in made.turns[0].attempts] == [-1.0, 0.0, 0.0, -1.0]
    assert made.turns[0].chosen == 1


def test_an_episode_played_alone_gets_the_replies_it_got_among_others() -> None:
    def answer(conversation: Conversation, seed: int) -> str:
        return luck(conversation, seed) if seed % 3 else f"I say {seed}"

    plan = [TurnPlan(SeededAgent(answer)), TurnPlan(SeededAgent(answer), num_samples=4)]
    together = rollout(plan, envs(30), range(30), SAMPLING, seed=7)
    for index in (0, 13, 29):
        [alone] = rollout(plan, envs(1), [index], SAMPLING, seed=7)
        assert alone == together[index]


def test_seeds_of_neighbouring_runs_problems_turns_and_draws_never_meet() -> None:
    seeds = [derive(s, i, t, d) for s in range(3) for i in range(20) for t in range(5) for d in range(8)]
    assert len(set(seeds)) == len(seeds)
    assert all(0 <= seed < 2**63 for seed in seeds)


def test_another_seed_gives_other_ids() -> None:
    plan = [TurnPlan(ScriptedAgent(wrong))]
    ids = {rollout(plan, envs(1), [1], SAMPLING, seed=seed)[0].id for seed in range(5)}
    assert len(ids) == 5


@pytest.mark.parametrize("given", [{}, {"max_turns": 5}, {"max_turns": 2}, {"history_turns": 1}])
def test_an_environment_made_again_from_its_spec_has_the_same_ids(given: dict[str, int]) -> None:
    def id_in(env: gymnasium.Env[Any, str]) -> str:
        return rollout([TurnPlan(ScriptedAgent(wrong))], [env], [1], SAMPLING, seed=0)[0].id

    env = rise_env.make("RISE-Arithmetic-v0", **given)
    assert env.spec is not None
    again = gymnasium.make(env.spec)
    assert again.spec is not None
    for found in (again, gymnasium.make(again.spec), gymnasium.make(pickle.loads(pickle.dumps(env.spec)))):  # noqa: S301
        assert id_in(found) == id_in(env)
    longer = gymnasium.make(env.spec, max_turns=7)
    assert id_in(longer) == id_in(rise_env.make("RISE-Arithmetic-v0", **{**given, "max_turns": 7}))
    assert id_in(longer) != id_in(env)


@pytest.mark.parametrize(
    "other",
    [
        pytest.param([TurnPlan(ScriptedAgent(wrong, name="b"))], id="agent"),
        pytest.param([TurnPlan(ScriptedAgent(wrong), num_samples=2)], id="num_samples"),
        pytest.param([TurnPlan(ScriptedAgent(wrong))] * 2, id="turns"),
    ],
)
def test_another_plan_gives_other_ids(other: list[TurnPlan]) -> None:
    [ours] = rollout([TurnPlan(ScriptedAgent(wrong))], envs(1), [1], SAMPLING, seed=0)
    [theirs] = rollout(other, envs(1), [1], SAMPLING, seed=0)
    assert ours.id != theirs.id


def test_another_temperature_gives_other_ids() -> None:
    plan = [TurnPlan(ScriptedAgent(wrong))]
    [ours] = rollout(plan, envs(1), [1], SAMPLING, seed=0)
    [theirs] = rollout(plan, envs(1), [1], SamplingConfig(temperature=0.5), seed=0)
    assert ours.id != theirs.id


def test_correct_to_correct_pairs_come_from_an_environment_that_does_not_stop() -> None:
    plan = [TurnPlan(ScriptedAgent(right))] * 3
    [made] = rollout(plan, envs(1, stop_when_correct=False), [1], SAMPLING, seed=0)
    assert [turn.action.check.correct for turn in made.turns] == [True, True, True]


def test_a_teacher_improves_the_last_turn() -> None:
    plan = [TurnPlan(ScriptedAgent(wrong)), TurnPlan(ExpertAgent())]
    made = rollout(plan, envs(3), [4, 5, 6], SAMPLING, seed=0)
    assert [trajectory.turns[1].action.reply for trajectory in made] == [
        "4+4=8 The final answer is \\boxed{8}.",
        "5+5=10 The final answer is \\boxed{10}.",
        "6+6=12 The final answer is \\boxed{12}.",
    ]
    assert all(trajectory.terminated for trajectory in made)


class Refusing13(SeededAgent):
    """Raises when one particular problem is in the batch."""

    def act(
        self,
        conversations: Sequence[Conversation],
        sampling: SamplingConfig,
        seeds: Sequence[int] | None = None,
    ) -> list[Reply]:
        if any(number_in(conversation) == 13 for conversation in conversations):
            raise RuntimeError("not 13")
        return super().act(conversations, sampling, seeds)


def test_a_conversation_that_the_agent_cannot_answer_fails_alone() -> None:
    plan = [TurnPlan(Refusing13(luck))] * 3
    made = rollout(plan, envs(40), range(40), SAMPLING, seed=0)
    expected = rollout([TurnPlan(SeededAgent(luck))] * 3, envs(40), range(40), SAMPLING, seed=0)
    assert made[13].error == "turn 1: seeded: RuntimeError: not 13"
    assert made[13].turns == ()
    assert not made[13].terminated
    assert not made[13].truncated
    assert [t for i, t in enumerate(made) if i != 13] == [t for i, t in enumerate(expected) if i != 13]


class DropsLastReply(SeededAgent):
    """Loses the last reply of every batch of several."""

    def act(
        self,
        conversations: Sequence[Conversation],
        sampling: SamplingConfig,
        seeds: Sequence[int] | None = None,
    ) -> list[Reply]:
        replies = super().act(conversations, sampling, seeds)
        return replies[:-1] if len(replies) > 1 else replies


def test_an_agent_that_returns_too_few_replies_is_asked_again_in_smaller_batches() -> None:
    made = rollout([TurnPlan(DropsLastReply(luck))] * 2, envs(9), range(9), SAMPLING, seed=0)
    expected = rollout([TurnPlan(SeededAgent(luck))] * 2, envs(9), range(9), SAMPLING, seed=0)
    assert made == expected


def test_an_agent_that_answers_nothing_stops_the_run_soon() -> None:
    calls = []

    class Dead(SeededAgent):
        def act(
            self,
            conversations: Sequence[Conversation],
            sampling: SamplingConfig,
            seeds: Sequence[int] | None = None,
        ) -> list[Reply]:
            calls.append(len(conversations))
            raise RuntimeError("the server is gone")

    with pytest.raises(AgentError, match="the server is gone"):
        rollout([TurnPlan(Dead(luck))], envs(100), range(100), SAMPLING, seed=0)
    assert len(calls) < 30


def test_setup_errors_are_not_taken_for_failed_episodes() -> None:
    class Misconfigured(SeededAgent):
        def act(
            self,
            conversations: Sequence[Conversation],
            sampling: SamplingConfig,
            seeds: Sequence[int] | None = None,
        ) -> list[Reply]:
            raise ConfigError("no such model")

    with pytest.raises(ConfigError, match="no such model"):
        rollout([TurnPlan(Misconfigured(luck))], envs(2), [0, 1], SAMPLING, seed=0)


class BrokenChecker:
    """Raises for one reference answer."""

    def check(self, reply: str, reference: str, *, question: str | None = None) -> CheckResult:
        if reference == "8":
            raise ZeroDivisionError("checker bug")
        return CheckResult(Verdict.WRONG, "0")


@pytest.mark.parametrize("num_samples", [1, 3])
def test_a_raising_checker_fails_its_episode_alone(num_samples: int) -> None:
    many = envs(8)
    for env in many:
        math_env_of(env).checker = BrokenChecker()
    plan = [TurnPlan(ScriptedAgent(wrong), num_samples=num_samples)] * 2
    made = rollout(plan, many, range(8), SAMPLING, seed=0)
    assert [i for i, trajectory in enumerate(made) if trajectory.error] == [4]
    assert made[4].error == "turn 1: ZeroDivisionError: checker bug"
    assert all(len(t.turns) == 2 for i, t in enumerate(made) if i != 4)


def test_turns_before_a_failure_are_kept() -> None:
    def answer(conversation: Conversation, seed: int) -> str:
        if attempts_in(conversation) == 2 and number_in(conversation) == 3:
            raise RuntimeError("tired")
        return wrong(conversation)

    made = rollout([TurnPlan(SeededAgent(answer))] * 5, envs(6), range(6), SAMPLING, seed=0)
    assert len(made[3].turns) == 2
    assert made[3].error == "turn 3: seeded: RuntimeError: tired"
    assert all(len(t.turns) == 5 for i, t in enumerate(made) if i != 3)


class BrokenReward(gymnasium.RewardWrapper[Conversation, str]):
    def reward(self, reward: SupportsFloat) -> float:
        return float("nan")


def test_a_reward_that_is_no_number_fails_the_episode() -> None:
    [made] = rollout(
        [TurnPlan(ScriptedAgent(wrong))],
        [BrokenReward(env) for env in envs(1)],
        [1],
        SAMPLING,
        seed=0,
    )
    assert made.error == "turn 1: ValueError: the reward is nan"


def test_degenerate_replies_are_drawn_again() -> None:
    def answer(conversation: Conversation, seed: int) -> str:
        return "again " * 151 if seed % 2 else wrong(conversation)

    made = rollout(
        [TurnPlan(SeededAgent(answer), num_samples=2)],
        envs(50),
        range(50),
        SAMPLING,
        seed=0,
        drop_degenerate=True,
    )
    replies = [attempt.reply for t in made for turn in t.turns for attempt in turn.attempts]
    assert set(replies) == {"\\boxed{-1}"}
    assert {len(t.turns[0].attempts) for t in made} == {1, 2}


def test_a_turn_ends_even_if_every_reply_is_degenerate() -> None:
    plan = [TurnPlan(ScriptedAgent(lambda c: "a" * 301))]
    [made] = rollout(plan, envs(1), [0], SAMPLING, seed=0, drop_degenerate=True)
    assert [attempt.reply for attempt in made.turns[0].attempts] == ["a" * 301]


def test_the_global_random_state_is_left_alone() -> None:
    before = np.random.get_state()[1].tolist()  # noqa: NPY002
    rollout([TurnPlan(SeededAgent(luck), num_samples=3)] * 2, envs(5), range(5), SAMPLING, seed=0)
    assert np.random.get_state()[1].tolist() == before  # noqa: NPY002


@pytest.mark.parametrize(
    ("count", "indices", "turns", "seed", "message"),
    [
        pytest.param(1, [1, 2], 1, 0, "one environment per index", id="too few environments"),
        pytest.param(1, [1], 0, 0, "at least one turn", id="empty plan"),
        pytest.param(1, [100], 1, 0, "there is no problem 100", id="index too large"),
        pytest.param(1, [-1], 1, 0, "there is no problem -1", id="index below 0"),
        pytest.param(1, [1], 1, -1, "seed must be", id="seed below 0"),
    ],
)
def test_wrong_arguments_are_named(
    count: int, indices: list[int], turns: int, seed: int, message: str
) -> None:
    plan = [TurnPlan(ScriptedAgent(wrong))] * turns
    with pytest.raises(ConfigError, match=message):
        rollout(plan, envs(count), indices, SAMPLING, seed=seed)


def test_samples_must_be_positive() -> None:
    with pytest.raises(ConfigError, match="samples must be at least 1"):
        TurnPlan(ScriptedAgent(wrong), num_samples=0)


def test_an_environment_of_the_users_own_plays_too() -> None:
    assert rollout([TurnPlan(ScriptedAgent(right))], [sums(feedback="oracle")], [1], SAMPLING, seed=0)[
        0
    ].terminated

"""Feedback that an agent writes: asked in batches, blind, stored beside the replies and not graded."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import gymnasium
import pytest

import rise_env
from rise_agents.backends.expert_agent import ExpertAgent
from rise_agents.backends.scripted_agent import ScriptedAgent
from rise_agents.deliberation.agent_feedback import PROMPT, FeedbackPlan
from rise_agents.rollouts.collect import collect
from rise_agents.rollouts.rollout import rollout
from rise_agents.rollouts.turn_plan import TurnPlan
from rise_agents.types import Agent, Reply, SamplingConfig
from rise_env.envs.math_env import MathEnv
from rise_env.errors import ConfigError, EpisodeError
from rise_env.trajectories.store import TrajectoryStore, read_trajectories
from rise_env.types import Conversation, Problem, Trajectory, Usage
from tests.rise_agents.rollouts.streaming_agents import Guesser, Streamer

COLD = SamplingConfig(temperature=0.25)


class Critic(Guesser):
    """Says a number that depends on conversation and seed, and never answers."""

    name = "critic"

    def __init__(self) -> None:
        super().__init__()
        self.read: list[Conversation] = []

    def reply(self, conversation: Conversation, seed: int) -> Reply:
        self.read.append(conversation)
        return Reply(
            text=f"Look at step {(seed + len(conversation)) % 30}.",
            finish="length" if seed % 2 else "stop",
            usage=Usage(prompt_tokens=50, completion_tokens=9),
            reasoning="Hm.",
        )


class StreamingCritic(Critic, Streamer):
    """The same, and streams."""


def make(turns: int = 3, **settings: Any) -> gymnasium.Env[Any, str]:
    problems = {"split": "test", "difficulty": {"max_steps": 2, "largest": 40}}
    return rise_env.make(
        "RISE-Arithmetic-v0", **problems, max_turns=turns, **{"feedback": "agent", **settings}
    )


def plan_of(player: Agent, critic: Agent, turns: int = 3, **settings: Any) -> list[TurnPlan]:
    return [TurnPlan(player, feedback=FeedbackPlan(agent=critic, **settings))] * turns


def played(plan: Sequence[TurnPlan], count: int = 12, **settings: Any) -> list[Trajectory]:
    envs = [make(len(plan), **settings) for _ in range(count)]
    return rollout(plan, envs, range(count), SamplingConfig(), seed=3)


def test_the_text_of_the_agent_is_the_next_user_message_and_is_stored_with_its_own_usage() -> None:
    critic = Critic()
    episodes = played(plan_of(Guesser(), critic))
    written = 0
    for episode in episodes:
        for turn, following in zip(episode.turns, episode.turns[1:], strict=False):
            feedback = turn.feedback
            assert feedback is not None
            written += 1
            assert following.observation[-1] == {"role": "user", "content": feedback.text}
            assert (feedback.agent, feedback.usage.completion_tokens) == ("critic", 9)
            assert (feedback.reasoning, feedback.told) == ("Hm.", False)
            assert [attempt.agent for attempt in turn.attempts] == ["guesser"]
        assert episode.turns[-1].feedback is None, "nothing follows the last turn"
    assert written == len(critic.read) > 12
    assert {t.feedback.finish for e in episodes for t in e.turns if t.feedback} == {"stop", "length"}


def test_the_agent_reads_the_conversation_with_the_reply_and_then_the_prompt() -> None:
    critic = Critic()
    [episode, *_] = played(plan_of(Guesser(), critic, prompt="Attempt {turn} at: {question}"))
    first = episode.turns[0]
    assert critic.read[0] == (
        *first.observation,
        {"role": "assistant", "content": first.action.reply},
        {"role": "user", "content": f"Attempt 1 at: {episode.problem.question}"},
    )


@pytest.mark.parametrize("max_concurrent_episodes", [1, 5, 12])
@pytest.mark.parametrize(
    "kinds", [(Streamer, Critic), (Guesser, StreamingCritic), (Streamer, StreamingCritic)]
)
def test_episodes_are_the_same_in_lock_step_and_streamed(
    tmp_path: Path, kinds: tuple[Callable[[], Agent], Callable[[], Agent]], max_concurrent_episodes: int
) -> None:
    expected = played(plan_of(Guesser(), Critic()))
    with TrajectoryStore(tmp_path / "s.jsonl", {}) as store:
        collect(
            plan_of(kinds[0](), kinds[1]()),
            make,
            range(12),
            store,
            SamplingConfig(),
            seed=3,
            max_concurrent_episodes=max_concurrent_episodes,
        )
    assert list(read_trajectories(tmp_path / "s.jsonl")) == expected


def test_the_feedback_of_all_episodes_is_one_batch_with_its_own_sampling() -> None:
    critic = Critic()
    played(plan_of(Guesser(), critic, sampling=COLD), stop_when_correct=False)
    assert critic.batches == [12, 12]
    assert {temperature for _, temperature in critic.sampled} == {0.25}


def test_no_feedback_is_asked_for_where_the_episode_has_ended() -> None:
    critic = Critic()
    solved = ScriptedAgent(lambda conversation: "\\boxed{0}")
    problems = [Problem(id="0", question="What is 1 - 1?", reference="0")]
    env = MathEnv(problems, rise_env.NumericChecker(), feedback="agent", max_turns=3)
    [episode] = rollout(plan_of(solved, critic), [env], [0], SamplingConfig(), seed=0)
    assert episode.terminated
    assert critic.read == []


def test_feedback_that_fails_ends_its_episode_alone() -> None:
    class Fails(Critic):
        def reply(self, conversation: Conversation, seed: int) -> Reply:
            if seed % 5 == 0:
                return Reply(text="refused", finish="error")
            return super().reply(conversation, seed)

    episodes = played(plan_of(Guesser(), Fails()))
    failed = [episode.error for episode in episodes if episode.error]
    assert 0 < len(failed) < 12
    assert all(error.partition(": ")[2] == "feedback of critic: refused" for error in failed)


def test_the_best_of_several_attempts_gets_the_feedback() -> None:
    critic = Critic()
    plan = [replace(turn, num_samples=4) for turn in plan_of(Guesser(), critic)]
    episodes = played(plan, stop_when_correct=False)
    said = {message["content"] for conversation in critic.read for message in conversation}
    assert {e.turns[0].action.reply for e in episodes} <= said


def test_an_agent_that_is_not_told_gets_equal_conversations_for_two_references() -> None:
    def read(reference: str, **settings: Any) -> list[Conversation]:
        problem = Problem(id="0", question="What is it?", reference=reference, solution=f"It is {reference}.")
        env = MathEnv(
            [problem],
            rise_env.NumericChecker(),
            feedback="agent",
            max_turns=3,
            stop_when_correct=False,
        )
        critic = Critic()
        rollout(plan_of(Guesser(), critic, **settings), [env], [0], SamplingConfig(), seed=0)
        return critic.read

    assert read("17") == read("23")
    assert read("17", told=True) != read("23", told=True)
    assert "17" in read("17", told=True)[0][-1]["content"]


def test_feedback_that_may_know_the_reference_is_marked() -> None:
    [episode, *_] = played(plan_of(Guesser(), Critic(), told=True))
    blind = played(plan_of(Guesser(), Critic()))[0]
    assert episode.turns[0].feedback is not None
    assert episode.turns[0].feedback.told
    assert episode.id != blind.id


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"prompt": "It is {reference}."}, "set told to true"),
        ({"prompt": "It is {answer}."}, "no field {answer}"),
    ],
)
def test_a_prompt_that_reveals_the_answer_is_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        FeedbackPlan(agent=Critic(), **settings)


def test_an_agent_that_is_told_the_answers_writes_feedback_only_as_told() -> None:
    with pytest.raises(ConfigError, match="may reveal it: set told"):
        FeedbackPlan(agent=ExpertAgent())
    assert played(plan_of(Guesser(), ExpertAgent(), told=True))[0].error is None


@pytest.mark.parametrize(
    ("plan", "feedback", "message"),
    [
        (plan_of(Guesser(), Critic()), "blind", 'make it with feedback="agent"'),
        ([TurnPlan(Guesser())] * 3, "agent", "TurnPlan.feedback"),
    ],
)
def test_plan_and_environment_must_agree_on_who_writes_the_feedback(
    plan: list[TurnPlan], feedback: str, message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        played(plan, feedback=feedback)


def test_a_step_without_written_feedback_says_what_is_missing_and_changes_nothing() -> None:
    env = make().unwrapped
    assert isinstance(env, MathEnv)
    first, _ = env.reset(seed=0)
    with pytest.raises(EpisodeError, match=r"write_feedback\(text\) before each step"):
        env.step("\\boxed{-1}")
    env.write_feedback("Look again.")
    twin = env.fork()
    for one in (env, twin):
        observation, *_ = one.step("\\boxed{-1}")
        assert observation[len(first) + 1 :] == ({"role": "user", "content": "Look again."},)
    with pytest.raises(EpisodeError, match="write_feedback"):
        env.step("\\boxed{-1}")


def test_feedback_can_be_written_only_where_an_agent_is_to_write_it() -> None:
    env = make(feedback="blind").unwrapped
    assert isinstance(env, MathEnv)
    env.reset(seed=0)
    with pytest.raises(ConfigError, match='use feedback="agent"'):
        env.write_feedback("Look again.")


def test_batches_of_environments_refuse_written_feedback() -> None:
    with pytest.raises(ConfigError, match="needs single environments"):
        gymnasium.make_vec("rise_env:RISE-Arithmetic-v0", num_envs=2, feedback="agent", max_turns=2)


def test_the_default_prompt_asks_for_no_answer() -> None:
    assert "do not state its answer" in PROMPT

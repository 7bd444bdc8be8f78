from typing import Any

import gymnasium
import pytest

from rise_agents.rollouts.earlier_reasoning import add_reasoning
from rise_agents.rollouts.rollout import rollout
from rise_agents.rollouts.turn_plan import TurnPlan
from rise_agents.types import SamplingConfig
from rise_env.trajectories.serialization import from_json, to_json
from rise_env.types import Attempt, CheckResult, Conversation, Message, Turn, Verdict
from rise_env.wrappers import ContextWindow
from tests.rise_agents.fake_agents import envs, sums
from tests.rise_agents.thinking_agent import ThinkingAgent


def user(text: str) -> Message:
    return {"role": "user", "content": text}


def said(text: str, thought: str = "") -> Message:
    plain: Message = {"role": "assistant", "content": text}
    return {**plain, "reasoning_content": thought} if thought else plain


def turns(*replies: tuple[str, str], before: Conversation = ()) -> list[Turn]:
    check = CheckResult(Verdict.WRONG)
    return [
        Turn(
            observation=before or (user("question"),),
            attempts=(Attempt(agent="a", reply=reply, check=check, reward=0.0, reasoning=thought),),
        )
        for reply, thought in replies
    ]


def test_each_reply_gets_the_thought_before_it() -> None:
    seen = (user("question"), said("one"), user("again"), said("two"), user("again"))
    played = turns(("one", "first thought"), ("two", "second thought"))
    assert add_reasoning(seen, played) == (
        user("question"),
        said("one", "first thought"),
        user("again"),
        said("two", "second thought"),
        user("again"),
    )


def test_equal_replies_get_their_own_thoughts() -> None:
    seen = (user("question"), said("one"), user("again"), said("one"), user("again"))
    shown = add_reasoning(seen, turns(("one", "first"), ("one", "")))
    assert shown[1] == said("one", "first")
    assert shown[3] == said("one")


def test_solved_examples_at_the_beginning_are_not_the_reply_of_a_turn() -> None:
    start = (user("example"), said("one"), user("question"))
    played = turns(("one", "thought"), before=start)
    assert add_reasoning((*start, said("one"), user("again")), played) == (
        *start,
        said("one", "thought"),
        user("again"),
    )
    assert add_reasoning((*start, user("the reply was removed")), played)[: len(start)] == start


def test_a_window_shows_the_thoughts_of_its_turns_only() -> None:
    played = turns(("one", "1"), ("two", "2"), ("three", "3"))
    seen = (user("question"), said("three"), user("again"))
    assert add_reasoning(seen, played)[1] == said("three", "3")


def test_a_rewritten_reply_stays_as_the_wrapper_wrote_it() -> None:
    played = turns(("one", "1"), ("two", "2"))
    seen = (user("question"), said("one"), user("again"), said("two, shortened"), user("again"))
    shown = add_reasoning(seen, played)
    assert shown[1] == said("one", "1")
    assert shown[3] == said("two, shortened")


@pytest.mark.parametrize("window", [False, True])
def test_agents_read_earlier_thoughts_and_checkers_do_not(window: bool) -> None:
    agent = ThinkingAgent()
    env: gymnasium.Env[Any, str] = ContextWindow(sums(), 1) if window else sums()
    [episode] = rollout([TurnPlan(agent)] * 3, [env], [0], SamplingConfig(), seed=0)
    assert [turn.observation for turn in episode.turns] == agent.asked
    thoughts = [message.get("reasoning_content") for message in agent.asked[-1]]
    assert [thought for thought in thoughts if thought] == [
        turn.action.reasoning for turn in episode.turns[1 if window else 0 : 2]
    ]
    assert all(turn.action.check.answer != "1" for turn in episode.turns)
    assert from_json(to_json(episode)) == episode


@pytest.mark.parametrize("keep", [True, False])
@pytest.mark.parametrize("samples", [1, 2])
def test_attempts_have_the_tokens_of_their_reply_unless_they_are_not_wanted(keep: bool, samples: int) -> None:
    plan = [TurnPlan(ThinkingAgent(), num_samples=samples)]
    [episode] = rollout(plan, envs(1), [0], SamplingConfig(), seed=0, keep_tokens=keep)
    for attempt in episode.turns[0].attempts:
        assert attempt.reasoning == "thought 1 \\boxed{1}"
        assert attempt.token_ids == ((5, 6) if keep else None)
        assert attempt.logprobs == ((-0.5, -1.0) if keep else None)

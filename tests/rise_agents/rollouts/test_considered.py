"""Replies that an agent weighed and did not give are checked and stored, and change nothing else."""

from collections.abc import Sequence

import pytest

from rise_agents.rollouts.rollout import rollout
from rise_agents.rollouts.turn_plan import TurnPlan
from rise_agents.types import Considered, Reply, SamplingConfig
from rise_env.checkers import TextChecker
from rise_env.envs.rewards import Rewards
from rise_env.errors import AgentError
from rise_env.metrics.reply_arrays import by_draw, by_turn
from rise_env.trajectories.recheck import Changes, recheck
from rise_env.types import Conversation, Verdict
from tests.rise_agents.fake_agents import envs, right, wrong


class Weighing:
    """Gives a wrong reply, and has considered the right one."""

    name = "weighing"

    def act(
        self,
        conversations: Sequence[Conversation],
        sampling: SamplingConfig,
        seeds: Sequence[int] | None = None,
    ) -> list[Reply]:
        return [
            Reply(text=wrong(c), score=0.25, considered=(Considered(right(c), 0.75), Considered("Hm.")))
            for c in conversations
        ]

    def close(self) -> None:
        pass


def test_considered_replies_are_checked_and_do_not_become_the_action() -> None:
    [episode] = rollout(
        [TurnPlan(Weighing(), 2), TurnPlan(Weighing())], envs(1), [3], SamplingConfig(), seed=0
    )
    first, second = episode.turns
    assert [(a.check.verdict, a.reward, a.score) for a in first.considered] == [
        (Verdict.CORRECT, 1.0, 0.75),
        (Verdict.NO_ANSWER, -1.0, None),
    ] * 2
    assert len(second.considered) == 2
    assert first.action.score == 0.25
    assert not first.action.check.correct
    assert len(first.attempts) == 2  # the right reply that was considered ended no sampling
    assert by_turn([episode], 2).correct.tolist() == [[False, False]]
    assert by_draw([episode], 2).score.tolist() == [[0.25, 0.25]]


def test_considered_replies_are_checked_again_but_not_counted() -> None:
    [episode] = rollout([TurnPlan(Weighing())], envs(1), [3], SamplingConfig(), seed=0)
    changes = Changes()
    [again] = recheck([episode], TextChecker(), Rewards(), changes)
    assert changes.checked == 1
    assert [a.check.verdict for a in again.turns[0].considered] == [
        TextChecker().check(a.reply, episode.problem.reference).verdict for a in episode.turns[0].considered
    ]
    assert [a.check.method for a in again.turns[0].considered] != [
        a.check.method for a in episode.turns[0].considered
    ]


@pytest.mark.parametrize("score", [1.5, -0.1, float("nan"), 1])
def test_a_score_out_of_range_is_refused(score: float) -> None:
    with pytest.raises(AgentError, match=r"None or in \[0, 1\]"):
        Reply(text="", score=score)
    with pytest.raises(AgentError, match=r"None or in \[0, 1\]"):
        Reply(text="", considered=(Considered("", score),))

from collections import Counter
from dataclasses import replace

import pytest

from rise_agents.evaluation.verifier_questions import NO, YES
from rise_agents.mcts.options import split
from rise_env.envs import prompts
from rise_env.errors import ConfigError
from rise_env.types import Attempt, CheckResult, Problem, Trajectory, Turn, Verdict
from rise_trainers.data.critic_data import LabelSettings, critic_examples, is_held_out
from rise_trainers.data.signals import with_signal


def played(problem: str, *verdicts: Verdict, begins: str = "") -> Trajectory:
    """One turn with a reply of three lines per verdict."""
    posed = Problem(id=problem, question=f"{problem}?", reference="4", solution="secret")
    attempts = tuple(
        Attempt(
            agent="a",
            reply=f"{begins or f'first {place}'}\nsecond {place}\n\\boxed{{{place}}}",
            check=CheckResult(verdict, str(place)),
            reward=0.0,
        )
        for place, verdict in enumerate(verdicts)
    )
    asked = ({"role": "user", "content": prompts.FIRST.format(question=posed.question)},)
    return Trajectory(id=problem, problem=posed, turns=(Turn(observation=asked, attempts=attempts),), seed=0)  # type: ignore[arg-type]


R, W = Verdict.CORRECT, Verdict.WRONG
SETTINGS = LabelSettings()


def test_each_reply_gives_one_question_about_it_and_some_about_its_beginnings() -> None:
    [episode] = [played("p", R, W)]
    examples = list(critic_examples([episode], SETTINGS))
    assert Counter(one.problem.meta["kind"] for one in examples) == {"outcome": 2, "value": 4}
    right, wrong = episode.turns[0].attempts
    for example in examples:
        asked = example.turns[0].observation[0]["content"]
        of_right = right.reply.splitlines()[0] in asked
        assert example.turns[0].action.reply == (YES if of_right else NO)
        assert example.turns[0].action.check.correct
        assert "p?" in asked
        assert "secret" not in asked
        text = asked.partition("olution: ")[2]
        whole = right.reply if of_right else wrong.reply
        kind = example.problem.meta["kind"]
        assert text == whole if kind == "outcome" else text in (whole[: len(text)],)
        if kind == "value":
            assert text in ("".join(split(whole, "line")[:1]), "".join(split(whole, "line")[:2]))


def test_replies_that_were_not_given_make_examples_if_they_are_asked_for() -> None:
    [episode] = [played("p", R, W)]
    [turn] = episode.turns
    searched = replace(
        episode, turns=(replace(turn, attempts=turn.attempts[:1], considered=turn.attempts[1:]),)
    )
    assert not list(critic_examples([searched], SETTINGS))
    found = list(critic_examples([searched], LabelSettings(considered=True)))
    assert [one.turns for one in found] == [one.turns for one in critic_examples([episode], SETTINGS)]


def test_right_and_wrong_replies_of_a_problem_are_balanced() -> None:
    episodes = [played("a", R, R, R, W), played("b", R, R), played("c", W, W)]
    examples = list(critic_examples(episodes, LabelSettings(kinds=("outcome",))))
    assert Counter((one.problem.id, one.turns[0].action.reply) for one in examples) == {
        ("a", YES): 1,
        ("a", NO): 1,
    }
    every = list(critic_examples(episodes, LabelSettings(kinds=("outcome",), balance=False)))
    assert len(every) == 8


def test_replies_that_were_not_checked_in_time_or_failed_give_no_example() -> None:
    episode = played("p", R, W, Verdict.TIMEOUT)
    failed = replace(episode.turns[0].attempts[1], finish="error")
    attempts = (episode.turns[0].attempts[0], failed, episode.turns[0].attempts[2])
    changed = replace(episode, turns=(replace(episode.turns[0], attempts=attempts),))
    assert len(list(critic_examples([changed], LabelSettings(kinds=("outcome",), balance=False)))) == 1


def test_the_last_step_of_a_shared_beginning_is_labelled_by_the_majority() -> None:
    settings = LabelSettings(kinds=("process",))
    examples = list(critic_examples([played("p", R, R, R, W, begins="shared")], settings))
    assert [(one.turns[0].action.reply, one.problem.meta["kind"]) for one in examples] == [(YES, "process")]
    assert list(critic_examples([played("p", R, R, W, begins="shared")], settings)) == []
    [tied] = critic_examples([played("p", R, R, W, W, begins="shared")], settings)
    assert tied.turns[0].action.reply == NO


def test_the_same_episodes_give_the_same_examples_with_different_ids() -> None:
    episodes = [played("a", R, W, R), played("b", R, W)]
    first, second = (list(critic_examples(episodes, SETTINGS)) for _ in range(2))
    assert first == second
    assert len({one.id for one in first}) == len(first)


def test_a_tenth_of_the_problems_is_held_out() -> None:
    held = [is_held_out(f"gsm8k/train/{number}") for number in range(2000)]
    assert 150 < sum(held) < 250


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"kinds": ("outcom",)}, "did you mean 'outcome'"),
        ({"kinds": ()}, "must not be empty"),
        ({"per_reply": 0}, "per_reply at least 1"),
        ({"option": "lines"}, "did you mean 'line'"),
    ],
)
def test_wrong_settings_are_refused(settings: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        LabelSettings(**settings)  # type: ignore[arg-type]


def test_the_signal_score_takes_the_place_of_rewards_and_reads_no_verdict() -> None:
    episode = played("p", R, W)
    scored = tuple(
        replace(one, score=score) for one, score in zip(episode.turns[0].attempts, (0.25, None), strict=True)
    )
    changed = replace(episode, turns=(replace(episode.turns[0], attempts=scored),))
    [found] = with_signal([changed], "score")
    assert [attempt.reward for attempt in found.turns[0].attempts] == [0.25, 0.0]
    assert with_signal([changed], "reward") == [changed]
    with pytest.raises(ConfigError, match="no reply in the data has one"):
        with_signal([episode], "score")

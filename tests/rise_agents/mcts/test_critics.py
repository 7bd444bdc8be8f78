import math
from typing import Any

import pytest

from rise_agents.evaluation.verifier_questions import likelihood_rating, mean_rating
from rise_agents.mcts.answers import agreement, answer_class, refuted_answers
from rise_agents.mcts.critics import confidence, question_of, readings
from rise_agents.mcts.presets import PRESETS, search_settings
from rise_agents.mcts.settings import SearchSettings, differing
from rise_env.envs.prompts import BLIND, HINT, ORACLE_RIGHT, ORACLE_WRONG
from rise_env.errors import ConfigError
from rise_env.types import Message, Verdict


def talk(*contents: str) -> tuple[Message, ...]:
    return tuple(
        {"role": "assistant" if place % 2 else "user", "content": content}  # type: ignore[misc]
        for place, content in enumerate(contents)
    )


def test_agreement_is_the_share_of_votes_with_one_added_to_each_answer() -> None:
    votes = {"3": 2, "4": 1}
    assert agreement(votes, "3") == 3 / 5
    assert agreement(votes, "4") == 2 / 5
    assert agreement({"3": 1}, "3") == 1
    assert agreement(votes, None) == 0


@pytest.mark.parametrize(
    ("first", "second", "equal"),
    [
        (r"\boxed{1,200}", r"\boxed{1200.0}", True),
        (r"\boxed{\$5}", r"\boxed{5}", True),
        (r"\boxed{x + 1}", r"\boxed{x+1}", True),
        (r"\boxed{3/4}", r"\boxed{0.75}", True),
        (r"\boxed{3}", r"\boxed{4}", False),
        (r"\boxed{1/0}", r"\boxed{1/0}", True),
    ],
)
def test_replies_vote_for_the_same_answer_if_it_is_spelled_alike(
    first: str, second: str, equal: bool
) -> None:
    assert (answer_class(first) == answer_class(second)) is equal


def test_a_reply_without_an_answer_does_not_vote() -> None:
    assert answer_class("Let me think about it some more, step by step") is None
    assert answer_class(r"\boxed{}") is None


def test_an_answer_that_the_feedback_calls_wrong_is_refuted() -> None:
    reply = r"It is \boxed{7.0}"
    assert refuted_answers(talk("q", reply, ORACLE_WRONG)) == {"7"}
    assert refuted_answers(talk("q", reply, HINT[Verdict.WRONG])) == {"7"}
    assert refuted_answers(talk("q", reply, ORACLE_WRONG, "Well", ORACLE_WRONG)) == {"7"}
    assert not refuted_answers(talk("q", reply, BLIND))
    assert not refuted_answers(talk("q", reply, ORACLE_RIGHT))
    assert not refuted_answers(talk(ORACLE_WRONG))


def test_confidence_is_the_least_probability_or_the_geometric_mean() -> None:
    logprobs = [math.log(p) for p in (0.5, 0.8, 0.4)]
    assert confidence(logprobs) == pytest.approx(0.4)
    assert confidence(logprobs, "mean") == pytest.approx((0.5 * 0.8 * 0.4) ** (1 / 3))
    assert confidence([]) == 0


def test_a_verifiers_ratings_are_read_as_probabilities() -> None:
    assert mean_rating([r"\boxed{yes}", r"\boxed{0.5}", "Hm.", r"\boxed{no}"]) == 1.5 / 4
    assert likelihood_rating(math.log(0.3), math.log(0.1)) == pytest.approx(0.75)
    assert likelihood_rating(math.log(0.1), math.log(0.3)) == pytest.approx(0.25)
    assert likelihood_rating(-800.0, -1.0) == pytest.approx(0)
    assert likelihood_rating(-math.inf, -math.inf) == 0.5
    assert likelihood_rating(-math.inf, -1.0) == 0


def test_a_verifier_is_asked_for_the_terms_that_have_a_weight() -> None:
    both = SearchSettings(value_weight=1, process_weight=1)
    unfinished = readings(both, beginning="One. ", finished=False, replies=["One. Two.", "One. Two."])
    assert [(reading.term, reading.text) for reading in unfinished] == [
        ("outcome", "One. Two."),
        ("value", "One. "),
        ("process", "One. "),
    ]
    outcome_only = SearchSettings(value_weight=0)
    assert [r.term for r in readings(outcome_only, beginning="One. ", finished=False, replies=["x"])] == [
        "outcome"
    ]
    assert [r.term for r in readings(both, beginning="One.", finished=True, replies=["One."])] == ["outcome"]
    assert (
        "Problem: 1 + 1?\n\nBeginning of the solution: One. " in unfinished[1].prompt("1 + 1?")[0]["content"]
    )


def test_the_question_is_the_first_user_message() -> None:
    conversation: tuple[Message, ...] = ({"role": "system", "content": "s"}, *talk("q", "a", "again"))
    assert question_of(conversation) == "q"


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"simulations": 0}, "simulations of a search must be at least 1, got 0"),
        ({"tokens": 0}, "tokens of a search must be at least 1, got 0"),
        ({"leaves": 0}, "leaves of a search must be at least 1"),
        ({"least": 3, "most": 2}, "most must be at least least, got 2 and 3"),
        ({"root_least": 61}, "root_most must be at least root_least, got 60 and 61"),
        ({"option": "lines"}, "did you mean 'line'"),
        ({"critic": "agreemnt"}, "did you mean 'agreement'"),
        ({"critic": "verifier:"}, "write the critic as 'verifier:AGENT'"),
        ({"critic": "verifier"}, "write the critic as 'verifier:AGENT'"),
        ({"critic": "told:x"}, "no critic 'told:x'"),
        ({"critic": "confidence", "critic_settings": {"of": "most"}}, "no confidence of 'most'"),
        ({"critic": "confidence", "critic_settings": {"dtype": "x"}}, "the one setting of"),
        ({"critic_settings": {"of": "least"}}, "the critic 'agreement' has no settings"),
        ({"selection": "ucb"}, "did you mean 'uct'"),
        ({"outcome_weight": 0}, "outcome_weight above 0"),
        ({"value_weight": -1}, "value_weight and process_weight must be at least 0"),
        ({"exploration": -1}, "exploration of a search must be at least 0"),
        ({"preset": "alphalm"}, "did you mean 'alphallm'"),
    ],
)
def test_a_wrong_setting_of_a_search_is_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        search_settings(**settings)


def test_a_search_ends_after_its_simulations_or_its_tokens() -> None:
    assert SearchSettings().limit == 40
    assert SearchSettings(tokens=100).limit is None
    assert SearchSettings(tokens=100, simulations=5).limit == 5


@pytest.mark.parametrize("preset", PRESETS)
def test_explicit_settings_win_over_those_of_a_preset(preset: str) -> None:
    assert differing(search_settings(preset)).keys() <= PRESETS[preset].keys()
    assert search_settings(preset, exploration=0.25, alpha=7.0).exploration == 0.25
    assert search_settings(preset, root_least=1).root_least == 1


def test_importance_can_widen_nodes_under_the_presets_of_alphallm() -> None:
    for preset in ("alphallm", "alphallm_code"):
        settings = search_settings(preset)
        assert settings.least < settings.alpha < settings.most

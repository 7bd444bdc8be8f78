import logging
from typing import Any

import pytest

from rise_agents.backends.mcts_agent import (
    MCTSAgent,
    ToldMCTSAgent,
    check_mcts_settings,
    load_mcts_agent,
)
from rise_agents.backends.scripted_agent import ScriptedAgent
from rise_agents.mcts.options import split
from rise_agents.mcts.presets import PRESETS, search_settings
from rise_agents.registry import calls_per_reply
from rise_agents.rollouts.rollout import rollout
from rise_agents.rollouts.turn_plan import TurnPlan
from rise_agents.types import Agent, ProblemAwareAgent, Reply, SamplingConfig
from rise_env.envs.prompts import BLIND, ORACLE_WRONG
from rise_env.errors import ConfigError
from rise_env.types import Conversation, Problem
from tests.rise_agents.fake_agents import SeededAgent
from tests.rise_agents.mcts.line_policy import ASKED, Blunt, Failing, LinePolicy, StreamingLinePolicy

SAMPLING = SamplingConfig(max_new_tokens=50)


def searched(policy: Agent, seed: int = 0, conversation: Conversation = ASKED, **settings: Any) -> Reply:
    [reply] = MCTSAgent(policy, search_settings(**settings)).act([conversation], SAMPLING, [seed])
    return reply


def test_the_usage_of_a_reply_is_everything_that_was_asked() -> None:
    policy = LinePolicy()
    reply = searched(policy, simulations=12)
    assert reply.usage.calls == len(policy.requests)
    assert reply.usage.completion_tokens == policy.tokens
    assert reply.usage.prompt_tokens == 10 * len(policy.requests)
    assert reply.text.endswith("\\boxed{5}.")  # the most likely answer by the votes of the tree
    assert reply.score is not None


@pytest.mark.parametrize("budget", [1, 20, 37, 100])
@pytest.mark.parametrize("leaves", [1, 3])
def test_generated_tokens_exceed_the_budget_by_at_most_one_round(budget: int, leaves: int) -> None:
    policy = LinePolicy()
    reply = searched(policy, tokens=budget, leaves=leaves, root_least=60)
    longest = 6  # words of a whole reply
    assert budget <= reply.usage.completion_tokens <= budget + leaves * longest


def test_a_search_ends_when_every_node_is_finished() -> None:
    policy = LinePolicy(lambda lines: [] if lines else [("\\boxed{4}", 1.0)])
    reply = searched(policy, tokens=10_000)
    # equal replies merge into one child, and count for the width of the root, which is 10
    assert reply.text == "\\boxed{4}"
    assert len(policy.requests) == 10
    assert reply.considered == ()
    few = LinePolicy(lambda lines: [] if lines else [("a \\boxed{4}", 0.5), ("b \\boxed{4}", 0.5)])
    narrow = searched(few, tokens=10_000, root_least=8)
    assert narrow.usage.completion_tokens < 10_000
    assert len(narrow.considered) == 1


def test_each_request_is_one_simulation_and_nothing_is_lost() -> None:
    policy = LinePolicy()
    reply = searched(policy, simulations=15, keep=100, root_least=3)
    assert len(policy.requests) <= 15
    texts = {reply.text, *(other.text for other in reply.considered)}
    for conversation, seed, sampling in policy.requests:
        beginning = conversation[-1]["content"] if len(conversation) > 1 else ""
        whole = beginning + LinePolicy().reply(conversation, seed, sampling).text
        assert whole in texts
        assert beginning in ("", *("".join(split(text, "line")[:n]) for text in texts for n in (1, 2)))


def test_new_children_get_the_wanted_roll_outs() -> None:
    policy = LinePolicy(
        lambda lines: (
            [(f"{i}\n" if len(lines) < 2 else f"\\boxed{{{i}}}", 0.01) for i in range(100)]
            if len(lines) < 3
            else []
        )
    )
    searched(policy, simulations=5, rollouts=4, root_least=10)
    # every new child of the root is completed three times more: 5 + 5 * 3 requests
    assert len(policy.requests) == 20
    assert sum(len(conversation) == 1 for conversation, _, _ in policy.requests) == 5


def test_an_agent_for_roll_outs_completes_children_and_its_tokens_count() -> None:
    policy, fast = LinePolicy(), LinePolicy(name="fast")
    agent = MCTSAgent(policy, search_settings(simulations=6, rollouts=2), rollout_agent=fast)
    [reply] = agent.act([ASKED], SAMPLING, [0])
    assert fast.requests
    assert all(len(conversation) == 2 for conversation, _, _ in fast.requests)
    assert reply.usage.completion_tokens == policy.tokens + fast.tokens
    assert "rollout_agent=fast" in agent.name
    agent.close()
    assert (policy.closed, fast.closed) == (1, 1)


def test_near_repeats_are_drawn_again_and_counted() -> None:
    plain, distant = LinePolicy(), LinePolicy()
    searched(plain, simulations=4, option="reply", root_least=4)
    reply = searched(distant, simulations=4, option="reply", root_least=4, least_distance=40, redraws=3)
    assert len(plain.requests) == 4
    assert 4 < len(distant.requests) <= 4 * 4
    assert reply.usage.completion_tokens == distant.tokens


def test_a_tree_is_the_same_whatever_is_searched_beside_it() -> None:
    settings = search_settings(simulations=8)
    many = MCTSAgent(LinePolicy(), settings)
    together = many.act([ASKED] * 256, SAMPLING, list(range(256)))
    for seed in (0, 17, 255):
        assert searched(LinePolicy(), seed, simulations=8) == together[seed]
    streamed = MCTSAgent(StreamingLinePolicy(), settings).act([ASKED] * 256, SAMPLING, list(range(256)))
    assert streamed == together
    assert len({reply.text for reply in together}) > 1


def test_all_trees_are_asked_in_one_batch() -> None:
    policy = LinePolicy()
    MCTSAgent(policy, search_settings(simulations=5, exploration=0.0)).act([ASKED] * 64, SAMPLING, range(64))
    assert policy.batches[0] == 64
    assert len(policy.batches) <= 5


def test_several_leaves_are_simulated_at_the_same_time() -> None:
    policy = LinePolicy()
    reply = searched(policy, simulations=12, leaves=4)
    assert policy.batches[:2] == [4, 4]
    assert reply == searched(LinePolicy(), simulations=12, leaves=4)


def rare(lines: tuple[str, ...]) -> list[tuple[str, float]]:
    """Only a first line of probability 0.05 leads to the right answer, by three further lines of 0.3 each."""
    if not lines:
        return [("lucky\n", 0.05), ("usual\n", 0.95)]
    if len(lines) < 4:
        return [(f"good {len(lines)}\n", 0.3), (f"bad {len(lines)}\n", 0.7)]
    if len(lines) == 4:
        right = lines[0] == "lucky\n" and all(line.startswith("good") for line in lines[1:])
        partly = sum(line.startswith(("good", "lucky")) for line in lines)
        return [(f"\\boxed{{{4 if right else 10 + partly}}}", 1.0)]
    return []


def test_a_search_with_a_good_critic_finds_a_rare_reply_with_fewer_tokens_than_draws() -> None:
    def progress(conversation: Conversation) -> str:
        said = conversation[0]["content"].partition("Solution: ")[2]
        return f"\\boxed{{{sum(line.startswith(('good', 'lucky')) for line in said.splitlines()) / 4}}}"

    for seed in range(3):
        policy = LinePolicy(rare)
        agent = MCTSAgent(
            policy,
            search_settings(
                simulations=200,
                critic="verifier:judge",
                value_weight=0,
                choose="best",
                root_least=60,
                least=4,
                exploration=0.3,
            ),
            verifier=ScriptedAgent(progress, name="judge"),
        )
        [reply] = agent.act([ASKED], SAMPLING, [seed])
        assert "\\boxed{4}" in reply.text
        # independent draws need 1 / 0.00135 replies of at least 9 words on average
        assert policy.tokens < 9 / (0.05 * 0.3**3) / 2


def test_replies_that_failed_are_left_out_of_the_tree() -> None:
    policy = Failing(lambda seed: seed % 3 == 0)
    reply = searched(policy, simulations=12)
    assert reply.finish == "stop"
    assert reply.usage.calls == 12
    assert all("too long" not in other.text for other in reply.considered)


def test_a_search_in_which_everything_fails_is_a_failed_reply() -> None:
    reply = searched(Failing(lambda seed: True), simulations=40)
    assert (reply.finish, reply.text) == ("error", "too long")
    assert reply.usage.calls == 8  # it gives up


def test_an_agent_that_cannot_continue_is_searched_over_whole_replies_only() -> None:
    with pytest.raises(
        ConfigError, match="lines cannot continue a reply: search over whole replies with option=reply"
    ):
        MCTSAgent(Blunt())
    with pytest.raises(ConfigError, match="fast cannot continue"):
        MCTSAgent(LinePolicy(), rollout_agent=Blunt(name="fast"))
    policy = Blunt()
    reply = searched(policy, option="reply", simulations=10)
    assert all(len(conversation) == 1 for conversation, _, _ in policy.requests)
    assert reply.text in {LinePolicy().reply(*request).text for request in policy.requests}


def test_confidence_prefers_the_most_likely_replies() -> None:
    reply = searched(LinePolicy(), simulations=30, critic="confidence", choose="best")
    assert reply.score == pytest.approx(0.5)  # the least likely token of a reply that ends in the usual way
    assert "\\boxed{6}" not in reply.text
    least = searched(LinePolicy(), simulations=30, critic="confidence", critic_settings={"of": "mean"})
    assert least.score != reply.score


def test_confidence_needs_log_probabilities_and_tokens() -> None:
    with pytest.raises(ConfigError, match="set logprobs=true"):
        searched(LinePolicy(logprobs=False), critic="confidence")
    with pytest.raises(ConfigError, match="which tokens a part of a reply has"):
        MCTSAgent(SeededContinuing(), search_settings(critic="confidence"))


class SeededContinuing(SeededAgent):
    continues = True

    def __init__(self) -> None:
        super().__init__(lambda conversation, seed: "\\boxed{4}")


@pytest.mark.parametrize("votes", [1, 3])
def test_a_verifier_is_asked_about_replies_beginnings_and_steps(votes: int) -> None:
    asked: list[str] = []

    def judge(conversation: Conversation) -> str:
        asked.append(conversation[0]["content"])
        return "\\boxed{yes}" if "\\boxed{6}" in conversation[0]["content"] else "\\boxed{0.25}"

    verifier = ScriptedAgent(judge, name="judge")
    policy = LinePolicy()
    settings = search_settings(
        simulations=8, critic="verifier:judge", process_weight=1, votes=votes, choose="best"
    )
    agent = MCTSAgent(policy, settings, verifier=verifier)
    [reply] = agent.act([ASKED], SAMPLING, [0])
    assert "\\boxed{6}" in reply.text
    assert reply.score == 1
    assert reply.usage.calls == len(policy.requests) + len(asked)
    kinds = {text.partition("\n")[0] for text in asked}
    assert len(kinds) == 3
    assert all("Problem: What is 1 + 3?" in text for text in asked)
    assert len(asked) == votes * len(set(asked))  # no question is asked twice, but `votes` times
    assert "critic=verifier:judge" in agent.name


class Scoring(LinePolicy):
    """Finds replies with 6 nine times as likely right as wrong."""

    def logprobs_of(self, conversations: Any, texts: Any) -> list[list[float]]:
        import math

        self.texts = texts
        return [
            [math.log(0.9), math.log(0.1)] if "{6}" in c[0]["content"] else [math.log(0.2), math.log(0.2)]
            for c in conversations
        ]


def test_a_verifier_that_scores_texts_generates_nothing() -> None:
    policy, verifier = LinePolicy(), Scoring(name="judge")
    agent = MCTSAgent(
        policy, search_settings(simulations=6, critic="verifier:judge", choose="best"), verifier=verifier
    )
    [reply] = agent.act([ASKED], SAMPLING, [1])
    assert reply.score == pytest.approx(0.9)
    assert not verifier.requests
    assert verifier.texts[0] == ("\\boxed{yes}", "\\boxed{no}")
    assert reply.usage.completion_tokens == policy.tokens
    assert reply.usage.prompt_tokens > 10 * len(policy.requests)


def test_an_answer_that_the_feedback_called_wrong_is_avoided() -> None:
    again: Conversation = (
        *ASKED,
        {"role": "assistant", "content": "\\boxed{5}"},
        {"role": "user", "content": ORACLE_WRONG},
    )
    blind: Conversation = (*again[:2], {"role": "user", "content": BLIND})
    first, second, third = (
        searched(LinePolicy(), 3, conversation, simulations=20, refuted=refuted)
        for conversation, refuted in ((again, True), (again, False), (blind, True))
    )
    assert "\\boxed{5}" not in first.text
    assert "\\boxed{5}" in second.text
    assert third.text == second.text
    assert all(other.score == 0 for other in first.considered if "\\boxed{5}" in other.text)


def test_the_first_child_of_a_node_may_be_greedy() -> None:
    policy = LinePolicy()
    searched(policy, simulations=6, greedy_first=True, root_least=2)
    temperatures = [sampling.temperature for _, _, sampling in policy.requests]
    assert temperatures[0] == 0
    assert temperatures[1] == 1


def test_an_empty_continuation_finishes_a_reply() -> None:
    reply = searched(LinePolicy(lambda lines: []), simulations=3)
    assert (reply.text, reply.score) == ("", 0.0)


def test_a_search_told_the_answers_gives_a_right_reply_where_it_finds_one() -> None:
    problem = Problem(id="p", question="What is 1 + 3?", reference="6")
    agent = ToldMCTSAgent(LinePolicy(), search_settings(simulations=20, critic="told", choose="best"))
    assert isinstance(agent, ProblemAwareAgent)
    assert not isinstance(MCTSAgent(LinePolicy()), ProblemAwareAgent)
    agent.set_problems([problem])
    [reply] = agent.act([ASKED], SAMPLING, [0])
    assert "\\boxed{6}" in reply.text
    agent.set_problems([])
    with pytest.raises(ConfigError, match="does not know the problem"):
        agent.act([ASKED], SAMPLING, [0])


def test_a_search_over_an_agent_that_is_told_the_answers_is_refused() -> None:
    with pytest.raises(ConfigError, match="must be told the problem"):
        load_mcts_agent("expert", option="reply")


def test_flat_trees_are_reported_once(caplog: pytest.LogCaptureFixture) -> None:
    policy = LinePolicy(
        lambda lines: [] if lines else [("It is \\boxed{4}.", 0.5), ("Well, \\boxed{4}.", 0.5)]
    )
    agent = MCTSAgent(policy, search_settings(simulations=2))
    with caplog.at_level(logging.WARNING):
        agent.act([ASKED] * 50, SAMPLING, list(range(50)))
        short = MCTSAgent(LinePolicy(), search_settings(simulations=2))  # it never leaves the root
        short.act([ASKED] * 50, SAMPLING, list(range(50)))
    [message] = caplog.messages
    assert "option 'line' finds one option per reply in 20 of 20 searches: try sentence" in message


def test_the_name_has_the_settings_that_differ() -> None:
    assert MCTSAgent(LinePolicy()).name == "mcts(lines)"
    named = MCTSAgent(LinePolicy(), search_settings("alphallm", option="sentence")).name
    assert (
        named == "mcts(lines; option=sentence; alpha=4.0; rollouts=4; least_distance=20; process_weight=1.0)"
    )


@pytest.mark.parametrize("preset", PRESETS)
def test_presets_search(preset: str) -> None:
    reply = searched(LinePolicy(), preset=preset, simulations=6)
    assert "\\boxed" in reply.text


def test_settings_come_from_the_command_line() -> None:
    agent = load_mcts_agent(
        "tiny", inner={"dtype": "float32"}, preset="rstar", option="sentence", simulations=2
    )
    assert (agent.settings.depth, agent.settings.option, agent.settings.simulations) == (5, "sentence", 2)
    assert agent.format.model.startswith("tiny@")
    agent.close()
    with pytest.raises(ConfigError, match="no agent 'tinny'"):
        load_mcts_agent("tinny")


def test_considered_replies_of_an_episode_are_stored() -> None:
    from tests.rise_agents.fake_agents import envs

    agent = MCTSAgent(LinePolicy(), search_settings(simulations=10, keep=3))
    [episode] = rollout([TurnPlan(agent)] * 2, envs(1), [2], SAMPLING, seed=0)
    for turn in episode.turns:
        assert len(turn.considered) == 3
        scores = [attempt.score or 0.0 for attempt in turn.considered]
        assert scores == sorted(scores, reverse=True)
        assert turn.action.usage.calls == 10


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"critic": "verifier:tinny"}, "did you mean 'tiny'"),
        ({"rollout_agent": "tinny"}, "did you mean 'tiny'"),
        ({"inner": {"dtipe": "float32"}}, "did you mean 'dtype'"),
        ({"simulations": 0}, "simulations of a search must be at least 1"),
    ],
)
def test_settings_are_checked_before_a_model_is_loaded(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        check_mcts_settings("tiny", **settings)
    with pytest.raises(ConfigError, match="did you mean 'tiny'"):
        check_mcts_settings("tinny")
    check_mcts_settings("tiny", inner={"dtype": "float32"}, critic="verifier:tiny")


@pytest.mark.parametrize(
    ("settings", "most"),
    [
        ({"simulations": 7}, 7),
        ({"simulations": 7, "rollouts": 3}, 7 * 3),
        ({"simulations": 7, "rollouts": 2, "rollout_agent": "expert"}, 7 * 3),
        ({"simulations": 7, "least_distance": 9, "redraws": 4}, 7 * 5),
        ({"simulations": 7, "critic": "verifier:expert", "votes": 3, "process_weight": 1.0}, 7 * 10 + 3),
        ({"simulations": 7, "tokens": 100}, 7),
        ({"tokens": 100}, None),
        ({"preset": "mctsr"}, 16),
    ],
)
def test_a_reply_takes_at_most_the_calls_that_are_told_before(
    settings: dict[str, Any], most: int | None
) -> None:
    assert calls_per_reply("mcts:expert", settings) == most
    policies = LinePolicy(), LinePolicy(), LinePolicy()
    chosen = search_settings(**settings)
    agent = MCTSAgent(
        policies[0],
        chosen,
        rollout_agent=policies[1] if chosen.rollout_agent else None,
        verifier=policies[2] if chosen.verifier else None,
    )
    agent.act([ASKED], SamplingConfig(), [0])
    assert most is None or 0 < sum(len(policy.requests) for policy in policies) <= most


def test_a_search_with_a_search_takes_the_calls_of_both() -> None:
    inner = {"inner": {"simulations": 3}, "simulations": 5, "rollouts": 2}
    assert calls_per_reply("mcts:mcts:expert", inner) == 5 * 3 * 2
    assert calls_per_reply("mcts:mcts:expert", {"inner": {"tokens": 9}}) is None
    assert calls_per_reply("expert") == 1

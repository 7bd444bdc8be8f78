"""`run_scripts`: many scripts, each with several requests at once, in common batches."""

from collections.abc import Callable

import pytest

from rise_agents.backends.expert_agent import ExpertAgent
from rise_agents.deliberation.engine import run_scripts
from rise_agents.deliberation.script import Ask, Script, ask_seeds
from rise_agents.types import Agent, Reply, SamplingConfig
from rise_env.errors import ConfigError
from rise_env.types import Conversation
from rise_env.utils.seeding import derive
from tests.rise_agents.deliberation.majority_agent import questions
from tests.rise_agents.rollouts.streaming_agents import Guesser, Streamer

SAMPLING = SamplingConfig()
OTHER = SamplingConfig(temperature=0.5)


def run(*scripts: Script[object], limit: int | None = None) -> list[object]:
    """The results of scripts, in the order in which they end."""
    results: list[object] = []
    left = iter(scripts)
    run_scripts(lambda: next(left, None), results.append, limit=limit)
    return results


def rounds(agent: Agent, conversation: Conversation, seed: int, *widths: int) -> Script[object]:
    """Asks `widths[0]` times at once, then `widths[1]` times at once, and so on; returns all texts."""
    seeds = ask_seeds(seed)
    texts = []
    for width in widths:
        replies = yield [Ask(agent, conversation, next(seeds), SAMPLING) for _ in range(width)]
        texts.append([reply.text for reply in replies])
    return texts


def test_the_requests_of_all_scripts_to_one_agent_are_one_batch() -> None:
    agent = Guesser()
    run(*(rounds(agent, question, n, 3, 2) for n, question in enumerate(questions(10))))
    assert agent.batches == [30, 20]


def test_a_script_receives_its_replies_in_the_order_of_its_requests() -> None:
    for agent in (Guesser(), Streamer()):
        [question] = questions(1)
        [texts] = run(rounds(agent, question, 5, 4))
        assert texts == [[agent.reply(question, derive(5, n)).text for n in range(4)]]


@pytest.mark.parametrize("make", [Guesser, Streamer], ids=["lock step", "stream"])
@pytest.mark.parametrize("limit", [1, 3, None])
def test_a_script_gets_the_same_replies_alone_and_beside_others(
    make: Callable[[], Agent], limit: int | None
) -> None:
    def script(n: int) -> Script[object]:
        texts = yield from rounds(make_once, questions(20)[n], n, *[1 + n % 3] * (1 + n % 4))
        return n, texts

    make_once = make()
    alone = {str(run(script(n))) for n in range(20)}
    assert {str([result]) for result in run(*map(script, range(20)), limit=limit)} == alone


def test_requests_with_several_agents_and_samplings_at_once_reach_the_right_ones() -> None:
    first, second = Guesser(), Streamer()
    [question] = questions(1)

    def script() -> Script[object]:
        asks = [Ask(a, question, n, s) for n, a in enumerate((first, second)) for s in (SAMPLING, OTHER)]
        replies = yield asks
        return [reply.text for reply in replies] == [ask.agent.reply(question, ask.seed).text for ask in asks]  # type: ignore[attr-defined]

    assert run(*(script() for _ in range(3))) == [True] * 3
    assert first.sampled == second.sampled == {(0, 1.0), (0, 0.5)}
    assert sorted(first.batches) == [3, 3]
    assert second.streamed == 6


def test_in_a_stream_a_script_goes_on_while_others_wait() -> None:
    agent = Streamer()
    order: list[int] = []

    def script(n: int) -> Script[object]:
        yield from rounds(agent, questions(4)[n], n, 2, 2)
        order.append(n)

    run(*map(script, range(4)))
    assert agent.batches == []
    assert order == [3, 2, 1, 0], "the streamer answers the latest requests first, also those that follow"
    assert max(agent.open) == 8


def test_scripts_that_ask_nothing_or_an_empty_list_end() -> None:
    def silent() -> Script[object]:
        replies = yield []
        assert replies == []
        return "ended"
        yield

    assert run(silent(), silent()) == ["ended", "ended"]


def test_no_more_scripts_than_the_limit_run_at_a_time() -> None:
    agent = Guesser()
    run(*(rounds(agent, question, 0, 2, 2) for question in questions(7)), limit=3)
    assert agent.batches == [6, 6, 6, 6, 2, 2]


def test_a_failed_request_is_handed_to_its_script_alone() -> None:
    class Raises(Guesser):
        def reply(self, conversation: Conversation, seed: int) -> Reply:
            if seed == derive(3, 1):
                raise RuntimeError("no memory")
            return super().reply(conversation, seed)

    agent = Raises()

    def script(n: int) -> Script[object]:
        replies = yield [Ask(agent, questions(6)[n], derive(n, i), SAMPLING) for i in range(3)]
        return [(n, i, reply.text) for i, reply in enumerate(replies) if reply.finish == "error"]

    failed = [failure for failures in run(*map(script, range(6))) for failure in failures]  # type: ignore[attr-defined]
    assert failed == [(3, 1, "RuntimeError: no memory")]


def test_a_script_that_asks_an_expert_must_say_the_problem() -> None:
    [question] = questions(1)
    with pytest.raises(ConfigError, match="expert needs the problem of each conversation"):
        run(rounds(ExpertAgent(), question, 0, 1))

from pathlib import Path

import pytest

from rise_agents.backends.replay_agent import ReplayAgent
from rise_agents.backends.transformers_agent import TransformersAgent
from rise_agents.registry import load_agent
from rise_agents.rollouts.rollout import rollout
from rise_agents.rollouts.turn_plan import TurnPlan
from rise_agents.types import FormattedAgent, Reply, SamplingConfig
from rise_env.errors import DataNotFoundError, StoreError
from rise_env.types import Conversation
from tests.rise_agents.backends.faulty_server import full_disk
from tests.rise_agents.fake_agents import SeededAgent, envs, luck, number_in, right
from tests.rise_agents.thinking_agent import ThinkingAgent

ASKED: list[Conversation] = [({"role": "user", "content": f"What is {i} + {i}?"},) for i in range(3)]
SAMPLING = SamplingConfig()


def test_a_recorded_rollout_is_replayed_without_the_agent(tmp_path: Path) -> None:
    file = str(tmp_path / "c.jsonl")
    recorder = ReplayAgent(file, record=SeededAgent(luck))
    recorded = rollout(
        [TurnPlan(recorder), TurnPlan(recorder, num_samples=4)], envs(9), range(9), SAMPLING, seed=0
    )
    recorder.close()
    player = load_agent(f"replay:{file}")
    played = rollout([TurnPlan(player), TurnPlan(player, num_samples=4)], envs(9), range(9), SAMPLING, seed=0)
    assert played == recorded
    assert player.name == "seeded"


def test_replies_of_a_model_are_replayed_bit_for_bit(tmp_path: Path, random_model: Path) -> None:
    file = str(tmp_path / "c.jsonl")
    agent = TransformersAgent(str(random_model), logprobs=True)
    sampling = SamplingConfig(max_new_tokens=20)
    recorder = ReplayAgent(file, record=agent)
    recorded = recorder.act(ASKED, sampling, [1, 2, 3])
    recorder.close()
    played = ReplayAgent(file).act(ASKED[::-1], sampling, [3, 2, 1])
    assert played[::-1] == recorded
    assert all(reply.logprobs and reply.token_ids for reply in played)


def test_recorded_requests_are_not_asked_again(tmp_path: Path) -> None:
    agent = SeededAgent(luck)
    recorder = ReplayAgent(str(tmp_path / "c.jsonl"), record=agent)
    recorder.act(ASKED[:2], SAMPLING, [1, 2])
    recorder.act(ASKED, SAMPLING, [1, 2, 3])
    assert agent.batches == [2, 1]


@pytest.mark.parametrize(
    ("conversation", "sampling", "seed"),
    [
        pytest.param(ASKED[1], SAMPLING, 1, id="another conversation"),
        pytest.param(ASKED[0], SAMPLING, 2, id="another seed"),
        pytest.param(ASKED[0], SamplingConfig(temperature=0.5), 1, id="another temperature"),
    ],
)
def test_a_missing_reply_says_what_to_do(
    tmp_path: Path, conversation: Conversation, sampling: SamplingConfig, seed: int
) -> None:
    file = str(tmp_path / "c.jsonl")
    ReplayAgent(file, record=SeededAgent(luck)).act(ASKED[:1], SAMPLING, [1])
    with pytest.raises(DataNotFoundError, match=r"holds no reply to 1 of 1 requests.*record=AGENT"):
        ReplayAgent(file).act([conversation], sampling, [seed])


def test_a_missing_reply_is_not_taken_for_a_failed_episode(tmp_path: Path) -> None:
    file = str(tmp_path / "c.jsonl")
    ReplayAgent(file, record=SeededAgent(luck)).act(ASKED[:1], SAMPLING, [1])
    with pytest.raises(DataNotFoundError):
        rollout([TurnPlan(ReplayAgent(file))], envs(2), [0, 1], SAMPLING, seed=0)


class Counting(SeededAgent):
    """Takes requests without seeds; every reply is another one."""

    def act(self, conversations, sampling, seeds=None):  # type: ignore[no-untyped-def]
        self.batches.append(len(conversations))
        return [Reply(text=f"{len(self.batches)}/{i}") for i in range(len(conversations))]


def test_repeated_requests_without_seeds_are_numbered_in_order(tmp_path: Path) -> None:
    file = str(tmp_path / "c.jsonl")
    recorder = ReplayAgent(file, record=Counting(luck))
    first = recorder.act([ASKED[0], ASKED[0]], SAMPLING) + recorder.act([ASKED[0]], SAMPLING)
    assert [reply.text for reply in first] == ["1/0", "1/1", "2/0"]
    player = ReplayAgent(file)
    assert player.act([ASKED[0]], SAMPLING) + player.act([ASKED[0]] * 2, SAMPLING) == first


def test_failed_replies_are_not_recorded(tmp_path: Path) -> None:
    class Failing(SeededAgent):
        def act(self, conversations, sampling, seeds=None):  # type: ignore[no-untyped-def]
            return [
                Reply(text="gone", finish="error") if number_in(c) == 1 else Reply(text=right(c))
                for c in conversations
            ]

    file = str(tmp_path / "c.jsonl")
    assert ReplayAgent(file, record=Failing(luck)).act(ASKED, SAMPLING, [1, 2, 3])[1].finish == "error"
    with pytest.raises(DataNotFoundError, match="1 of 3"):
        ReplayAgent(file).act(ASKED, SAMPLING, [1, 2, 3])


def test_a_partial_last_line_is_recorded_again(tmp_path: Path) -> None:
    file = tmp_path / "c.jsonl"
    ReplayAgent(str(file), record=SeededAgent(luck)).act(ASKED, SAMPLING, [1, 2, 3])
    file.write_bytes(file.read_bytes()[:-9])
    agent = SeededAgent(luck)
    ReplayAgent(str(file), record=agent).act(ASKED, SAMPLING, [1, 2, 3])
    assert agent.batches == [1]
    assert len(ReplayAgent(str(file)).act(ASKED, SAMPLING, [1, 2, 3])) == 3


@pytest.mark.parametrize("start", ["", '{"ki', '{"kind":"replay","schema":1,"agent":"see'])
def test_a_file_without_a_whole_first_line_counts_as_empty(tmp_path: Path, start: str) -> None:
    file = tmp_path / "c.jsonl"
    file.write_text(start)
    replies = ReplayAgent(str(file), record=SeededAgent(luck)).act(ASKED, SAMPLING, [1, 2, 3])
    assert ReplayAgent(str(file)).act(ASKED, SAMPLING, [1, 2, 3]) == replies


@pytest.mark.parametrize("content", ["notes", '{"kind":"run","schema":1'])
def test_a_file_of_another_kind_is_not_overwritten(tmp_path: Path, content: str) -> None:
    file = tmp_path / "c.jsonl"
    file.write_text(content)
    with pytest.raises(StoreError, match="not a reply log"):
        ReplayAgent(str(file), record=SeededAgent(luck))
    assert file.read_text() == content


def test_a_full_disk_leaves_whole_lines(tmp_path: Path) -> None:
    file = tmp_path / "c.jsonl"
    recorder = ReplayAgent(str(file), record=SeededAgent(luck))
    with full_disk(30), pytest.raises(StoreError, match=r"cannot write to .*make room"):
        recorder.act(ASKED, SAMPLING, [1, 2, 3])
    assert file.read_bytes() == b""
    recorder.act(ASKED[:1], SAMPLING, [1])
    whole = file.read_bytes()
    with full_disk(len(whole) + 30), pytest.raises(StoreError, match=r"cannot write to .*make room"):
        recorder.act(ASKED, SAMPLING, [1, 2, 3])
    assert file.read_bytes() == whole


def test_the_reply_log_of_another_agent_is_refused(tmp_path: Path) -> None:
    file = str(tmp_path / "c.jsonl")
    ReplayAgent(file, record=SeededAgent(luck, name="a")).act(ASKED, SAMPLING, [1, 2, 3])
    with pytest.raises(StoreError, match="replies of 'a', not of 'b'"):
        ReplayAgent(file, record=SeededAgent(luck, name="b"))


def test_no_file_and_no_agent_to_record_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DataNotFoundError, match="record=AGENT"):
        load_agent(f"replay:{tmp_path / 'none.jsonl'}")


@pytest.mark.parametrize("content", ["", "{}\n", "hello\n", '{"kind":"run"}\n'])
def test_a_file_of_another_kind_is_refused(tmp_path: Path, content: str) -> None:
    file = tmp_path / "c.jsonl"
    file.write_text(content)
    with pytest.raises(StoreError, match="not a reply log"):
        ReplayAgent(str(file))


def test_the_loader_records_an_agent_named_by_text(tmp_path: Path) -> None:
    file = str(tmp_path / "c.jsonl")
    spec = "tests.rise_agents.slow_agents:make_agent"
    agent = load_agent(f"replay:{file}", record=spec, settings={"seconds": 0.0})
    replies = agent.act(ASKED, SAMPLING, [1, 2, 3])
    agent.close()
    assert load_agent(f"replay:{file}").act(ASKED, SAMPLING, [1, 2, 3]) == replies


def test_a_replayed_agent_has_the_thoughts_tokens_and_format_of_the_recorded_one(tmp_path: Path) -> None:
    file = str(tmp_path / "r.jsonl")
    recorded = ThinkingAgent(stops=(2, 5))
    question: Conversation = ({"role": "user", "content": "2 + 2?"},)
    replies = ReplayAgent(file, record=recorded).act([question], SAMPLING, [1])
    replayed = ReplayAgent(file)
    assert replayed.act([question], SAMPLING, [1]) == replies
    assert (replies[0].token_ids, replies[0].logprobs) == ((5, 6), (-0.5, -1.0))
    assert replies[0].reasoning
    assert isinstance(replayed, FormattedAgent)
    assert replayed.format == recorded.format


def test_the_replies_of_one_format_are_not_replayed_for_another(tmp_path: Path) -> None:
    file = str(tmp_path / "r.jsonl")
    question: Conversation = ({"role": "user", "content": "2 + 2?"},)
    ReplayAgent(file, record=ThinkingAgent()).act([question], SAMPLING, [1])
    with pytest.raises(StoreError, match="with another stop_tokens"):
        ReplayAgent(file, record=ThinkingAgent(stops=(2, 5)))


def test_an_agent_whose_format_is_unknown_is_replayed_without_one(tmp_path: Path) -> None:
    file = str(tmp_path / "r.jsonl")
    question: Conversation = ({"role": "user", "content": "2 + 2?"},)
    ReplayAgent(file, record=ThinkingAgent(knows_format=False)).act([question], SAMPLING, [1])
    assert not isinstance(ReplayAgent(file), FormattedAgent)
    assert isinstance(ReplayAgent(file, record=ThinkingAgent()), FormattedAgent)

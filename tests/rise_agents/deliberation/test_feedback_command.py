"""`--feedback agent:AGENT`: with a server and with the tiny model, killed and resumed with equal stores."""

import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from rise_agents.cli import collect, evaluate
from rise_agents.deliberation.agent_feedback import PROMPT
from rise_agents.rollouts.collect_config import CollectConfig
from rise_env.errors import ConfigError
from rise_env.trajectories.store import read_run, read_trajectories
from rise_env.types import Trajectory
from tests.rise_agents.backends.faulty_server import serving
from tests.waiting import PATIENCE_S

ROOT = Path(__file__).parents[3]
SLOW = "tests.rise_agents.slow_agents:make_agent"


def arguments(out: Path, agent: str, feedback: str, *more: str) -> list[str]:
    made = ["RISE-Arithmetic-v0", "--agent", agent, "--feedback", f"agent:{feedback}", *more]
    return [*made, "--turns", "3", "--out", str(out)]


def start(*given: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "rise_env.cli.main", "collect", *given]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def rows(out: Path) -> list[Trajectory]:
    return list(read_trajectories(out / "trajectories.jsonl"))


class Gate:
    """Counts requests, holds two of them until both have arrived, and kills a process at a later one.

    The first request is answered at once, because the agent sends no other one before its answer.
    """

    def __init__(self) -> None:
        self.barrier = threading.Barrier(2)
        self.lock = threading.Lock()
        self.count = 0
        self.kill_at = 0
        self.process: subprocess.Popen[bytes] | None = None

    def reply(self, label: str) -> str:
        with self.lock:
            self.count += 1
            number = self.count
        if number in (2, 3):
            self.barrier.wait(PATIENCE_S)
        if number == self.kill_at and self.process is not None:
            self.process.send_signal(signal.SIGKILL)
        return f"Check step {len(label) % 7}."


def test_a_killed_collection_with_feedback_from_a_server_continues_and_ends_with_the_same_episodes(
    tmp_path: Path,
) -> None:
    gate = Gate()

    def label(body: dict[str, list[dict[str, str]]]) -> str:
        return "\n".join(message["content"] for message in body["messages"])

    with serving(lambda _: [], label, gate.reply) as server:
        options = (
            "--limit",
            "12",
            "--max_concurrent_episodes",
            "4",
            "--feedback_settings.sampling.max_new_tokens",
            "50",
        )
        critic = f"openai:m@{server.url}"
        assert collect.main(arguments(tmp_path / "undisturbed", SLOW, critic, *options)) == 0
        assert not gate.barrier.broken, "two requests were in flight at the same time"
        assert gate.count == 12 * 2
        assert all(body["messages"][-1]["content"] == PROMPT for body in server.bodies)
        assert {body["max_tokens"] for body in server.bodies} == {50}

        gate.kill_at = gate.count + 15
        killed = arguments(tmp_path / "killed", SLOW, critic, *options)
        gate.process = start(*killed)
        assert gate.process.wait() == -signal.SIGKILL
        kept = rows(tmp_path / "killed")
        assert 0 < len(kept) < 12
        assert collect.main(killed) == 0
    expected = rows(tmp_path / "undisturbed")
    assert sorted(rows(tmp_path / "killed"), key=lambda t: t.id) == sorted(expected, key=lambda t: t.id)
    assert len(expected) == 12
    assert all(turn.feedback for episode in expected for turn in episode.turns[:-1])


@pytest.mark.slow
def test_a_killed_collection_of_the_tiny_model_with_feedback_ends_with_the_same_episodes(
    tmp_path: Path,
) -> None:
    flag = tmp_path / "killed once"
    critic = "tests.rise_agents.slow_agents:make_deadly"
    options: tuple[str, ...] = (
        "--limit",
        "12",
        "--sampling.max_new_tokens",
        "40",
        "--max_concurrent_episodes",
        "2",
    )
    options += ("--feedback_settings.agent_settings", f'{{"flag": "{flag}", "calls": 7}}')
    assert start(*arguments(tmp_path / "killed", "tiny", critic, *options)).wait() == -signal.SIGKILL
    assert 0 < len(rows(tmp_path / "killed")) < 12
    for out in ("killed", "undisturbed"):
        assert collect.main(arguments(tmp_path / out, "tiny", critic, *options)) == 0
    expected = rows(tmp_path / "undisturbed")
    assert sorted(rows(tmp_path / "killed"), key=lambda t: t.id) == sorted(expected, key=lambda t: t.id)


def test_the_tiny_model_can_write_feedback_to_itself(tmp_path: Path) -> None:
    options = ("--limit", "3", "--stop_when_correct", "false", "--sampling.max_new_tokens", "30")
    assert collect.main(arguments(tmp_path, "tiny", "tiny", *options)) == 0
    record = read_run(tmp_path / "trajectories.jsonl")
    assert record["feedback"]["prompt"] == PROMPT
    for episode in rows(tmp_path):
        [first, second, _] = episode.turns
        assert first.feedback is not None
        assert first.feedback.agent == first.action.agent
        assert first.feedback.usage.completion_tokens > 0
        assert second.observation[-1]["content"] == first.feedback.text


def test_dry_runs_count_the_feedback(capsys: pytest.CaptureFixture[str]) -> None:
    given = ["RISE-Arithmetic-v0", "--agent", "tiny", "--limit", "10", "--turns", "3", "--out", "x"]
    assert collect.main([*given, "--dry-run"]) == 0
    assert "at most 30 calls" in capsys.readouterr().out
    assert collect.main([*given, "--feedback", "agent:tiny", "--dry-run"]) == 0
    assert "at most 50 calls" in capsys.readouterr().out
    given = ["RISE-Arithmetic-v0", "--agent", "tiny", "--feedback", "agent:tiny", "--limit", "10"]
    assert evaluate.main([*given, "--turns", "3", "--dry-run"]) == 0
    assert "agent_feedback 10 episodes: at most 50 calls" in capsys.readouterr().out


@pytest.mark.parametrize("told", [False, True])
def test_an_evaluation_plays_one_more_protocol_whose_name_says_whether_the_agent_is_told(
    tmp_path: Path, told: bool
) -> None:
    given = ["RISE-Arithmetic-v0", "--agent", SLOW, "--feedback", f"agent:{SLOW}", "--limit", "3"]
    if told:
        given += ["--feedback_settings.told", "true"]
    assert evaluate.main([*given, "--turns", "2", "--out", str(tmp_path)]) == 0
    name = "told_feedback" if told else "agent_feedback"
    assert {path.stem for path in tmp_path.rglob("*.jsonl")} == {"sequential", "parallel", name}
    [log] = tmp_path.rglob(f"{name}.jsonl")
    assert read_run(log)["feedback"]["told"] == told
    assert all(e.turns[0].feedback and e.turns[0].feedback.told == told for e in read_trajectories(log))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"feedback": "oracle"}, "write agent:AGENT"),
        ({"feedback": "agent:"}, "write agent:AGENT"),
        ({"feedback": "agent:tiny", "env_settings": {"feedback": "blind"}}, "give one"),
        ({"feedback": "agent:tiny", "feedback_settings": {"prompt": "{reference}"}}, "set told to true"),
        ({"feedback_settings": {"told": True}}, "feedback_settings need an agent"),
    ],
)
def test_contradicting_settings_are_refused(settings: dict[str, object], message: str) -> None:
    from rise_env.utils.settings import build

    with pytest.raises(ConfigError, match=message):
        build(CollectConfig, {"env": "RISE-Arithmetic-v0", "agent": "tiny", "out": "x", **settings})


def test_the_protocols_with_feedback_need_an_agent() -> None:
    with pytest.raises(ConfigError, match="no agent plays the protocol told_feedback"):
        evaluate.main(["RISE-Arithmetic-v0", "--protocols", "[sequential, told_feedback]", "--dry-run"])

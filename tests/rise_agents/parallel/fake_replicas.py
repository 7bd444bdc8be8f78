"""Agents for tests of `DataParallelAgent`; each replica makes its own in its process.

The environment variable REPLICA holds the number of the replica.
"""

import os
import signal
import time
from collections.abc import Sequence
from pathlib import Path

from rise_agents.backends.scripted_agent import ScriptedAgent
from rise_agents.parallel.data_parallel import DataParallelAgent
from rise_agents.types import Agent, OnReply, Reply, SamplingConfig, StreamRequests
from rise_env.errors import ConfigError
from rise_env.types import Conversation
from tests.rise_agents.fake_agents import SeededAgent, luck
from tests.waiting import PATIENCE_S

SAMPLING = SamplingConfig()


class Streamer(SeededAgent):
    """Answers the latest request first."""

    max_concurrent_requests = 7

    def stream(self, requests: StreamRequests, sampling: SamplingConfig, on_reply: OnReply) -> None:
        stack = list(requests.items())
        while stack:
            number, (conversation, seed) = stack.pop()
            stack.extend(on_reply(number, self.act([conversation], sampling, [seed])[0]).items())


def echo(conversation: Conversation) -> str:
    return f"{os.environ['REPLICA']}: {conversation[-1]['content']}"


def make_echo() -> Agent:
    """Replies with the replica's number and the question; does not stream."""
    return ScriptedAgent(echo, name="echo")


def make_streaming_echo() -> Agent:
    """Replies with the replica's number and the question."""
    return Streamer(lambda conversation, _: echo(conversation))


def make_lucky() -> Agent:
    """Replies with `luck`."""
    return Streamer(luck)


def make_waiting(file: str) -> Agent:
    """Its replica 0 replies only once the file exists."""

    def answer(conversation: Conversation, seed: int) -> str:
        deadline = time.monotonic() + PATIENCE_S
        while os.environ["REPLICA"] == "0" and not Path(file).exists():
            if time.monotonic() > deadline:
                return "0: timeout"
            time.sleep(0.01)
        return f"{os.environ['REPLICA']}: done"

    return Streamer(answer)


class Failing(Streamer):
    """Leaves out its reply to "forget"."""

    def act(
        self,
        conversations: Sequence[Conversation],
        sampling: SamplingConfig,
        seeds: Sequence[int] | None = None,
    ) -> list[Reply]:
        replies = super().act(conversations, sampling, seeds)
        return [reply for reply in replies if reply.text != "forget"]


def make_failing() -> Agent:
    """Fails in the way that the question names; otherwise replies with the question."""

    def answer(conversation: Conversation, seed: int) -> str:
        question = conversation[-1]["content"]
        if question == "sleep":
            time.sleep(10_000)
        if question == "ignore exit":
            try:
                time.sleep(10_000)
            except SystemExit as error:
                raise ValueError from error
        if question == "die":
            os.kill(os.getpid(), signal.SIGKILL)
        if question == "refuse":
            raise ConfigError("no such thing")
        if question == "fail":
            raise ZeroDivisionError
        return question

    return Failing(answer, name="failing")


def make_forking(file: str) -> Agent:
    """Forks a child that keeps all files open, writes the child's process id to the file, and dies."""

    def answer(conversation: Conversation, seed: int) -> str:
        child = os.fork()
        if not child:
            time.sleep(10_000)
        Path(file).write_text(str(child))
        os.kill(os.getpid(), signal.SIGKILL)
        return ""

    return Streamer(answer)


def make_invalid() -> Agent:
    """Cannot be made."""
    raise ConfigError("no such thing")


def make_slow_to_close(folder: str) -> Agent:
    """A failing agent that takes half a second to close, and then creates a file in the folder."""
    agent = make_failing()

    def close() -> None:
        time.sleep(0.5)
        (Path(folder) / f"{os.environ['REPLICA']}-{os.getpid()}").touch()

    agent.close = close  # type: ignore[method-assign]
    return agent


def replicas(count: int, factory: str, **settings: object) -> DataParallelAgent:
    return DataParallelAgent(f"{__name__}:{factory}", settings, [{"REPLICA": str(i)} for i in range(count)])


def ask(text: str) -> Conversation:
    return ({"role": "system", "content": "The same for all."}, {"role": "user", "content": text})


def requests(*texts: str) -> dict[int, tuple[Conversation, int]]:
    return {number: (ask(text), number) for number, text in enumerate(texts)}


def no_more(number: int, reply: Reply) -> StreamRequests:
    return {}


def replicas_of(replies: list[Reply]) -> list[str]:
    """The number of the replica that gave each reply."""
    return [reply.text.partition(":")[0] for reply in replies]

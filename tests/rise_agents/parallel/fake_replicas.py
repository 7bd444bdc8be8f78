"""Small agents that are copied to processes of their own."""

import os
import signal
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from rise_agents.backends.scripted_agent import ScriptedAgent
from rise_agents.parallel.data_parallel import DataParallelAgent
from rise_agents.types import Agent, Reply, SamplingConfig
from rise_env.errors import ConfigError
from rise_env.types import Conversation
from tests.rise_agents.fake_agents import SeededAgent, luck

SAMPLING = SamplingConfig()
Requests = Mapping[int, tuple[Conversation, int]]


class Streamer(SeededAgent):
    """Answers the latest request first."""

    max_concurrent_requests = 7

    def stream(
        self, requests: Requests, sampling: SamplingConfig, on_reply: Callable[[int, Reply], Requests]
    ) -> None:
        stack = list(requests.items())
        while stack:
            key, (conversation, seed) = stack.pop()
            stack.extend(on_reply(key, self.act([conversation], sampling, [seed])[0]).items())


def make_teller() -> Agent:
    """Tells which copy answers, and what it was asked."""
    return ScriptedAgent(lambda said: f"{os.environ['COPY']}: {said[-1]['content']}", name="teller")


def make_streamer() -> Agent:
    return Streamer(lambda said, _: f"{os.environ['COPY']}: {said[-1]['content']}")


def make_lucky() -> Agent:
    return Streamer(luck)


def make_waiter(file: str) -> Agent:
    """Its first copy answers late: when there is the file."""

    def answer(conversation: Conversation, seed: int) -> str:
        deadline = time.monotonic() + 30
        while os.environ["COPY"] == "0" and not Path(file).exists():
            if time.monotonic() > deadline:
                return "0: in vain"
            time.sleep(0.01)
        return f"{os.environ['COPY']}: done"

    return Streamer(answer)


class Breaker(Streamer):
    """Forgets a reply where it is asked to."""

    def act(
        self,
        conversations: Sequence[Conversation],
        sampling: SamplingConfig,
        seeds: Sequence[int] | None = None,
    ) -> list[Reply]:
        replies = super().act(conversations, sampling, seeds)
        return [reply for reply in replies if reply.text != "forget"]


def make_breaker() -> Agent:
    def answer(conversation: Conversation, seed: int) -> str:
        what = conversation[-1]["content"]
        if what == "sleep":
            time.sleep(100)
        if what == "insist":
            try:
                time.sleep(100)
            except SystemExit as error:
                raise ValueError from error
        if what == "die":
            os.kill(os.getpid(), signal.SIGKILL)
        if what == "refuse":
            raise ConfigError("no such thing")
        if what == "fail":
            raise ZeroDivisionError
        return what

    return Breaker(answer, name="breaker")


def make_parent(file: str) -> Agent:
    """Forks a process that keeps all files open, and dies."""

    def answer(conversation: Conversation, seed: int) -> str:
        child = os.fork()
        if not child:
            time.sleep(100)
        Path(file).write_text(str(child))
        os.kill(os.getpid(), signal.SIGKILL)
        return ""

    return Streamer(answer)


def make_refuser() -> Agent:
    raise ConfigError("no such thing")


def make_recorder(folder: str) -> Agent:
    """Takes a while to close, and leaves a file."""
    agent = make_breaker()

    def close() -> None:
        time.sleep(0.5)
        (Path(folder) / f"{os.environ['COPY']}-{os.getpid()}").touch()

    agent.close = close  # type: ignore[method-assign]
    return agent


def copies(count: int, factory: str, **settings: object) -> DataParallelAgent:
    return DataParallelAgent(f"{__name__}:{factory}", settings, [{"COPY": str(i)} for i in range(count)])


def ask(text: str) -> Conversation:
    return ({"role": "system", "content": "The same for all."}, {"role": "user", "content": text})


def requests(*texts: str) -> dict[int, tuple[Conversation, int]]:
    return {key: (ask(text), key) for key, text in enumerate(texts)}


def end(key: int, reply: Reply) -> Requests:
    return {}


def who(replies: list[Reply]) -> list[str]:
    return [reply.text.partition(":")[0] for reply in replies]

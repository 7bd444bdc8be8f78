"""A local chat server that fails in the ways of real servers, and records its requests."""

import json
import resource
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.waiting import PATIENCE_S

Fault = Callable[["Handler"], bool]
"""Answers wrongly and returns True, or returns False to let the request through."""


class FaultyServer(ThreadingHTTPServer):
    """Each request meets the faults of its content in order, then a proper answer.

    Args:
        faults: From a request's label to what it meets, one per try.
        label: From a request's body to what tells it apart from others.
        reply: From a label to the text of the proper answer; called just before that is sent.
    """

    daemon_threads = True
    request_queue_size = 128

    def __init__(
        self,
        faults: Callable[[str], list[Fault]],
        label: Callable[[Any], str],
        reply: Callable[[str], str],
    ) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.faults, self.label, self.reply = faults, label, reply
        self.tries: Counter[str] = Counter()
        """Requests by their labels."""
        self.successes: Counter[str] = Counter()
        self.bodies: list[dict[str, Any]] = []
        self.headers: list[str] = []
        self.paths: list[str] = []
        self.times: list[float] = []
        self.lock = threading.Lock()

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.server_address[1]}/v1"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is part of the test."""


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    server: FaultyServer
    protocol_version = "HTTP/1.1"
    timeout = 60
    disable_nagle_algorithm = True  # head and body are sent apart

    def do_POST(self) -> None:
        """Fail, or answer."""
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        text = self.server.label(body)
        with self.server.lock:
            number = self.server.tries[text]
            self.server.tries[text] += 1
            self.server.bodies.append(body)
            self.server.headers.append(str(self.headers))
            self.server.paths.append(self.path)
            self.server.times.append(time.monotonic())
        faults = self.server.faults(text)
        if number < len(faults) and faults[number](self):
            return
        with self.server.lock:
            self.server.successes[text] += 1
        self.answer(200, chat(self.server.reply(text)))

    def answer(self, status: int, body: Any, **headers: str) -> None:
        """Send a JSON answer."""
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(data)))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *arguments: Any) -> None:
        """Say nothing."""


def chat(text: str, finish: str = "stop") -> dict[str, Any]:
    """A proper answer."""
    message = {"role": "assistant", "content": text}
    return {
        "id": "1",
        "object": "chat.completion",
        "created": 0,
        "model": "m",
        "choices": [{"index": 0, "message": message, "finish_reason": finish}],
        "usage": {"prompt_tokens": 10, "completion_tokens": 4, "total_tokens": 14},
    }


def counted(usage: Any) -> Fault:
    """Answer properly, but for the tokens used."""
    return garbled({**chat("counted"), "usage": usage})


def status(code: int, **headers: str) -> Fault:
    """Answer with an error status."""

    def fault(handler: Handler) -> bool:
        handler.answer(code, {"error": {"message": f"status {code}", "type": "t"}}, **headers)
        return True

    return fault


def garbled(body: Any) -> Fault:
    """Answer 200 with something that is no reply."""

    def fault(handler: Handler) -> bool:
        handler.answer(200, body)
        return True

    return fault


def cut(handler: Handler) -> bool:
    """Break the connection in the middle of the answer."""
    handler.send_response(200)
    handler.send_header("content-type", "application/json")
    handler.send_header("content-length", "1000")
    handler.end_headers()
    handler.wfile.write(b'{"id": "1", "cho')
    handler.close_connection = True
    handler.connection.close()
    return True


def slow(seconds: float) -> Fault:
    """Say nothing for a while, and then nothing proper."""

    def fault(handler: Handler) -> bool:
        time.sleep(seconds)
        handler.close_connection = True
        return True

    return fault


AT_ONCE = {"retry_after": "0"}

PASSING: list[Fault] = [
    status(429, **AT_ONCE),
    status(500, **AT_ONCE),
    status(503, **AT_ONCE),
    cut,
    garbled(b'{"id": "1", "choi'),
    garbled({"id": "1", "choices": []}),
    garbled({"id": "1", "choices": [{"index": 0, "message": {"role": "assistant", "content": 7}}]}),
]
"""What a client should try again after."""


def until(event: threading.Event) -> Fault:
    """Wait for something, and then let the request through; reject it if that never comes."""

    def fault(handler: Handler) -> bool:
        return not event.wait(PATIENCE_S) and status(400)(handler)

    return fault


def together(barrier: threading.Barrier, fault: Fault) -> Fault:
    """Wait for others, and then meet a fault."""

    def meet(handler: Handler) -> bool:
        barrier.wait(PATIENCE_S)
        return fault(handler)

    return meet


def passing(handler: Handler) -> bool:
    """Let the request through."""
    return False


@contextmanager
def full_disk(size: int) -> Iterator[None]:
    """Let no file grow beyond so many bytes: a write goes as far as that, the next one fails."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@contextmanager
def serving(
    faults: Callable[[str], list[Fault]],
    label: Callable[[Any], str] = lambda body: body["messages"][-1]["content"],
    reply: Callable[[str], str] = lambda label: f"reply to {label}",
) -> Iterator[FaultyServer]:
    """Run a server while the block runs."""
    server = FaultyServer(faults, label, reply)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def agent_of(server: FaultyServer, **settings: Any) -> Any:
    """Return an `OpenAIAgent` that asks this server."""
    from rise_agents.backends.openai_agent import OpenAIAgent

    return OpenAIAgent(f"m@{server.url}", **settings)


def trusting_agent_of(server: FaultyServer, **settings: Any) -> Any:
    """Return an `OpenAIAgent` that has had an answer, so that it sends many requests at a time at once."""
    agent = agent_of(server, **settings)
    agent._health.succeeded(None)
    return agent

"""Without a network, a set that is not here is missed at once; the tests count what is asked of the hub."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from rise_env.problems.hub import unreachable

pytest.importorskip("datasets")

MAKE = """
import json, socket, sys
tried = []
connect = socket.socket.connect
def counted(self, address):
    tried.append(str(address))
    return connect(self, address)
socket.socket.connect = counted
import rise_env
try:
    rise_env.make(sys.argv[1], **json.loads(sys.argv[2]))
except rise_env.RiseError as error:
    print(json.dumps([type(error).__name__, str(error), len(tried)]))
import datasets, huggingface_hub
assert datasets.config.HF_HUB_OFFLINE == huggingface_hub.constants.HF_HUB_OFFLINE == (len(sys.argv) > 3)
"""


def make(tmp_path: Path, endpoint: str, env: str, *words: str, **settings: Any) -> tuple[list[Any], str]:
    hidden = ("HF_HUB_OFFLINE", "HF_DATASETS_OFFLINE", "RISE_DATA_DIR")
    variables = {name: value for name, value in os.environ.items() if name not in hidden}
    variables |= {"HF_ENDPOINT": endpoint, "HF_HOME": str(tmp_path), "NO_PROXY": "*"}
    if words:
        variables["HF_HUB_OFFLINE"] = "1"
    command = [sys.executable, "-c", MAKE, env, json.dumps(settings), *words]
    done = subprocess.run(command, capture_output=True, text=True, env=variables, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout), done.stderr


CLOSED = "http://127.0.0.1:9"


@pytest.mark.parametrize(
    ("env", "settings", "data"),
    [("RISE-GSM8K-v0", {}, "openai/gsm8k"), ("RISE-Custom-v0", {"dataset": "some/data"}, "some/data")],
)
def test_without_a_network_one_try_decides(
    tmp_path: Path, env: str, settings: dict[str, str], data: str
) -> None:
    [kind, message, tries], printed = make(tmp_path, CLOSED, env, **settings)
    assert kind == "DataNotFoundError"
    assert tries == 1
    assert f"the hub did not give {data!r}: ConnectionError: no connection to {CLOSED} (" in message
    assert "and no copy in the cache" in message
    assert "\n" not in message
    assert "Retrying" not in printed


def test_in_the_offline_mode_nothing_is_tried(tmp_path: Path) -> None:
    [kind, _, tries], _ = make(tmp_path, CLOSED, "RISE-GSM8K-v0", "offline")
    assert (kind, tries) == ("DataNotFoundError", 0)


@pytest.fixture
def answering() -> Iterator[tuple[str, list[str]]]:
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            asked.append(f"{self.command} {self.path}")
            self.send_error(404)

        do_GET = do_HEAD = do_POST = answer

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", asked
    server.shutdown()
    server.server_close()


def test_a_hub_that_answers_is_asked_for_the_data(tmp_path: Path, answering: tuple[str, list[str]]) -> None:
    endpoint, asked = answering
    [kind, message, _], _ = make(tmp_path, endpoint, "RISE-GSM8K-v0")
    assert kind == "DataNotFoundError"
    assert "no connection" not in message
    assert any("gsm8k" in path for path in asked)


def test_an_error_of_a_server_is_an_answer(answering: tuple[str, list[str]]) -> None:
    assert unreachable(answering[0]) is None
    assert answering[1] == ["HEAD /"]
    assert "refused" in (unreachable(CLOSED) or "")
    assert unreachable("http://no-such-host.invalid")

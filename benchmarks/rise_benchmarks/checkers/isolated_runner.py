"""Runs one checker on labelled cases in a process of its own, which is killed if it hangs.

Run as a module, this file is that process. It answers every case with one JSON line:

    python -m rise_benchmarks.checkers.isolated_runner NAME
"""

import contextlib
import json
import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from typing import Any

from rise_benchmarks.checkers.cases import Case, Outcome
from rise_benchmarks.checkers.peers import Peer, load

_START_LIMIT = 180.0
"""The largest number of seconds that a process may take to load its checker, or to check in threads."""


class IsolatedRunner:
    """One checker in a process and a temporary folder of its own, with a time limit for every case.

    Args:
        name: The name of the checker; see `peers.NAMES`.
        limit: The largest number of seconds for one case. A process that needs more is killed and replaced.
    """

    def __init__(self, name: str, *, limit: float = 10.0) -> None:
        self.name = name
        self.limit = limit
        self._folder = tempfile.mkdtemp(prefix="rise-checker-")
        self._process: subprocess.Popen[bytes] | None = None
        self._rest = b""

    def run(self, case: Case) -> Outcome:
        """Check one case."""
        before = set(os.listdir(self._folder))
        answer = self._ask(_request(case), self.limit)
        new = set(os.listdir(self._folder)) - before
        for path in new:
            shutil.rmtree(os.path.join(self._folder, path), ignore_errors=True)
            if os.path.exists(os.path.join(self._folder, path)):
                os.unlink(os.path.join(self._folder, path))
        if answer is None:
            return Outcome(accepted=False, verdict="", seconds=self.limit, error="killed", files=len(new))
        accepted, verdict, error, seconds = answer
        return Outcome(accepted=accepted, verdict=verdict, seconds=seconds, error=error, files=len(new))

    def run_in_threads(self, cases: Sequence[Case], threads: int) -> list[bool] | None:
        """Return whether each case is accepted when several threads check them at once.

        Returns:
            One value per case, or None if the checks did not end in time and the process was killed.
        """
        pairs = [_request(case) for case in cases]
        accepted: list[bool] | None = self._ask({"threads": threads, "cases": pairs}, _START_LIMIT)
        return accepted

    def _ask(self, request: Any, limit: float) -> Any:
        if self._process is None:
            self._start()
        assert self._process is not None
        assert self._process.stdin is not None
        try:
            self._process.stdin.write((json.dumps(request) + "\n").encode())
            self._process.stdin.flush()
            line = self._line(limit)
        except OSError:
            line = None
        if line is None:
            self.close(keep_folder=True)
            return None
        return json.loads(line)

    def _start(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "rise_benchmarks.checkers.isolated_runner", self.name],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=self._folder,
            start_new_session=True,
        )
        self._rest = b""
        if self._line(_START_LIMIT) is None:
            load(self.name)  # raises the error of the process, if loading failed
            raise RuntimeError(f"the checker {self.name!r} did not start")

    def _line(self, limit: float) -> bytes | None:
        assert self._process is not None
        assert self._process.stdout is not None
        output = self._process.stdout.fileno()
        end = time.monotonic() + limit
        while b"\n" not in self._rest:
            if not select.select([output], [], [], max(0.0, end - time.monotonic()))[0]:
                return None
            piece = os.read(output, 1 << 16)
            if not piece:
                return None
            self._rest += piece
        line, self._rest = self._rest.split(b"\n", 1)
        return line

    def close(self, *, keep_folder: bool = False) -> None:
        """Kill the process and its children."""
        if self._process is not None:
            with contextlib.suppress(OSError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            for pipe in (self._process.stdin, self._process.stdout):
                if pipe is not None:
                    pipe.close()
            self._process = None
        if not keep_folder:
            shutil.rmtree(self._folder, ignore_errors=True)


def _request(case: Case) -> list[str | None]:
    return [case.reply, case.reference, case.checker, case.question]


# The functions below run in the process that the class starts.


def _one(
    peer: Peer, reply: str, reference: str, kind: str | None = None, question: str | None = None
) -> tuple[bool, str, str, float]:
    start = time.perf_counter()
    accepted, verdict, error = False, "", ""
    try:
        accepted, verdict = peer(reply, reference, kind, question)
    except BaseException as raised:  # every exception of a checker, also SystemExit, is its result
        error = type(raised).__name__
    return accepted, verdict, error, time.perf_counter() - start


def _in_threads(peer: Peer, cases: Sequence[Sequence[str]], count: int) -> list[bool]:
    accepted = [False] * len(cases)
    places = iter(range(len(cases)))
    lock = threading.Lock()

    def work() -> None:
        while True:
            with lock:
                place = next(places, None)
            if place is None:
                return
            accepted[place] = _one(peer, *cases[place])[0]

    threads = [threading.Thread(target=work) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return accepted


def main(name: str) -> None:
    """Answer the cases on standard input, one JSON line each."""
    peer = load(name)
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # a checker may print; its output must not be read as an answer
    for reply, reference in (("\\boxed{1}", "1"), ("\\boxed{\\frac{1}{2}}", "0.5"), ("\\boxed{x+1}", "1+x")):
        _one(peer, reply, reference)
    print("ready", file=answers, flush=True)
    for line in sys.stdin:
        request = json.loads(line)
        if isinstance(request, dict):
            answer: Any = _in_threads(peer, request["cases"], request["threads"])
        else:
            answer = _one(peer, *request)
        print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    main(sys.argv[1])

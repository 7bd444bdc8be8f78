"""A pool of worker processes that compare expressions with sympy, and that can be killed.

A service has a few worker processes (`worker.py`) and starts each when it is first needed. Any thread may use
it, also asyncio in an executor, and so may forked, spawned and daemonic processes: a forked child starts its
own workers. The workers run in sessions of their own, so Ctrl-C does not reach them, and they end when the
process that started them ends. A request that takes too long does not delay later ones.
"""

import atexit
import contextlib
import json
import os
import select
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from queue import Empty, LifoQueue
from types import TracebackType

from rise_env.checkers.limits import Deadline, DeadlineExceeded, NotDecidable
from rise_env.checkers.parsing.tree import Node, to_json
from rise_env.errors import ConfigError

_SCRIPT = Path(__file__).with_name("worker.py")
_PATIENCE = 20.0
"""Seconds by the clock for every second of CPU time that a request may use, on a busy machine."""
_GRACE = 5.0
"""Seconds by the clock that are added to it. After them, a worker that has not answered is killed."""
_START_TIMEOUT = 60.0
"""Seconds by the clock that a worker may take to load sympy. They do not count as time of a check."""


class Worker:
    """One worker process.

    Args:
        memory_mb: Megabytes of address space for one request.
    """

    def __init__(self, memory_mb: int) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-I", str(_SCRIPT), str(memory_mb)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        self.ready = False
        self._rest = b""

    def request(self, left: Node, right: Node, deadline: Deadline) -> str:
        """Send two trees, and return the line that the worker answers.

        Raises:
            DeadlineExceeded: It did not answer in time, and has been killed.
            NotDecidable: The process ended.
        """
        seconds = max(0.01, deadline.left())
        line = json.dumps([seconds, to_json(left), to_json(right)]) + "\n"
        try:
            if not self.load():
                self.kill()
                raise DeadlineExceeded
            assert self.process.stdin is not None
            self.process.stdin.write(line.encode())
            self.process.stdin.flush()
            answer = self._line(_PATIENCE * seconds + _GRACE)
        except BaseException as error:  # also KeyboardInterrupt: the next line would answer this request
            self.kill()
            if isinstance(error, OSError):
                raise NotDecidable("the worker process ended") from error
            raise
        if answer is None:
            self.kill()
            raise DeadlineExceeded
        return answer

    def load(self, seconds: float = _START_TIMEOUT) -> bool:
        """Wait until sympy is loaded; return whether it is."""
        self.ready = self.ready or self._line(seconds) == "ready"
        return self.ready

    def _line(self, seconds: float) -> str | None:
        """Return the next line of output; None if there is none within `seconds`."""
        assert self.process.stdout is not None
        output = self.process.stdout.fileno()
        end = time.monotonic() + seconds
        while b"\n" not in self._rest:
            if not select.select([output], [], [], max(0.0, end - time.monotonic()))[0]:
                return None
            piece = os.read(output, 4096)
            if not piece:
                raise OSError("the worker process ended")
            self._rest += piece
        line, self._rest = self._rest.split(b"\n", 1)
        return line.decode()

    @property
    def alive(self) -> bool:
        """Whether the process runs."""
        return self.process.poll() is None

    def kill(self) -> None:
        """Kill the process and its child."""
        with contextlib.suppress(OSError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self.close_pipes()

    def close_pipes(self) -> None:
        """Close the pipes in this process; a forked child does so, and leaves the worker to its parent."""
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()


class CheckerService:
    """Worker processes that compare expressions which this process cannot evaluate.

    Args:
        workers: The largest number of processes. Each is started when it is first needed.
        memory_mb: Megabytes of address space for one request.

    Raises:
        ConfigError: A setting is out of range.
    """

    def __init__(self, workers: int = 2, *, memory_mb: int = 1024) -> None:
        if not 1 <= workers <= 256:
            raise ConfigError(f"workers must be between 1 and 256, got {workers}")
        if memory_mb < 256:
            raise ConfigError(f"memory_mb must be at least 256, which sympy needs to start, got {memory_mb}")
        self.workers = workers
        self.memory_mb = memory_mb
        self.restarts = 0
        """How many workers ended or were killed, and have been replaced."""
        self._reset()
        _services.append(self)

    def _reset(self) -> None:
        self._idle: LifoQueue[Worker | None] = LifoQueue()
        for _ in range(self.workers):
            self._idle.put(None)
        self._all: list[Worker] = []
        self._lock = threading.Lock()
        self._closed = False

    def same(self, left: Node, right: Node, deadline: Deadline) -> bool:
        """Return whether sympy finds two trees equal.

        Raises:
            NotDecidable: sympy cannot decide it, or the service is closed.
            DeadlineExceeded: The request needs too much time or memory. Later requests are not affected.
        """
        if self._closed:
            raise NotDecidable("the service is closed")
        idle = self._idle
        try:
            worker = idle.get(timeout=_START_TIMEOUT + _PATIENCE * deadline.left() + _GRACE)
        except Empty:
            raise DeadlineExceeded from None
        try:
            if worker is None or not worker.alive:
                worker = self._start(worker)
            answer = worker.request(left, right, deadline)
        finally:
            idle.put(worker if worker is not None and worker.alive else None)
        if answer == "T":
            raise DeadlineExceeded
        if answer == "?":
            raise NotDecidable("sympy cannot decide whether they are equal")
        return answer == "1"

    def _start(self, before: Worker | None) -> Worker:
        with self._lock:
            if before is not None:
                before.kill()
                self.restarts += 1
            self._all = [worker for worker in self._all if worker.alive]
            worker = Worker(self.memory_mb)
            self._all.append(worker)
            return worker

    def start(self) -> None:
        """Start one worker, if there is none, and do not wait for it to load sympy."""
        if self._closed:
            return
        try:
            worker = self._idle.get_nowait()
        except Empty:  # all are at work
            return
        try:
            if worker is None or not worker.alive:
                worker = self._start(worker)
        finally:
            self._idle.put(worker)

    def warm_up(self) -> None:
        """Start all workers now, and wait until they have loaded sympy.

        Otherwise the first checks that need a worker also wait for it to load.
        """
        workers = [self._idle.get() for _ in range(self.workers)]
        try:
            for place, worker in enumerate(workers):
                if worker is None or not worker.alive:
                    workers[place] = self._start(worker)
            for worker in workers:
                if worker is not None:
                    worker.load()
        finally:
            for worker in workers:
                self._idle.put(worker)

    def close(self) -> None:
        """End the workers. Afterwards every request raises `NotDecidable`."""
        self._closed = True
        with self._lock:
            for worker in self._all:
                worker.kill()
            self._all.clear()

    def __enter__(self) -> "CheckerService":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _after_fork(self) -> None:
        """Give up the workers of the parent process; runs in a forked child."""
        for worker in self._all:
            worker.close_pipes()
        self._reset()


_services: list[CheckerService] = []
_default: CheckerService | None = None
_default_lock = threading.Lock()


def default_service() -> CheckerService:
    """Return the service that all checkers of this process share by default."""
    global _default
    with _default_lock:
        if _default is None:
            _default = CheckerService()
        return _default


def _after_fork() -> None:
    global _default_lock
    _default_lock = threading.Lock()
    for service in _services:
        service._after_fork()


@atexit.register
def _close_all() -> None:
    for service in _services:
        service.close()


os.register_at_fork(after_in_child=_after_fork)

"""Decides when a try of a request may start, and when a server counts as dead.

A server is asked one request at a time until it has answered one, and again after many failures in a row.
So a server that is down, or whose answers nobody can read, costs a few requests and not all of them.
"""

import time
from collections import deque
from collections.abc import Callable
from threading import Condition, Event

from rise_agents.client.backoff import Backoff
from rise_env.errors import DeadAgentError, RiseError

FIRST_TRIES = 4
"""Number of failed tries after which a server that has answered nothing counts as dead."""

_TRIES_OF_ONE = 3
"""How often one request is tried in a row before another one is, in case that the request is the fault."""


class ServerHealth:
    """Admits the tries of many threads to one server. It is thread safe.

    Args:
        name: What error messages call the server: the agent and the URL.
        max_failures: Number of failed tries in a row, in which no request succeeds, after which requests are
            sent one at a time. As many further failures are the death of the server.
        clock: A monotonic clock that returns the time in seconds.
    """

    def __init__(self, name: str, max_failures: int, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._name = name
        self._max_failures = max_failures
        self._clock = clock
        self._backoff = Backoff(0)
        self._changed = Condition()
        self._answered = False
        """Whether any try has succeeded."""
        self._one_at_a_time = True
        self._failures = 0
        """Failed tries in a row; while requests are sent one at a time, those since then."""
        self._not_before = 0.0
        """When the next try may start, while requests are sent one at a time."""
        self._waiting: deque[object] = deque()
        self._holder: object | None = None
        """The request that may be tried, while requests are sent one at a time."""
        self._tries_of_holder = 0
        self._death: RiseError | None = None
        """What ends the run; None while the server counts as alive."""

    @property
    def answered(self) -> bool:
        """Whether any try has succeeded."""
        return self._answered

    def begin(self) -> None:
        """Give a dead server another chance: call it before the requests of a new batch."""
        with self._changed:
            if self._death is not None:
                self._death, self._failures, self._holder, self._not_before = None, 0, None, 0.0

    def enter(self, request: object, cancelled: Event) -> None:
        """Wait until a request may be tried. Each call is followed by one of the methods below.

        Args:
            request: Identifies the request: the same object for each of its tries.
            cancelled: If it is set, the wait between two tries ends.

        Raises:
            DeadAgentError, ConfigError: The server counts as dead; see `end`.
            InterruptedError: `cancelled` was set.
        """
        with self._changed:
            self._waiting.append(request)
            try:
                self._changed.wait_for(lambda: self._may_start(request))
            finally:
                self._waiting.remove(request)
                self._changed.notify_all()
            if self._death is not None:
                raise type(self._death)(str(self._death))
            pause = 0.0
            if self._one_at_a_time:
                if self._holder is not request:
                    self._holder, self._tries_of_holder = request, 0
                pause = self._not_before - self._clock()
        if pause > 0:
            cancelled.wait(pause)
        if cancelled.is_set():
            self.leave(request)
            raise InterruptedError("the request was cancelled")

    def succeeded(self, request: object) -> None:
        """Note that a try was answered."""
        with self._changed:
            self._answered, self._one_at_a_time = True, False
            self._failures, self._holder = 0, None
            self._changed.notify_all()

    def failed(self, request: object, reason: str, retry_after: float | None, *, busy: bool = False) -> None:
        """Note that a try failed, and that another one may succeed.

        Args:
            request: See `enter`.
            reason: Why it failed.
            retry_after: Seconds that the server told the client to wait.
            busy: Whether the server asks for patience, which gives it `max_failures` tries from the start.

        Raises:
            DeadAgentError: This is one failure too many.
        """
        with self._changed:
            if self._one_at_a_time and self._holder is not request:
                return  # it was sent together with others before they failed
            self._failures += 1
            patient = busy or self._answered
            limit = self._max_failures if patient else min(FIRST_TRIES, self._max_failures)
            if self._one_at_a_time:
                self._not_before = self._clock() + self._backoff.seconds(self._failures, retry_after)
                self._tries_of_holder += 1
                if self._tries_of_holder >= _TRIES_OF_ONE:
                    self._holder = None
                if self._failures >= limit:
                    self._death = DeadAgentError(self._describe(reason))
                    self._changed.notify_all()
                    raise self._death
            elif self._failures >= limit:
                self._one_at_a_time, self._holder, self._failures = True, None, 0
            self._changed.notify_all()

    def rejected(self, request: object, reason: str) -> None:
        """Note that the server refused this request, though it may answer others.

        Raises:
            DeadAgentError: The server has answered nothing else so far, and this is one failure too many.
        """
        if not self._answered:
            self.failed(request, reason, 0.0)
        self.leave(request)

    def end(self, error: RiseError) -> None:
        """Raise an error that every further request would meet, also from all calls of `enter`."""
        with self._changed:
            self._death = error
            self._changed.notify_all()
        raise error

    def leave(self, request: object) -> None:
        """Note that a request will not be tried again."""
        with self._changed:
            if self._holder is request:
                self._holder = None
            self._changed.notify_all()

    def _may_start(self, request: object) -> bool:
        if self._death is not None or not self._one_at_a_time or self._holder is request:
            return True
        return self._holder is None and self._waiting[0] is request

    def _describe(self, reason: str) -> str:
        since = (
            f"no longer answers: {2 * self._failures} tries in a row failed"
            if self._answered
            else f"has answered no request: all of the first {self._failures} tries failed"
        )
        return f"{self._name} {since}, the last one with: {reason}"

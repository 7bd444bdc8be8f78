"""Answers requests in a thread pool, where a reply may add further requests.

The worker threads only wait for replies. All callbacks run one after another in the thread of the caller.
"""

from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from queue import SimpleQueue
from threading import Event
from typing import TypeVar

Request = TypeVar("Request")
Response = TypeVar("Response")


def run_requests(
    requests: Mapping[int, Request],
    answer: Callable[[Request], Response],
    on_reply: Callable[[int, Response], Mapping[int, Request]],
    *,
    threads: int,
    cancelled: Event,
) -> None:
    """Answer requests, and the requests that `on_reply` adds, until none is left.

    Requests are started depth first: the requests that a reply adds start before the ones that have not
    started yet. If `answer` or `on_reply` raises, or on Ctrl-C, no further request starts, the started
    ones are awaited, and the exception is raised.

    Args:
        requests: Number -> request; started in this order.
        answer: Called in the worker threads.
        on_reply: Called with number and response; returns the requests to add, under unused numbers.
        threads: Maximal number of concurrent requests.
        cancelled: Set when an exception ends the call, so that `answer` can stop its retries.
    """
    stack = list(requests.items())[::-1]
    running: dict[Future[Response], int] = {}
    done: SimpleQueue[Future[Response]] = SimpleQueue()
    with ThreadPoolExecutor(threads) as pool:
        try:
            while stack or running:
                while stack and len(running) < threads:
                    number, request = stack.pop()
                    future = pool.submit(answer, request)
                    running[future] = number
                    future.add_done_callback(done.put)
                future = done.get()
                stack += list(on_reply(running.pop(future), future.result()).items())[::-1]
        except BaseException:
            cancelled.set()
            raise

"""Many questions to someone slow, several at a time, where answers lead on to further questions.

The threads only wait for answers; whoever called hears them, one after another, in the thread of the call.
"""

from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from queue import SimpleQueue
from threading import Event
from typing import TypeVar

Question = TypeVar("Question")
Answer = TypeVar("Answer")


def ask_streaming(
    questions: Mapping[int, Question],
    answer: Callable[[Question], Answer],
    on_reply: Callable[[int, Answer], Mapping[int, Question]],
    *,
    threads: int,
    given_up: Event,
) -> None:
    """Answer questions, and those that follow from the answers, until none is left.

    Depth first: what follows from an answer is begun before what was there earlier. What `answer` or
    `on_reply` raises comes out, Ctrl-C as well; nothing is begun then, and what was begun is waited for.

    Args:
        questions: By their keys; begun in this order.
        answer: Called in many threads.
        on_reply: Called with key and answer; returns what to ask next, by keys that are not in use.
        threads: Questions in flight at most.
        given_up: Set when something was raised, for an `answer` that would try again.
    """
    stack = list(questions.items())[::-1]
    flying: dict[Future[Answer], int] = {}
    done: SimpleQueue[Future[Answer]] = SimpleQueue()
    with ThreadPoolExecutor(threads) as pool:
        try:
            while stack or flying:
                while stack and len(flying) < threads:
                    key, question = stack.pop()
                    future = pool.submit(answer, question)
                    flying[future] = key
                    future.add_done_callback(done.put)
                future = done.get()
                stack += list(on_reply(flying.pop(future), future.result()).items())[::-1]
        except BaseException:
            given_up.set()
            raise

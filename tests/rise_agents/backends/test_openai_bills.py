"""What servers bill under a cap: the bill exceeds the cap by at most the tries that are in flight.

The table of bills is `python -m tests.rise_agents.backends.test_openai_bills`.
"""

import threading
from collections.abc import Callable
from typing import Any

import pytest

from rise_agents.types import SamplingConfig
from rise_env.errors import ConfigError, RiseError
from rise_env.types import Conversation
from tests.rise_agents.backends.faulty_server import Fault, Handler, agent_of, chat, cut, serving

pytest.importorskip("openai")

PRICES = {"prompt": 1000.0, "completion": 4000.0}
"""US dollars per million tokens."""
MAX_TOKENS = 50
CONCURRENT = 16
PROMPT = 10
"""Tokens of a prompt, unless the server counts otherwise; 30 characters are estimated at 18 tokens."""


class Biller:
    """A server's bill, and what each of its tries cost."""

    def __init__(self) -> None:
        self.costs: list[float] = []
        self._lock = threading.Lock()

    def add(self, prompt: int, completion: int) -> None:
        """Bill one try."""
        with self._lock:
            cost = (prompt * PRICES["prompt"] + completion * PRICES["completion"]) / 1e6
            self.costs.append(cost)

    @property
    def bill(self) -> float:
        """Sum of all tries."""
        return sum(self.costs)


Server = Callable[[Biller, str, int], Fault]
"""From the bill, the request's label and the number of the try to what the server does."""


def answered(biller: Biller, prompt: int, completion: int, **changes: Any) -> Fault:
    """Bill these tokens and answer."""

    def fault(handler: Handler) -> bool:
        biller.add(prompt, completion)
        usage = {"prompt_tokens": prompt, "completion_tokens": completion}
        handler.answer(200, {**chat("4"), "usage": usage, **changes})
        return True

    return fault


def healthy(biller: Biller, label: str, number: int) -> Fault:
    return answered(biller, PROMPT, 5 + int(label) % 40)


def first_answer_unreadable(biller: Biller, label: str, number: int) -> Fault:
    if number:
        return healthy(biller, label, number)
    return answered(biller, PROMPT, MAX_TOKENS, choices=[{"message": {"content": {"deep": 1}}}])


def sometimes_empty(biller: Biller, label: str, number: int) -> Fault:
    if number < int(label) % 4:
        return answered(biller, PROMPT, MAX_TOKENS, choices=[])
    return healthy(biller, label, number)


def hidden_reasoning(biller: Biller, label: str, number: int) -> Fault:
    return answered(biller, PROMPT, MAX_TOKENS * (1 + int(label) % 5))


def longer_prompts(biller: Biller, label: str, number: int) -> Fault:
    return answered(biller, 40 * (1 + int(label) % 3), 10)


def usage_not_reported(biller: Biller, label: str, number: int) -> Fault:
    return answered_without_usage(biller)


def breaks_the_connection(biller: Biller, label: str, number: int) -> Fault:
    if int(label) % 3 or number > 1:
        return healthy(biller, label, number)

    def fault(handler: Handler) -> bool:
        biller.add(PROMPT, MAX_TOKENS)
        return cut(handler)

    return fault


def answered_without_usage(biller: Biller) -> Fault:
    def fault(handler: Handler) -> bool:
        biller.add(PROMPT, 20)
        handler.answer(200, {**chat("4"), "usage": None})
        return True

    return fault


SERVERS: dict[str, Server] = {
    "healthy": healthy,
    "first answer unreadable": first_answer_unreadable,
    "empty choices, up to three times": sometimes_empty,
    "hidden reasoning, up to 5 x max_tokens": hidden_reasoning,
    "prompts longer than estimated, up to 6 x": longer_prompts,
    "no usage reported": usage_not_reported,
    "connection breaks in the answer": breaks_the_connection,
}


def asked(count: int) -> list[Conversation]:
    return [({"role": "user", "content": f"{i:>30}"},) for i in range(count)]


def bill_of(name: str, cap: float, concurrent: int = CONCURRENT) -> tuple[Biller, float, str]:
    """Ask a server 400 times under a cap; return its bill, what the agent counted, and how the run ended."""
    biller = Biller()
    server_of = SERVERS[name]

    def label(body: Any) -> str:
        return str(body["messages"][-1]["content"]).strip()

    def faults(text: str) -> list[Fault]:
        return [server_of(biller, text, number) for number in range(12)]

    with serving(faults, label) as server:
        agent = agent_of(server, max_usd=cap, prices=PRICES, max_concurrent_requests=concurrent)
        try:
            agent.act(asked(400), SamplingConfig(max_new_tokens=MAX_TOKENS), list(range(400)))
            ended = "all 400 answered"
        except RiseError as error:
            ended = type(error).__name__ if not isinstance(error, ConfigError) else "the cap"
        agent.close()
    return biller, agent.spent, ended


@pytest.mark.parametrize("concurrent", [1, CONCURRENT])
@pytest.mark.parametrize("name", SERVERS)
def test_a_bill_exceeds_the_cap_by_at_most_what_is_in_flight(
    name: str, concurrent: int, short_waits: None
) -> None:
    cap = 5.0
    biller, spent, ended = bill_of(name, cap, concurrent)
    assert ended == "the cap"
    assert biller.bill <= spent + 1e-9  # the agent counts no less than the server bills
    highest = max(biller.costs)
    lowest = min(biller.costs)
    assert biller.bill <= cap + concurrent * (highest - lowest)
    assert biller.bill > 0.3 * cap


if __name__ == "__main__":
    print("| server | cap | billed | counted | tries | the bound |")
    print("| --- | ---: | ---: | ---: | ---: | ---: |")
    for server_name in SERVERS:
        for limit in (1.0, 10.0):
            result, counted, _ = bill_of(server_name, limit)
            bound = limit + CONCURRENT * (max(result.costs) - min(result.costs))
            print(
                f"| {server_name} | {limit:.2f} | {result.bill:.2f} | {counted:.2f} | {len(result.costs)} "
                f"| {bound:.2f} |"
            )

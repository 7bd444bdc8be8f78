"""Plays with any server that speaks the OpenAI chat protocol: vLLM serve, SGLang, OpenAI, ...

The key comes from an environment variable and is never logged, stored or shown in an error.
"""

import hashlib
import json
import random
import time
from collections.abc import Callable, Mapping, Sequence
from threading import Event
from typing import Any

from rise_agents.client.concurrent_requests import ask_streaming
from rise_agents.client.openai_protocol import NO_KEY, read_reply, server_key, split_target
from rise_agents.client.rate_limit import CostBudget, RateLimiter, billable_usage, read_prices
from rise_agents.client.reply_log import ReplyLog
from rise_agents.rollout.cost_estimate import CHARACTERS_PER_TOKEN
from rise_agents.types import Reply, SamplingConfig
from rise_env.errors import ConfigError, MissingDependencyError
from rise_env.types import Conversation, Usage

_NEVER = ("AuthenticationError", "PermissionDeniedError", "NotFoundError")
"""Errors of the `openai` client that every other request would meet, too."""

_Request = tuple[Conversation, int | None]
"""A conversation and its seed."""


class OpenAIAgent:
    """Answers through an OpenAI-compatible server, many requests at a time.

    It streams: in a rollout no turn waits for the slowest reply to others.

    Args:
        target: MODEL@URL, for example "Qwen/Qwen2.5-7B-Instruct@http://127.0.0.1:8000/v1".
        max_concurrent_requests: Requests in flight.
        attempts: Tries per request: connection errors, timeouts, statuses 408, 409, 429 and 5xx, and answers
            that nobody can read are tried again, after Retry-After or 0.5, 1, 2, ... 60 s.
        timeout: Seconds per try.
        requests_per_minute: 0 is no limit.
        tokens_per_minute: Prompts and replies together; 0 is no limit.
        max_usd: Cap on the cost in US dollars; 0 is none. With a journal the replies in it count, so that a
            command that is run again goes on counting; without one each agent counts from 0.
        prices: {"prompt": ..., "completion": ...} in US dollars per million tokens; needed for the cap.
        reply_log: File that gets every reply as it comes, and gives it back when the same is asked again:
            then not even a kill makes a reply be paid for twice.
        key_variable: Environment variable with the key; servers of one's own often need none.
        logprobs: Whether to ask for log-probabilities.
        send_seeds: Whether the server takes a `seed` per request.
        extra: Further fields of the request's body. They are part of the policy: the agent's name, and so
            the journal, has a fingerprint of them. `max_completion_tokens` takes the place of `max_tokens`.

    Raises:
        ConfigError: A setting is wrong, or there is no key for a server that needs one.
        StoreError: The journal is of another agent, or damaged.
        MissingDependencyError: `openai` or `tenacity` is not installed.
    """

    def __init__(
        self,
        target: str,
        *,
        max_concurrent_requests: int = 32,
        attempts: int = 8,
        timeout: float = 600.0,
        requests_per_minute: float = 0,
        tokens_per_minute: float = 0,
        max_usd: float = 0.0,
        prices: Mapping[str, float] | None = None,
        reply_log: str | None = None,
        key_variable: str = "OPENAI_API_KEY",
        logprobs: bool = False,
        send_seeds: bool = True,
        extra: Mapping[str, Any] | None = None,
    ) -> None:
        try:
            import openai
            import tenacity
        except ModuleNotFoundError as error:
            raise MissingDependencyError(
                f"{error.name} is not installed: pip install 'rise-env[openai]'"
            ) from error
        if max_concurrent_requests < 1 or attempts < 1:
            raise ConfigError(
                "max_concurrent_requests and attempts must be at least 1, "
                f"got {max_concurrent_requests} and {attempts}"
            )
        self.model, url = split_target(target)
        self._extra = dict(extra or {})
        self.name = f"openai:{self.model}{_mark(self._extra)}"
        self._key = server_key(url, key_variable)
        self._client = openai.OpenAI(base_url=url, api_key=self._key, timeout=timeout, max_retries=0)
        self._openai, self._tenacity = openai, tenacity
        self.max_concurrent_requests = max_concurrent_requests
        self._max_concurrent_requests, self._attempts = max_concurrent_requests, attempts
        self._pace = RateLimiter(requests_per_minute, tokens_per_minute)
        self._reply_log = None if reply_log is None else ReplyLog(reply_log, self.name, logprobs=logprobs)
        paid = [] if self._reply_log is None else self._reply_log.billable_usage
        self._budget = CostBudget(max_usd, read_prices(prices), paid)
        self._logprobs, self._send_seeds = logprobs, send_seeds

    @property
    def spent(self) -> float:
        """US dollars so far, by the prices given; for the replies in the journal, too."""
        return self._budget.spent

    def act(
        self,
        conversations: Sequence[Conversation],
        sampling: SamplingConfig,
        seeds: Sequence[int] | None = None,
    ) -> list[Reply]:
        """Answer each conversation; one that failed to the end has finish "error" and the reason as text.

        Raises:
            ConfigError: The server refuses the key or the model, or the cap is reached.
            StoreError: The journal cannot be written, as on a full disk.
        """
        drawn: Sequence[int | None] = [None] * len(conversations) if seeds is None else seeds
        replies: dict[int, Reply] = {}

        def on_reply(place: int, reply: Reply) -> dict[int, _Request]:
            replies[place] = reply
            return {}

        self.stream(dict(enumerate(zip(conversations, drawn, strict=True))), sampling, on_reply)
        return [replies[place] for place in range(len(conversations))]

    def stream(
        self,
        requests: Mapping[int, _Request],
        sampling: SamplingConfig,
        on_reply: Callable[[int, Reply], Mapping[int, _Request]],
    ) -> None:
        """Answer conversations and what follows from the answers; see `StreamingAgent.stream` and `act`.

        Raises:
            ConfigError: The server refuses the key or the model, or the cap is reached. What was in flight
                then is in the journal, if there is one, and nothing more was asked.
            StoreError: The journal cannot be written, as on a full disk; nothing more was asked.
        """

        def named(requests: Mapping[int, _Request]) -> dict[int, tuple[_Request, str | None]]:
            return {key: (request, self._name(request, sampling)) for key, request in requests.items()}

        given_up = Event()
        ask_streaming(
            named(requests),
            lambda question: self._recall(*question, sampling, given_up),
            lambda key, reply: named(on_reply(key, reply)),
            threads=self._max_concurrent_requests,
            given_up=given_up,
        )

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _name(self, request: _Request, sampling: SamplingConfig) -> str | None:
        """Return the request's key in the journal, if there is one; to be called in the order of requests."""
        if self._reply_log is None:
            return None
        conversation, seed = request
        return self._reply_log.keys([conversation], sampling, None if seed is None else [seed])[0]

    def _recall(
        self, request: _Request, name: str | None, sampling: SamplingConfig, given_up: Event
    ) -> Reply:
        if self._reply_log is None or name is None:
            return self._answer(*request, sampling, given_up)[0]
        reply = self._reply_log.get(name)
        if reply is None:
            reply, price = self._answer(*request, sampling, given_up)
            if reply.finish != "error":
                self._reply_log.add(name, reply, price)
        return reply

    def _answer(
        self, conversation: Conversation, seed: int | None, sampling: SamplingConfig, given_up: Event
    ) -> tuple[Reply, Usage | None]:
        """Return the reply, and what it is to be paid for."""
        characters = sum(len(message["content"]) for message in conversation)
        most = Usage(
            prompt_tokens=int(characters / CHARACTERS_PER_TOKEN) + 8 * len(conversation),
            completion_tokens=self._longest(sampling),
        )
        retrying = self._tenacity.Retrying(
            retry=self._tenacity.retry_if_exception(self._worth_another_try),
            stop=self._tenacity.stop_after_attempt(self._attempts)
            | self._tenacity.stop_when_event_set(given_up),
            sleep=self._tenacity.sleep_using_event(given_up),
            wait=_Wait(seed or 0),
            reraise=True,
        )
        reserved = self._budget.reserve(most)
        price = None
        try:
            reply: Reply = retrying(self._request, conversation, sampling, seed, most, given_up)
            price = billable_usage(reply.usage, most)
        except ConfigError:
            raise
        except Exception as error:  # every try failed: this conversation's misfortune
            text = self._clean(f"{type(error).__name__}: {error}")
            if type(error).__name__ in _NEVER:
                raise ConfigError(f"the server refuses {self.model!r}: {text}") from None
            return Reply(text=text, finish="error"), None
        finally:
            self._budget.settle(reserved, price)
        return reply, price

    def _request(
        self,
        conversation: Conversation,
        sampling: SamplingConfig,
        seed: int | None,
        most: Usage,
        given_up: Event,
    ) -> Reply:
        self._pace.wait(most.prompt_tokens + most.completion_tokens, given_up.wait)
        if given_up.is_set():
            raise InterruptedError("not asked any more")
        body: dict[str, Any] = {
            "model": self.model,
            "messages": list(conversation),
            "temperature": sampling.temperature,
            "top_p": sampling.top_p,
        }
        if "max_completion_tokens" not in self._extra:
            body["max_tokens"] = sampling.max_new_tokens
        if seed is not None and self._send_seeds:
            body["seed"] = seed
        if self._logprobs:
            body["logprobs"] = True
        began = time.perf_counter()
        answer = self._client.chat.completions.create(**body, extra_body=self._extra)
        return read_reply(answer, time.perf_counter() - began)

    def _longest(self, sampling: SamplingConfig) -> int:
        """Return how many tokens a reply may have."""
        asked = self._extra.get("max_completion_tokens", self._extra.get("max_tokens"))
        return asked if isinstance(asked, int) else sampling.max_new_tokens

    def _worth_another_try(self, error: BaseException) -> bool:
        if isinstance(error, self._openai.APIStatusError):
            return error.status_code in {408, 409, 429} or error.status_code >= 500
        # a connection that broke, or an answer that nobody can read
        return isinstance(error, self._openai.APIError | ValueError | KeyError | TypeError | AttributeError)

    def _clean(self, text: str) -> str:
        if self._key != NO_KEY:
            text = text.replace(self._key, "***")
        return " ".join(text.split())[:500]


class _Wait:
    """Seconds until the next try: what the server asks for, else 0.5, 1, 2, ... 60 with jitter of its own."""

    def __init__(self, seed: int) -> None:
        self._draws = random.Random(seed)

    def __call__(self, state: Any) -> float:
        response = getattr(state.outcome.exception(), "response", None)
        asked = "" if response is None else str(response.headers.get("retry-after", ""))
        try:
            return min(float(asked), 300.0)
        except ValueError:
            longest: float = min(60.0, 0.5 * 2.0 ** (state.attempt_number - 1))
            return longest * self._draws.uniform(0.5, 1.0)


def _mark(extra: Mapping[str, Any]) -> str:
    """Return what tells a policy with these fields apart from others."""
    if not extra:
        return ""
    try:
        text = json.dumps(extra, sort_keys=True, separators=(",", ":"))
    except (TypeError, ValueError) as error:
        raise ConfigError(f"extra holds what JSON cannot hold: {error}") from error
    return f"+{hashlib.sha256(text.encode()).hexdigest()[:8]}"

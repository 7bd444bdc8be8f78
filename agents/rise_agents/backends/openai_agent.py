"""An agent that sends requests to a server with the OpenAI chat protocol (vLLM serve, SGLang, OpenAI, ...).

The API key comes from an environment variable and is never logged, stored or shown in an error.
"""

import hashlib
import json
import random
import time
from collections.abc import Callable, Mapping, Sequence
from threading import Event
from typing import Any, Literal

from rise_agents.client.concurrent_requests import run_requests
from rise_agents.client.openai_protocol import (
    NO_KEY,
    messages_to_send,
    read_reply,
    server_key,
    split_target,
)
from rise_agents.client.rate_limit import (
    CostBudget,
    RateLimiter,
    billable_usage,
    estimate_prompt_tokens,
    read_prices,
)
from rise_agents.client.reply_log import ReplyLog
from rise_agents.types import Reply, SamplingConfig
from rise_env.errors import ConfigError
from rise_env.types import Conversation, Usage
from rise_env.utils.extras import missing_library
from rise_env.utils.settings import Changeable

_FATAL_ERRORS = ("AuthenticationError", "PermissionDeniedError", "NotFoundError")
"""Errors of the `openai` client that every further request would cause as well."""

_RETRY_STATUSES = (408, 409, 429)
"""HTTP statuses below 500 that are retried."""

_LONGEST_WAIT = 60.0
"""Maximal number of seconds between two tries, if the server sends no Retry-After."""

_LONGEST_RETRY_AFTER = 300.0
"""Maximal number of seconds between two tries, if the server sends a Retry-After."""

_Request = tuple[Conversation, int | None]
"""A conversation and its seed."""


class OpenAIAgent:
    """Answers through an OpenAI-compatible server with many concurrent requests.

    It is a `StreamingAgent`: in a rollout, no episode waits for the replies of other episodes.

    Args:
        target: MODEL@URL, for example "Qwen/Qwen2.5-7B-Instruct@http://127.0.0.1:8000/v1".
        max_concurrent_requests: Maximal number of requests that are sent to the server at the same time.
        attempts: Maximal number of tries per request. Connection errors, timeouts, statuses 408, 409, 429 and
            5xx, and unreadable responses are retried, after the time in Retry-After or, without one, after at
            most 0.5, 1, 2, ... 60 seconds.
        timeout: Seconds per try.
        requests_per_minute: Maximal number of requests per minute; 0 is no limit.
        tokens_per_minute: Maximal number of tokens per minute, prompts and replies together; 0 is no limit.
        max_usd: Cap on the cost in US dollars; 0 is no cap. Replies in the reply log count towards it, so
            that a restarted command continues the count; without a reply log, each agent counts from 0.
        prices: {"prompt": ..., "completion": ...} in US dollars per million tokens; required for a cap.
        reply_log: File that stores every reply as soon as it arrives, and answers repeated requests, so that
            no reply is paid for twice even if the process is killed.
        key_variable: Environment variable that holds the API key; local servers often need none.
        logprobs: Whether to ask for log-probabilities.
        send_seeds: Whether to send a `seed` with each request.
        thinking: What requests say of the model's reasoning at earlier turns: "hide" sends its replies only,
            "template" sends the reasoning as well, and the chat template on the server decides what the
            prompt shows. Some servers refuse "template". It changes the replies, see `extra`.
        extra: Further fields of the request body, for example {"top_k": 20}. They change the replies, so the
            agent's name contains a hash of them, and a reply log is valid for one set of them only. If they
            contain `max_completion_tokens`, it is sent instead of `max_tokens`.

    Raises:
        ConfigError: A setting is wrong, or there is no key for a server that needs one.
        StoreError: The reply log is damaged or holds the replies of another agent.
        MissingDependencyError: `openai` or `tenacity` is not installed.
    """

    def __init__(
        self,
        target: str,
        *,
        max_concurrent_requests: Changeable[int] = 32,
        attempts: Changeable[int] = 8,
        timeout: Changeable[float] = 600.0,
        requests_per_minute: Changeable[float] = 0,
        tokens_per_minute: Changeable[float] = 0,
        max_usd: Changeable[float] = 0.0,
        prices: Changeable[Mapping[str, float] | None] = None,
        reply_log: Changeable[str | None] = None,
        key_variable: Changeable[str] = "OPENAI_API_KEY",
        logprobs: bool = False,
        send_seeds: bool = True,
        thinking: Literal["hide", "template"] = "hide",
        extra: Mapping[str, Any] | None = None,
    ) -> None:
        try:
            import openai
            import tenacity
        except ModuleNotFoundError as error:
            raise missing_library(error.name or "openai") from error
        if max_concurrent_requests < 1 or attempts < 1:
            raise ConfigError(
                "max_concurrent_requests and attempts must be at least 1, "
                f"got {max_concurrent_requests} and {attempts}"
            )
        if thinking not in ("hide", "template"):
            raise ConfigError(f"thinking must be hide or template for a server, got {thinking!r}")
        self._thinking: Literal["hide", "template"] = thinking
        self.model, url = split_target(target)
        self._extra = dict(extra or {})
        self.name = f"openai:{self.model}{_fingerprint(self._extra, thinking)}"
        self._key = server_key(url, key_variable)
        self._client = openai.OpenAI(base_url=url, api_key=self._key, timeout=timeout, max_retries=0)
        self._openai, self._tenacity = openai, tenacity
        self.max_concurrent_requests = max_concurrent_requests
        self._threads, self._attempts = max_concurrent_requests, attempts
        self._rate_limiter = RateLimiter(requests_per_minute, tokens_per_minute)
        self._reply_log = None if reply_log is None else ReplyLog(reply_log, self.name, logprobs=logprobs)
        billed = [] if self._reply_log is None else self._reply_log.billable_usage
        self._budget = CostBudget(max_usd, read_prices(prices), billed)
        self._logprobs, self._send_seeds = logprobs, send_seeds

    @classmethod
    def check_settings(cls, target: str, **settings: Any) -> None:
        """Check the settings, the key and the reply log without a request; see `registry.check_agent`.

        Raises:
            ConfigError, StoreError, MissingDependencyError: See the class.
        """
        cls(target, **settings).close()

    @property
    def spent(self) -> float:
        """Cost so far in US dollars by the given prices, including the replies in the reply log."""
        return self._budget.spent

    def act(
        self,
        conversations: Sequence[Conversation],
        sampling: SamplingConfig,
        seeds: Sequence[int] | None = None,
    ) -> list[Reply]:
        """Answer each conversation; see `Agent.act`.

        A request whose tries all failed gets a reply with finish "error" and the reason as its text.

        Raises:
            ConfigError: The server refuses the key or the model, or the cap is reached.
            StoreError: The reply log cannot be written, for example because the disk is full.
        """
        all_seeds: Sequence[int | None] = [None] * len(conversations) if seeds is None else seeds
        replies: dict[int, Reply] = {}

        def on_reply(place: int, reply: Reply) -> dict[int, _Request]:
            replies[place] = reply
            return {}

        self.stream(dict(enumerate(zip(conversations, all_seeds, strict=True))), sampling, on_reply)
        return [replies[place] for place in range(len(conversations))]

    def stream(
        self,
        requests: Mapping[int, _Request],
        sampling: SamplingConfig,
        on_reply: Callable[[int, Reply], Mapping[int, _Request]],
    ) -> None:
        """Answer requests and the requests that `on_reply` adds; see `StreamingAgent.stream` and `act`.

        Raises:
            ConfigError: The server refuses the key or the model, or the cap is reached. Running requests are
                awaited, and their replies are written to the reply log if there is one; no further request
                is sent.
            StoreError: The reply log cannot be written, for example because the disk is full; no further
                request is sent.
        """

        def with_keys(requests: Mapping[int, _Request]) -> dict[int, tuple[_Request, str | None]]:
            return {
                number: (request, self._log_key(request, sampling)) for number, request in requests.items()
            }

        cancelled = Event()
        run_requests(
            with_keys(requests),
            lambda request_and_key: self._answer(*request_and_key, sampling, cancelled),
            lambda number, reply: with_keys(on_reply(number, reply)),
            threads=self._threads,
            cancelled=cancelled,
        )

    def close(self) -> None:
        """Close the connections to the server."""
        self._client.close()

    def _log_key(self, request: _Request, sampling: SamplingConfig) -> str | None:
        """Return the request's key in the reply log; call it in the order of the requests."""
        if self._reply_log is None:
            return None
        conversation, seed = request
        sent = messages_to_send(conversation, self._thinking)
        return self._reply_log.keys([sent], sampling, None if seed is None else [seed])[0]

    def _answer(
        self, request: _Request, log_key: str | None, sampling: SamplingConfig, cancelled: Event
    ) -> Reply:
        """Return the reply from the log, else from the server; runs in a worker thread."""
        if self._reply_log is None or log_key is None:
            return self._ask_server(*request, sampling, cancelled)[0]
        reply = self._reply_log.get(log_key)
        if reply is None:
            reply, billed = self._ask_server(*request, sampling, cancelled)
            if reply.finish != "error":
                self._reply_log.add(log_key, reply, billed)
        return reply

    def _ask_server(
        self, conversation: Conversation, seed: int | None, sampling: SamplingConfig, cancelled: Event
    ) -> tuple[Reply, Usage | None]:
        """Return the reply, and the usage that it is billed for; None for a failed request."""
        most = Usage(
            prompt_tokens=int(estimate_prompt_tokens(conversation)),
            completion_tokens=self._max_tokens(sampling),
        )
        retrying = self._tenacity.Retrying(
            retry=self._tenacity.retry_if_exception(self._is_retryable),
            stop=self._tenacity.stop_after_attempt(self._attempts)
            | self._tenacity.stop_when_event_set(cancelled),
            sleep=self._tenacity.sleep_using_event(cancelled),
            wait=_Backoff(seed or 0),
            reraise=True,
        )
        reserved = self._budget.reserve(most)
        billed = None
        try:
            reply: Reply = retrying(self._send, conversation, sampling, seed, most, cancelled)
            billed = billable_usage(reply.usage, most)
        except ConfigError:
            raise
        except Exception as error:  # all tries failed: this fails one request, not the others
            text = self._redact(f"{type(error).__name__}: {error}")
            if type(error).__name__ in _FATAL_ERRORS:
                raise ConfigError(
                    f"the server refuses {self.model!r}: {text} (check the model's name, the URL and the key)"
                ) from None
            return Reply(text=text, finish="error"), None
        finally:
            self._budget.settle(reserved, billed)
        return reply, billed

    def _send(
        self,
        conversation: Conversation,
        sampling: SamplingConfig,
        seed: int | None,
        most: Usage,
        cancelled: Event,
    ) -> Reply:
        """Try a request once."""
        self._rate_limiter.wait(most.prompt_tokens + most.completion_tokens, cancelled.wait)
        if cancelled.is_set():
            raise InterruptedError("the request was cancelled")
        body: dict[str, Any] = {
            "model": self.model,
            "messages": messages_to_send(conversation, self._thinking),
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
        response = self._client.chat.completions.create(**body, extra_body=self._extra)
        return read_reply(response, time.perf_counter() - began)

    def _max_tokens(self, sampling: SamplingConfig) -> int:
        """Return the maximal number of tokens in a reply."""
        limit = self._extra.get("max_completion_tokens", self._extra.get("max_tokens"))
        return limit if isinstance(limit, int) else sampling.max_new_tokens

    def _is_retryable(self, error: BaseException) -> bool:
        if isinstance(error, self._openai.APIStatusError):
            return error.status_code in _RETRY_STATUSES or error.status_code >= 500
        # a broken connection, or a response that cannot be read
        return isinstance(error, self._openai.APIError | ValueError | KeyError | TypeError | AttributeError)

    def _redact(self, text: str) -> str:
        """Return at most 500 characters of a message on one line and without the API key."""
        if self._key != NO_KEY:
            text = text.replace(self._key, "***")
        return " ".join(text.split())[:500]


class _Backoff:
    """Seconds until the next try: Retry-After, else exponential backoff with jitter.

    Args:
        seed: Seed of the jitter. It differs between requests, so that they do not retry at the same moment.
    """

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    def __call__(self, state: Any) -> float:
        """Return the seconds to wait, given a `tenacity.RetryCallState`."""
        response = getattr(state.outcome.exception(), "response", None)
        retry_after = "" if response is None else str(response.headers.get("retry-after", ""))
        try:
            return min(float(retry_after), _LONGEST_RETRY_AFTER)
        except ValueError:
            longest: float = min(_LONGEST_WAIT, 0.5 * 2.0 ** (state.attempt_number - 1))
            return longest * self._random.uniform(0.5, 1.0)


def _fingerprint(extra: Mapping[str, Any], thinking: str) -> str:
    """Return a suffix for the agent's name that depends on what changes the policy; "" for the defaults."""
    changes = dict(extra) if thinking == "hide" else {**extra, "thinking": thinking}
    if not changes:
        return ""
    try:
        text = json.dumps(changes, sort_keys=True, separators=(",", ":"))
    except (TypeError, ValueError) as error:
        raise ConfigError(f"extra must hold only JSON values: {error}") from error
    return f"+{hashlib.sha256(text.encode()).hexdigest()[:8]}"

"""An agent that sends requests to a server with the OpenAI chat protocol (vLLM serve, SGLang, OpenAI, ...).

The API key comes from an environment variable and is never logged, stored or shown in an error.
"""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from threading import Event
from typing import Any, Literal

from rise_agents.client.backoff import Backoff
from rise_agents.client.chat_client import ChatClient, ClientSettings
from rise_agents.client.concurrent_requests import run_requests
from rise_agents.client.context_room import room_for_reply
from rise_agents.client.cost_budget import CostBudget, billable_usage
from rise_agents.client.failures import Failure, read_failure
from rise_agents.client.openai_protocol import messages_to_send, read_usage
from rise_agents.client.rate_limit import RateLimiter, estimate_prompt_tokens, read_prices
from rise_agents.client.reply_log import ReplyLog
from rise_agents.client.server_health import ServerHealth
from rise_agents.types import Reply, SamplingConfig
from rise_env.errors import ConfigError
from rise_env.types import Conversation, Usage
from rise_env.utils.settings import Changeable

_Request = tuple[Conversation, int | None]
"""A conversation and its seed."""


class OpenAIAgent:
    """Answers through an OpenAI-compatible server with many concurrent requests.

    It is a `StreamingAgent`: in a rollout, no episode waits for the replies of other episodes. One request is
    sent alone before the others: a server that is down, or whose answers nobody can read, ends the run after
    four tries.

    Args:
        target: MODEL@URL, for example "Qwen/Qwen2.5-7B-Instruct@http://127.0.0.1:8000/v1". With a preset of
            `server` that has a URL, MODEL alone. A trailing `/chat/completions` is removed, a query is sent
            with each request, and `user:password@` before the host is sent as basic authentication.
        server: The dialect of the server: generic, openai, azure, openrouter, together, vllm, sglang,
            llama.cpp, ollama or transformers; see `rise_agents.client.server_presets`.
        max_concurrent_requests: Maximal number of requests that are sent to the server at the same time.
        attempts: Maximal number of tries per request. Connection errors, timeouts, statuses 408, 409, 425,
            429 and 5xx, and unreadable answers are tried again, after the time in Retry-After or, without
            one, after at most 0.5, 1, 2, ... 60 seconds.
        max_failures: Number of failed tries in a row, without a success of any request, after which requests
            are sent one at a time; after as many again, the run ends. A server that has answered nothing yet
            ends it after four, or this number if that is less, unless it answers 429, 503 or 529.
        timeout: Seconds per try.
        requests_per_minute: Maximal number of requests per minute; 0 is no limit.
        tokens_per_minute: Maximal number of tokens per minute, prompts and replies together; 0 is no limit.
        max_usd: Cap on the cost in US dollars; 0 is no cap. Every try counts, see `CostBudget`. Tries in the
            reply log count as well, so that a restarted command continues the count; without a reply log,
            each agent counts from 0.
        prices: {"prompt": ..., "completion": ...} in US dollars per million tokens; required for a cap.
        reply_log: File that stores every reply as soon as it arrives, and answers repeated requests, so that
            no reply is paid for twice even if the process is killed.
        key_variable: Environment variable that holds the API key; None is that of the preset, which is
            OPENAI_API_KEY for most. Local servers often need no key.
        logprobs: Whether to ask for log-probabilities.
        send_seeds: Whether to send a `seed` with each request.
        seed_bits: Seeds are reduced to this number of bits, for example 31 for servers that read 32-bit
            integers; None is that of the preset.
        thinking: What requests say of the model's reasoning at earlier turns: "hide" sends its replies only,
            "template" sends the reasoning as well, and the chat template on the server decides what the
            prompt shows. Some servers refuse "template". It changes the replies, see `extra`.
        parameters: Other names of the fields temperature, top_p, max_tokens and seed, or null to leave one
            out, for example {"max_tokens": "max_completion_tokens", "temperature": null}.
        extra: Further fields of the request body, for example {"top_k": 20}. They change the replies, so the
            agent's name contains a hash of them, and a reply log is valid for one set of them only. If they
            contain `max_completion_tokens`, it is sent instead of `max_tokens`.
        headers: Further headers of each request. Their values are not shown in errors.
        query: Further parameters of the query, for example {"api-version": "2024-10-21"}.
        organization: Sent as `OpenAI-Organization`.
        continues: Whether the server continues a reply whose beginning is given, as vLLM's does; see
            `ContinuingAgent`. OpenAI's own does not.

    Raises:
        ConfigError: A setting is wrong, or there is no key for a server that needs one.
        StoreError: The reply log is damaged or holds the replies of another agent.
        MissingDependencyError: `openai` is not installed.
    """

    def __init__(
        self,
        target: str,
        *,
        server: str = "generic",
        max_concurrent_requests: Changeable[int] = 32,
        attempts: Changeable[int] = 8,
        max_failures: Changeable[int] = 8,
        timeout: Changeable[float] = 600.0,
        requests_per_minute: Changeable[float] = 0,
        tokens_per_minute: Changeable[float] = 0,
        max_usd: Changeable[float] = 0.0,
        prices: Changeable[Mapping[str, float] | None] = None,
        reply_log: Changeable[str | None] = None,
        key_variable: Changeable[str | None] = None,
        logprobs: bool = False,
        send_seeds: bool = True,
        seed_bits: int | None = None,
        thinking: Literal["hide", "template"] = "hide",
        parameters: Mapping[str, str | None] | None = None,
        extra: Mapping[str, Any] | None = None,
        headers: Changeable[Mapping[str, str] | None] = None,
        query: Mapping[str, str] | None = None,
        organization: Changeable[str | None] = None,
        continues: bool = False,
    ) -> None:
        if min(max_concurrent_requests, attempts, max_failures) < 1:
            raise ConfigError(
                "max_concurrent_requests, attempts and max_failures must be at least 1, "
                f"got {max_concurrent_requests}, {attempts} and {max_failures}"
            )
        settings = ClientSettings(
            server=server,
            timeout=timeout,
            key_variable=key_variable,
            logprobs=logprobs,
            send_seeds=send_seeds,
            seed_bits=seed_bits,
            thinking=thinking,
            parameters=parameters,
            extra=extra,
            headers=headers,
            query=query,
            organization=organization,
            continues=continues,
        )
        self.continues = continues
        self._client = ChatClient(target, settings)
        self._thinking: Literal["hide", "template"] = thinking
        self.model = self._client.model
        self.name = f"openai:{self.model}{_fingerprint(self._client.policy_changes())}"
        self.max_concurrent_requests = max_concurrent_requests
        self._threads, self._attempts = max_concurrent_requests, attempts
        self._health = ServerHealth(self.name, max_failures)
        self._rate_limiter = RateLimiter(requests_per_minute, tokens_per_minute)
        self._reply_log = None if reply_log is None else ReplyLog(reply_log, self.name, logprobs=logprobs)
        billed = [] if self._reply_log is None else self._reply_log.billable_usage
        self._budget = CostBudget(max_usd, read_prices(prices), billed)

    @classmethod
    def check_settings(cls, target: str, **settings: Any) -> None:
        """Check the settings, the key and the reply log without a request; see `registry.check_agent`.

        Raises:
            ConfigError, StoreError, MissingDependencyError: See the class.
        """
        cls(target, **settings).close()

    @property
    def spent(self) -> float:
        """Cost so far in US dollars by the given prices, including the tries in the reply log."""
        return self._budget.spent

    def act(
        self,
        conversations: Sequence[Conversation],
        sampling: SamplingConfig,
        seeds: Sequence[int] | None = None,
    ) -> list[Reply]:
        """Answer each conversation; see `Agent.act`.

        A request whose tries all failed gets a reply with finish "error" and the reason as its text. A
        conversation that is longer than the context gets an empty reply with finish "length".

        Raises:
            ConfigError: The server refuses the key, the model or the account, or the cap is reached.
            DeadAgentError: The server does not answer, or not in a form that can be read.
            StoreError: The reply log cannot be written, for example because the disk is full.
        """
        all_seeds: Sequence[int | None] = [None] * len(conversations) if seeds is None else seeds
        requests = dict(enumerate(zip(conversations, all_seeds, strict=True)))
        replies: dict[int, Reply] = {}

        def on_reply(number: int, reply: Reply) -> Mapping[int, _Request]:
            replies[number] = reply
            return {}

        self._run(requests, sampling, on_reply)
        return [replies[number] for number in range(len(conversations))]

    def stream(
        self,
        requests: Mapping[int, tuple[Conversation, int]],
        sampling: SamplingConfig,
        on_reply: Callable[[int, Reply], Mapping[int, tuple[Conversation, int]]],
    ) -> None:
        """Answer the requests, and the requests that `on_reply` adds; see `StreamingAgent.stream`.

        Raises:
            ConfigError, DeadAgentError, StoreError: As for `act`. The requests that were already sent are
                awaited, and their replies are written to the reply log if there is one; no further request
                is sent.
        """
        self._run(requests, sampling, on_reply)

    def close(self) -> None:
        """Close the connections to the server."""
        self._client.close()

    def _run(
        self,
        requests: Mapping[int, _Request],
        sampling: SamplingConfig,
        on_reply: Callable[[int, Reply], Mapping[int, _Request]],
    ) -> None:
        def with_keys(requests: Mapping[int, _Request]) -> dict[int, tuple[_Request, str | None]]:
            return {
                number: (request, self._log_key(request, sampling)) for number, request in requests.items()
            }

        cancelled = Event()
        self._health.begin()
        run_requests(
            with_keys(requests),
            lambda request_and_key: self._answer(*request_and_key, sampling, cancelled),
            lambda number, reply: with_keys(on_reply(number, reply)),
            threads=self._threads,
            cancelled=cancelled,
        )

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
    ) -> tuple[Reply, Usage]:
        """Return the reply, and the usage that its try is billed for.

        Raises:
            InterruptedError: `cancelled` was set before a try.
        """
        most = Usage(
            prompt_tokens=int(estimate_prompt_tokens(conversation)),
            completion_tokens=self._client.max_tokens(sampling),
        )
        request, backoff = object(), Backoff(seed or 0)
        reason = ""
        try:
            for number in range(1, self._attempts + 1):
                self._health.enter(request, cancelled)
                outcome = self._try(conversation, seed, sampling, most, cancelled)
                if isinstance(outcome, tuple):
                    self._health.succeeded(request)
                    return outcome
                reason = outcome.reason
                room = room_for_reply(reason) if outcome.kind == "too_long" else 0
                if 0 < room < sampling.max_new_tokens and number < self._attempts:
                    sampling = replace(sampling, max_new_tokens=room)
                    continue
                reply = self._read_failure(request, outcome)
                if reply is not None:
                    return reply, Usage()
                if number < self._attempts:
                    cancelled.wait(backoff.seconds(number, outcome.retry_after))
            return Reply(text=reason, finish="error"), Usage()
        finally:
            self._health.leave(request)

    def _read_failure(self, request: object, failure: Failure) -> Reply | None:
        """Return the reply to a request that must not be tried again; None if it may be.

        Raises:
            ConfigError: Every request would fail.
            DeadAgentError: The server counts as dead.
        """
        if failure.kind == "fatal":
            self._health.end(ConfigError(f"the server refuses {self.model!r}: {failure.reason}"))
        if failure.kind == "retry":
            self._health.failed(request, failure.reason, failure.retry_after, busy=failure.busy)
            return None
        if failure.kind == "filtered":
            self._health.succeeded(request)
            return Reply(text=failure.reason, finish="content_filter")
        self._health.rejected(request, failure.reason)
        if failure.kind == "too_long":
            return Reply(text="", finish="length", finish_reason="context_length_exceeded")
        return Reply(text=failure.reason, finish="error")

    def _try(
        self,
        conversation: Conversation,
        seed: int | None,
        sampling: SamplingConfig,
        most: Usage,
        cancelled: Event,
    ) -> tuple[Reply, Usage] | Failure:
        """Send a request once; return the reply with the usage that it is billed for, or what went wrong."""
        self._rate_limiter.wait(most.prompt_tokens + most.completion_tokens, cancelled.wait)
        if cancelled.is_set():
            raise InterruptedError("the request was cancelled")
        self._budget.reserve(most)
        billed: Usage | None = None
        try:
            reply = self._client.send(conversation, sampling, seed, first=not self._health.answered)
            billed = billable_usage(reply.usage, most)
            return reply, billed
        except self._client.errors as error:
            failure = read_failure(error, self._client.url)
            billed = _billed_for_failure(failure, most)
            if billed is not None and self._reply_log is not None:
                self._reply_log.add_charge(billed)
            return replace(failure, reason=self._client.redact(failure.reason))
        finally:
            self._budget.settle(most, billed)


def _billed_for_failure(failure: Failure, most: Usage) -> Usage | None:
    """Return the bill of a failed try: its usage, the maximum if an answer may have been made, or None."""
    reported = read_usage(failure.usage)
    return billable_usage(reported, most) if failure.arrived or reported != Usage() else None


def _fingerprint(changes: Mapping[str, Any]) -> str:
    """Return a suffix for the agent's name that depends on what changes the policy; "" for the defaults."""
    if not changes:
        return ""
    try:
        text = json.dumps(changes, sort_keys=True, separators=(",", ":"))
    except (TypeError, ValueError) as error:
        raise ConfigError(f"extra must hold only JSON values: {error}") from error
    return f"+{hashlib.sha256(text.encode()).hexdigest()[:8]}"

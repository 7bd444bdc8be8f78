"""Plays with any server that speaks the OpenAI chat protocol: vLLM serve, SGLang, OpenAI, ...

The key comes from an environment variable and is never logged, stored or shown in an error.
"""

import os
import random
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit

from rise_agents.base import Reply, SamplingConfig
from rise_agents.estimating import CHARACTERS_PER_TOKEN
from rise_agents.pacing import Budget, Pace, Prices
from rise_agents.tape import Tape
from rise_env.errors import ConfigError, MissingDependencyError
from rise_env.types import Conversation, Usage

_NO_KEY = "none"
_NEVER = ("AuthenticationError", "PermissionDeniedError", "NotFoundError")
"""Errors of the `openai` client that every other request would meet, too."""


class OpenAIAgent:
    """Answers through an OpenAI-compatible server, many requests at a time.

    Args:
        target: MODEL@URL, for example "Qwen/Qwen2.5-7B-Instruct@http://127.0.0.1:8000/v1".
        concurrency: Requests in flight.
        attempts: Tries per request: connection errors, timeouts, statuses 408, 409, 429 and 5xx, and answers
            that nobody can read are tried again, after Retry-After or 0.5, 1, 2, ... 60 s.
        timeout: Seconds per try.
        requests_per_minute: 0 is no limit.
        tokens_per_minute: Prompts and replies together; 0 is no limit.
        max_usd: Cap on the cost in US dollars; 0 is none.
        prices: {"prompt": ..., "completion": ...} in US dollars per million tokens; needed for the cap.
        journal: File that gets every reply as it comes, and gives it back when the same is asked again:
            then not even a kill makes a reply be paid for twice.
        key_variable: Environment variable with the key; servers of one's own often need none.
        logprobs: Whether to ask for log-probabilities.
        send_seeds: Whether the server takes a `seed` per request.
        extra: Further fields of the request's body.

    Raises:
        ConfigError: A setting is wrong, or there is no key for a server that needs one.
        MissingDependencyError: `openai` or `tenacity` is not installed.
    """

    def __init__(
        self,
        target: str,
        *,
        concurrency: int = 32,
        attempts: int = 8,
        timeout: float = 600.0,
        requests_per_minute: float = 0,
        tokens_per_minute: float = 0,
        max_usd: float = 0.0,
        prices: Mapping[str, float] | None = None,
        journal: str | None = None,
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
        if concurrency < 1 or attempts < 1:
            raise ConfigError(
                f"concurrency and attempts must be at least 1, got {concurrency} and {attempts}"
            )
        self.model, url = _split(target)
        self.name = f"openai:{self.model}"
        self._key = _key(url, key_variable)
        self._client = openai.OpenAI(base_url=url, api_key=self._key, timeout=timeout, max_retries=0)
        self._openai, self._tenacity = openai, tenacity
        self._concurrency, self._attempts = concurrency, attempts
        self._pace = Pace(requests_per_minute, tokens_per_minute)
        self._budget = Budget(max_usd, None if prices is None else _prices(prices))
        self._tape = None if journal is None else Tape(journal, self.name)
        self._logprobs, self._send_seeds = logprobs, send_seeds
        self._extra = dict(extra or {})

    @property
    def spent(self) -> float:
        """US dollars so far, by the prices given."""
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
        """
        keys = (
            [None] * len(conversations)
            if self._tape is None
            else self._tape.keys(conversations, sampling, seeds)
        )

        def answer(place: int) -> Reply:
            key = keys[place]
            if key is not None and self._tape is not None:
                known = self._tape.get(key)
                if known is not None:
                    return known
            reply = self._answer(conversations[place], sampling, None if seeds is None else seeds[place])
            if key is not None and self._tape is not None and reply.finish != "error":
                self._tape.add(key, reply)
            return reply

        with ThreadPoolExecutor(max_workers=min(self._concurrency, max(1, len(conversations)))) as pool:
            waiting = [pool.submit(answer, place) for place in range(len(conversations))]
            try:
                return [future.result() for future in waiting]
            except BaseException:
                for future in waiting:
                    future.cancel()
                raise

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _answer(self, conversation: Conversation, sampling: SamplingConfig, seed: int | None) -> Reply:
        characters = sum(len(message["content"]) for message in conversation)
        most = Usage(
            prompt_tokens=int(characters / CHARACTERS_PER_TOKEN) + 8 * len(conversation),
            completion_tokens=sampling.max_new_tokens,
        )
        retrying = self._tenacity.Retrying(
            retry=self._tenacity.retry_if_exception(self._worth_another_try),
            stop=self._tenacity.stop_after_attempt(self._attempts),
            wait=_Wait(seed or 0),
            reraise=True,
        )
        reserved = self._budget.reserve(most)
        usage = None
        try:
            reply: Reply = retrying(self._request, conversation, sampling, seed, most)
            usage = reply.usage
        except ConfigError:
            raise
        except Exception as error:  # every try failed: this conversation's misfortune
            text = self._clean(f"{type(error).__name__}: {error}")
            if type(error).__name__ in _NEVER:
                raise ConfigError(f"the server refuses {self.model!r}: {text}") from None
            return Reply(text=text, finish="error")
        finally:
            self._budget.settle(reserved, usage)
        return reply

    def _request(
        self, conversation: Conversation, sampling: SamplingConfig, seed: int | None, most: Usage
    ) -> Reply:
        self._pace.wait(most.prompt_tokens + most.completion_tokens)
        body: dict[str, Any] = {
            "model": self.model,
            "messages": list(conversation),
            "temperature": sampling.temperature,
            "top_p": sampling.top_p,
            "max_tokens": sampling.max_new_tokens,
        }
        if seed is not None and self._send_seeds:
            body["seed"] = seed
        if self._logprobs:
            body["logprobs"] = True
        began = time.perf_counter()
        answer = self._client.chat.completions.create(**body, extra_body=self._extra)
        return _reply(answer, time.perf_counter() - began)

    def _worth_another_try(self, error: BaseException) -> bool:
        if isinstance(error, self._openai.APIStatusError):
            return error.status_code in {408, 409, 429} or error.status_code >= 500
        # a connection that broke, or an answer that nobody can read
        return isinstance(error, self._openai.APIError | ValueError | KeyError | TypeError | AttributeError)

    def _clean(self, text: str) -> str:
        if self._key != _NO_KEY:
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


def _reply(answer: Any, latency: float) -> Reply:
    if not answer.choices:
        raise ValueError("the answer holds no reply")
    choice = answer.choices[0]
    text = choice.message.content
    if not isinstance(text, str | None):
        raise ValueError(f"the reply is no text but {type(text).__name__}")
    used = answer.usage
    details = getattr(used, "prompt_tokens_details", None)
    tokens = getattr(choice.logprobs, "content", None) if choice.logprobs else None
    return Reply(
        text=text or "",
        finish="length" if choice.finish_reason == "length" else "stop",
        logprobs=tuple(token.logprob for token in tokens) if tokens else None,
        usage=Usage(
            prompt_tokens=used.prompt_tokens if used else 0,
            completion_tokens=used.completion_tokens if used else 0,
            cached_tokens=(getattr(details, "cached_tokens", None) or 0) if details else 0,
        ),
        latency=latency,
    )


def _split(target: str) -> tuple[str, str]:
    model, at, url = target.rpartition("@")
    parts = urlsplit(url)
    if not at or not model or parts.scheme not in {"http", "https"} or not parts.netloc:
        raise ConfigError(
            f"write openai:MODEL@URL, for example openai:gpt@http://host:8000/v1, got {target!r}"
        )
    return model, url


def _key(url: str, variable: str) -> str:
    key = os.environ.get(variable, "")
    if not key and (urlsplit(url).hostname or "").endswith("openai.com"):
        raise ConfigError(f"{url} needs a key: set the environment variable {variable}")
    return key or _NO_KEY


def _prices(table: Mapping[str, float]) -> Prices:
    known = Prices.__dataclass_fields__
    for name in table:
        if name not in known:
            raise ConfigError(f"prices have {', '.join(known)}; got {name!r}")
    return Prices(**dict(table))

"""Sends single requests to a server with the OpenAI chat protocol, in the dialect of the server."""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from rise_agents.chat.beginnings import split_beginning
from rise_agents.client.failures import UnreadableAnswerError
from rise_agents.client.openai_protocol import messages_to_send, read_reply
from rise_agents.client.server_presets import ServerPreset, find_preset, parameter_names
from rise_agents.client.target import NO_KEY, Target, read_key, read_target
from rise_agents.types import Reply, SamplingConfig
from rise_env.errors import ConfigError
from rise_env.types import Conversation
from rise_env.utils.extras import missing_library

_CONNECT_S = 10.0
"""Seconds to open a connection."""

_FIRST_CONNECT_S = 2.0
"""Seconds to open a connection to a server that has not answered yet: a wrong address is noticed soon."""


CONTINUE = {"continue_final_message": True, "add_generation_prompt": False}
"""Fields of vLLM's server for a request that ends with the beginning of the reply."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientSettings:
    """How to reach a server; `OpenAIAgent` explains the fields."""

    server: str = "generic"
    timeout: float = 600.0
    key_variable: str | None = None
    logprobs: bool = False
    send_seeds: bool = True
    seed_bits: int | None = None
    thinking: Literal["hide", "template"] = "hide"
    parameters: Mapping[str, str | None] | None = None
    extra: Mapping[str, Any] | None = None
    headers: Mapping[str, str] | None = None
    query: Mapping[str, str] | None = None
    organization: str | None = None
    continues: bool = False

    def __post_init__(self) -> None:
        if self.thinking not in ("hide", "template"):
            raise ConfigError(f"thinking must be hide or template for a server, got {self.thinking!r}")
        if self.seed_bits is not None and not 1 <= self.seed_bits <= 63:
            raise ConfigError(f"seed_bits must be from 1 to 63, got {self.seed_bits}")
        if not self.timeout > 0:
            raise ConfigError(f"timeout must be above 0 seconds, got {self.timeout}")
        for name in ("headers", "query"):
            table = getattr(self, name) or {}
            if not all(isinstance(part, str) for pair in table.items() for part in pair):
                raise ConfigError(f"{name} must be {{name: text}}, got {dict.fromkeys(table, '...')}")


class ChatClient:
    """One model on one server.

    Args:
        target: MODEL@URL, see `read_target`.
        settings: How to reach the server.

    Raises:
        ConfigError: A setting is wrong, or there is no key for a server that needs one.
        MissingDependencyError: `openai` is not installed.
    """

    def __init__(self, target: str, settings: ClientSettings) -> None:
        try:
            import openai
        except ModuleNotFoundError as error:
            raise missing_library(error.name or "openai") from error
        preset = find_preset(settings.server)
        self._target: Target = read_target(target, preset)
        self.model = self._target.model
        self._settings = settings
        self._names = parameter_names(preset, settings.parameters)
        self._seed_bits = settings.seed_bits or preset.seed_bits
        self._key = read_key(self._target, preset, settings.key_variable or preset.key_variable)
        self.extra: dict[str, Any] = {**preset.body, **(settings.extra or {})}
        """The fields of each request beyond model, messages and parameters."""
        if "max_completion_tokens" in self.extra:  # `extra` says what the maximal length is, and its name
            self._names["max_tokens"] = None
        self._openai = openai
        self._headers = _headers(preset, self._target, self._key, settings, openai.Omit())
        self._client = openai.OpenAI(
            base_url=self._target.url,
            api_key=self._key,
            organization=settings.organization,
            max_retries=0,
            default_query={**self._target.query, **(settings.query or {})},
        )

    @property
    def url(self) -> str:
        """The URL to which requests are sent, for messages."""
        return self._target.endpoint

    @property
    def errors(self) -> tuple[type[Exception], ...]:
        """What `send` raises if a try fails."""
        return (self._openai.APIError, UnreadableAnswerError)

    def send(
        self, conversation: Conversation, sampling: SamplingConfig, seed: int | None, *, first: bool
    ) -> Reply:
        """Try a request once.

        Args:
            conversation: The conversation.
            sampling: How to sample the reply.
            seed: Its seed.
            first: Whether the server has answered nothing so far.

        Raises:
            APIError: An error of the `openai` client: no connection, or a status that is an error.
            UnreadableAnswerError: The answer holds no reply.
        """
        fields = self.fields(sampling, seed)
        if split_beginning(conversation)[1] is not None:
            if not self._settings.continues:
                raise ConfigError(
                    f"{self.model} cannot continue a reply: most servers open a second one instead; serve "
                    "the model with vLLM and set continues=true"
                )
            fields |= CONTINUE
        connect = min(_FIRST_CONNECT_S if first else _CONNECT_S, self._settings.timeout)
        began = time.perf_counter()
        response = self._client.chat.completions.with_raw_response.create(
            model=self.model,
            messages=messages_to_send(conversation, self._settings.thinking),  # type: ignore[arg-type]
            extra_body=fields,
            extra_headers=self._headers,
            timeout=self._openai.Timeout(self._settings.timeout, connect=connect),
        )
        data = response.http_response.content
        try:
            answer = json.loads(data)
        except ValueError:  # no JSON, or no UTF-8
            start = " ".join(data[:200].decode("utf-8", "replace").split())
            raise UnreadableAnswerError(f"the answer is no JSON: {start!r}") from None
        return read_reply(answer, time.perf_counter() - began)

    def fields(self, sampling: SamplingConfig, seed: int | None) -> dict[str, Any]:
        """Return the fields of a request, without the model and the messages."""
        values: dict[str, Any] = {
            "temperature": sampling.temperature,
            "top_p": sampling.top_p,
            "max_tokens": sampling.max_new_tokens,
        }
        if seed is not None and self._settings.send_seeds:
            values["seed"] = seed & ((1 << self._seed_bits) - 1)
        named = {self._names[name]: value for name, value in values.items()}
        body: dict[str, Any] = {name: value for name, value in named.items() if name is not None}
        if self._settings.logprobs:
            body["logprobs"] = True
        return body | self.extra

    def max_tokens(self, sampling: SamplingConfig) -> int:
        """Return the maximal number of tokens in a reply."""
        given = [self.extra.get(name) for name in ("max_completion_tokens", "max_tokens")]
        limits = [value for value in given if isinstance(value, int)]
        return limits[0] if limits else sampling.max_new_tokens

    def policy_changes(self) -> dict[str, Any]:
        """Return what changes the replies, beyond temperature, top_p and the maximal length."""
        changes: dict[str, Any] = dict(self.extra)
        left_out = sorted(name for name in ("temperature", "top_p") if self._names[name] is None)
        if left_out:
            changes["left_out"] = left_out
        if self._settings.thinking != "hide":
            changes["thinking"] = self._settings.thinking
        return changes

    def redact(self, text: str) -> str:
        """Return a message on one line and without the key, the password and the values of headers."""
        secrets = [self._key, self._target.basic_auth.removeprefix("Basic ")]
        secrets += (self._settings.headers or {}).values()
        for secret in secrets:
            if len(secret) > len(NO_KEY):
                text = text.replace(secret, "***")
        return " ".join(text.split())[:700]

    def close(self) -> None:
        """Close the connections to the server."""
        self._client.close()


def _headers(
    preset: ServerPreset, target: Target, key: str, settings: ClientSettings, omit: Any
) -> dict[str, Any]:
    """Return the headers of each request that differ from those of the `openai` client."""
    headers: dict[str, Any] = {}
    if preset.key_header:
        headers |= {preset.key_header: key, "Authorization": omit}
    if target.basic_auth:
        headers["Authorization"] = target.basic_auth
    return headers | dict(settings.headers or {})

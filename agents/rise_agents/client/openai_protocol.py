"""The OpenAI chat protocol: the server's address, the API key, and how a response becomes a `Reply`."""

import math
import os
from typing import Any, Literal
from urllib.parse import urlsplit

from rise_agents.chat.reasoning import split_reasoning
from rise_agents.types import Reply
from rise_env.errors import ConfigError
from rise_env.types import Conversation, Usage

NO_KEY = "none"
"""Placeholder for the API key, sent to servers that need no key."""

REASONING_KEYS = ("reasoning_content", "reasoning")
"""What servers call the reasoning of a message: DeepSeek, SGLang and older vLLM use the first name,
OpenRouter and newer vLLM the second."""


def read_reply(response: Any, latency: float) -> Reply:
    """Convert the response of a server to a `Reply`.

    Args:
        response: A chat completion as the `openai` client returns it.
        latency: Time that the request took, in seconds.

    Raises:
        ValueError: The response holds no text.
    """
    if not response.choices:
        raise ValueError("the response holds no reply")
    choice = response.choices[0]
    text = choice.message.content
    if not isinstance(text, str | None):
        raise ValueError(f"the reply must be a text, got {type(text).__name__}")
    reasoning, text = _split(choice.message, text or "")
    used = response.usage
    prompt = _count(used, "prompt_tokens")
    cached = _count(getattr(used, "prompt_tokens_details", None), "cached_tokens")
    tokens = getattr(choice.logprobs, "content", None) if choice.logprobs else None
    return Reply(
        text=text,
        reasoning=reasoning,
        finish="length" if choice.finish_reason == "length" else "stop",
        logprobs=tuple(float(token.logprob) for token in tokens) if tokens else None,
        usage=Usage(
            prompt_tokens=prompt,
            completion_tokens=_count(used, "completion_tokens"),
            cached_tokens=min(cached, prompt),
        ),
        latency=latency,
    )


def _split(message: Any, text: str) -> tuple[str, str]:
    """Return the reasoning and the text of a message.

    Servers give the reasoning different names, or leave it in the text if they run without a parser for it.
    """
    for name in REASONING_KEYS:
        reasoning = getattr(message, name, None)
        if isinstance(reasoning, str) and reasoning:
            return reasoning.strip("\n"), text.lstrip("\n")
    return split_reasoning(text)


def messages_to_send(
    conversation: Conversation, thinking: Literal["hide", "template"]
) -> list[dict[str, str]]:
    """Return the messages of a request.

    Args:
        conversation: The conversation.
        thinking: "hide" sends roles and texts only; "template" also sends what the model thought, so that the
            chat template on the server decides whether a prompt shows it.
    """
    sent = []
    for message in conversation:
        fields: dict[str, str] = {"role": message["role"], "content": message["content"]}
        reasoning = message.get("reasoning_content")
        if reasoning and thinking == "template":
            fields |= dict.fromkeys(REASONING_KEYS, reasoning)
        sent.append(fields)
    return sent


def _count(holder: Any, name: str) -> int:
    """Return a number of tokens; 0 if the server does not report it."""
    value = getattr(holder, name, None)
    if isinstance(value, int | float) and math.isfinite(value):
        return max(int(value), 0)
    return 0


def split_target(target: str) -> tuple[str, str]:
    """Split MODEL@URL into the model's name and the server's URL.

    Raises:
        ConfigError: The text has another form.
    """
    model, at, url = target.rpartition("@")
    parts = urlsplit(url)
    if not at or not model or parts.scheme not in {"http", "https"} or not parts.netloc:
        raise ConfigError(
            f"write openai:MODEL@URL, for example openai:gpt@http://host:8000/v1, got {target!r}"
        )
    return model, url


def server_key(url: str, variable: str) -> str:
    """Return the API key from an environment variable, or `NO_KEY` if it is empty and no key is needed.

    Args:
        url: URL of the server. Only hosts of openai.com are known to need a key.
        variable: Name of the environment variable.

    Raises:
        ConfigError: The server needs a key, and the variable is empty.
    """
    key = os.environ.get(variable, "")
    if not key and (urlsplit(url).hostname or "").endswith("openai.com"):
        raise ConfigError(f"{url} needs an API key: set the environment variable {variable}")
    return key or NO_KEY

"""Servers that speak the OpenAI chat protocol: their address, their key, and how their answers are read."""

import math
import os
from typing import Any
from urllib.parse import urlsplit

from rise_agents.types import Reply
from rise_env.errors import ConfigError
from rise_env.types import Usage

NO_KEY = "none"


def read_reply(answer: Any, latency: float) -> Reply:
    """Return what a server said.

    Args:
        answer: As the `openai` client gives it.
        latency: Seconds.

    Raises:
        ValueError: There is no text in it.
    """
    if not answer.choices:
        raise ValueError("the answer holds no reply")
    choice = answer.choices[0]
    text = choice.message.content
    if not isinstance(text, str | None):
        raise ValueError(f"the reply is no text but {type(text).__name__}")
    used = answer.usage
    prompt = _count(used, "prompt_tokens")
    cached = _count(getattr(used, "prompt_tokens_details", None), "cached_tokens")
    tokens = getattr(choice.logprobs, "content", None) if choice.logprobs else None
    return Reply(
        text=text or "",
        finish="length" if choice.finish_reason == "length" else "stop",
        logprobs=tuple(token.logprob for token in tokens) if tokens else None,
        usage=Usage(
            prompt_tokens=prompt,
            completion_tokens=_count(used, "completion_tokens"),
            cached_tokens=min(cached, prompt),
        ),
        latency=latency,
    )


def _count(holder: Any, name: str) -> int:
    """Return a number of tokens; 0 where there is none."""
    value = getattr(holder, name, None)
    if isinstance(value, int | float) and math.isfinite(value):
        return max(int(value), 0)
    return 0


def split_target(target: str) -> tuple[str, str]:
    """Return model and address of MODEL@URL.

    Raises:
        ConfigError: It is something else.
    """
    model, at, url = target.rpartition("@")
    parts = urlsplit(url)
    if not at or not model or parts.scheme not in {"http", "https"} or not parts.netloc:
        raise ConfigError(
            f"write openai:MODEL@URL, for example openai:gpt@http://host:8000/v1, got {target!r}"
        )
    return model, url


def server_key(url: str, variable: str) -> str:
    """Return the key in an environment variable; `NO_KEY` where there is none and the server needs none.

    Raises:
        ConfigError: The server needs one.
    """
    key = os.environ.get(variable, "")
    if not key and (urlsplit(url).hostname or "").endswith("openai.com"):
        raise ConfigError(f"{url} needs a key: set the environment variable {variable}")
    return key or NO_KEY

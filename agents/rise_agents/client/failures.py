"""What the failure of one try means: whether to try again, to give the request up, or to end the run.

Sources: `_should_retry` of openai-python; the error codes of OpenAI, Azure and OpenRouter; the messages of
vLLM, SGLang, llama.cpp and TGI for prompts that are too long.
"""

import re
import ssl
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import urlsplit

from rise_agents.client.backoff import retry_after

Kind = Literal["retry", "rejected", "fatal", "too_long", "filtered"]
"""What to do: try again; give this request up; end the run, because every request would fail; or take it as
a reply, because the conversation is longer than the context, or because the server's filter caught it."""

_BUSY_STATUSES = frozenset({429, 503, 529})
_RETRY_STATUSES = frozenset({408, 409, 425, 429})
_FATAL_STATUSES = frozenset({401, 402, 403, 404, 407})

_NO_QUOTA = re.compile(
    r"insufficient_quota|billing_(not_active|hard_limit)|exceeded your current quota"
    r"|insufficient (balance|credits)",
    re.IGNORECASE,
)
"""What a server says with 429 if waiting does not help, because there is no money."""

_TOO_LONG = re.compile(
    r"context_length_exceeded|maximum context length|exceed_context_size|exceeds the available context size"
    r"|longer than the model'?s context length|prompt is too long|tokens \+ `?max_new_tokens`? must be"
    r"|input is too long|longer than the maximum model length",
    re.IGNORECASE,
)

_FILTERED = re.compile(
    r"content_filter|ResponsibleAIPolicyViolation|content_policy_violation|input was flagged|flagged_input",
    re.IGNORECASE,
)


class UnreadableAnswerError(ValueError):
    """A server answered with status 200 and no reply that can be read, or with an error in the answer.

    Args:
        reason: What is wrong.
        usage: The `usage` of the answer, a JSON value.
        code: The status in the answer's error; None if there is none.
    """

    def __init__(self, reason: str, usage: Any = None, code: int | None = None) -> None:
        super().__init__(reason)
        self.usage = usage
        self.code = code


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """The failure of one try."""

    kind: Kind
    reason: str
    """One line with the URL, the status and the cause."""
    retry_after: float | None = None
    """Seconds that the server told the client to wait; None if it did not say."""
    busy: bool = False
    """Whether the server is there and asks for patience: a rate limit, or a model that loads."""
    arrived: bool = False
    """Whether the server may have generated a reply, and billed it."""
    usage: Any = None
    """The usage that the server reported with the failure, a JSON value."""


def read_failure(error: Exception, url: str) -> Failure:
    """Return what a failure means.

    Args:
        error: An exception of the `openai` client, or an `UnreadableAnswerError`.
        url: The URL of the request.
    """
    if isinstance(error, UnreadableAnswerError):
        reason = f"{url} answered with status 200, but {error}"
        kind = "retry" if error.code is None else _kind(error.code, str(error))
        return Failure(kind=kind, reason=reason, arrived=True, usage=error.usage)
    response = getattr(error, "response", None)
    if response is None:
        return _unanswered(error, url)
    status, said = int(response.status_code), _said(error)
    kind = _kind(status, said)
    told = response.headers.get("x-should-retry")
    if told in ("true", "false") and kind in ("retry", "rejected"):
        kind = "retry" if told == "true" else "rejected"
    body = getattr(error, "body", None)
    usage = body.get("usage") if isinstance(body, Mapping) else None
    reason = f"{url} answered with status {status}: {said}{_advice(status, url)}"
    return Failure(
        kind=kind,
        reason=reason,
        retry_after=retry_after(response.headers),
        busy=status in _BUSY_STATUSES,
        usage=usage,
    )


def _kind(status: int, said: str) -> Kind:
    if status in (400, 403) and _FILTERED.search(said):
        return "filtered"
    if status in (400, 413, 422, 500) and _TOO_LONG.search(said):
        return "too_long"
    if status in _FATAL_STATUSES or (status == 429 and _NO_QUOTA.search(said)):
        return "fatal"
    return "retry" if status in _RETRY_STATUSES or status >= 500 else "rejected"


def _said(error: Exception) -> str:
    """Return what the server said, on one line."""
    body = getattr(error, "body", None)
    text = getattr(getattr(error, "response", None), "text", "") if body is None else str(body)
    return " ".join(text.split())[:400] or type(error).__name__


def _advice(status: int, url: str) -> str:
    if status in (401, 403):
        return " (check the API key)"
    if status == 404:
        version = "" if "/v1" in url else "; does its path begin at /v1?"
        return f" (check the model's name and the URL{version})"
    if status == 405:
        return " (check the URL)"
    return ""


def _unanswered(error: Exception, url: str) -> Failure:
    """Return the failure of a try without an answer, whose cause is in the exceptions behind it."""
    causes = _causes(error)
    last = causes[-1]
    names = {type(cause).__name__ for cause in causes}
    proxy = urllib.request.getproxies().get(urlsplit(url).scheme, "")
    if any(isinstance(cause, ssl.SSLError) for cause in causes) or "CERTIFICATE" in str(last).upper():
        cause = f"the TLS connection failed: {last}"
    elif "ProxyError" in names:
        cause = f"the proxy {_host(proxy)} refused the connection: {last}"
    elif "ConnectTimeout" in names:
        cause = "nothing answered in time when the connection was opened"
    elif any(isinstance(cause, ConnectionRefusedError) for cause in causes) or "refused" in str(last).lower():
        cause = f"the connection was refused: {last}"
    elif "APITimeoutError" in names:
        cause = "there was no answer within the setting timeout"
    else:
        cause = f"{type(last).__name__}: {last}"
    through = f" (through the proxy {_host(proxy)})" if proxy and "ProxyError" not in names else ""
    opened = not names & {
        "ConnectError",
        "ConnectTimeout",
        "ProxyError",
        "PoolTimeout",
        "UnsupportedProtocol",
    }
    return Failure(kind="retry", reason=f"{url}: {cause}{through}", arrived=opened)


def _causes(error: BaseException) -> list[BaseException]:
    """Return an exception and those behind it, the first cause last."""
    found = [error]
    while (cause := found[-1].__cause__ or found[-1].__context__) is not None and cause not in found:
        found.append(cause)
    return found


def _host(url: str) -> str:
    """Return a URL without user and password."""
    return url.rpartition("@")[2] or "of the environment"

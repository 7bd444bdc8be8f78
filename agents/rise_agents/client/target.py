"""Where a server is: reads MODEL@URL in the forms in which people write it."""

import base64
import os
import re
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, unquote, urlsplit, urlunsplit

from rise_agents.client.server_presets import ServerPreset
from rise_env.errors import ConfigError

NO_KEY = "none"
"""Placeholder for the API key, sent to servers that need no key."""

AZURE_API_VERSION = "2024-10-21"
"""The stable version of Azure's API, sent unless the URL or the setting `query` names another one."""

_ENDPOINT = "/chat/completions"
_AT_URL = re.compile(r"@(?=https?://)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A model on a server."""

    model: str
    url: str
    """Scheme, host and path, up to the part that `/chat/completions` follows; without user and password."""
    query: dict[str, str] = field(default_factory=dict)
    """The query of the URL."""
    basic_auth: str = field(default="", repr=False)
    """The value of the header `Authorization`, if the URL has a user name; else empty."""

    @property
    def endpoint(self) -> str:
        """The URL to which requests are sent, for messages."""
        return self.url + _ENDPOINT


def read_target(target: str, preset: ServerPreset) -> Target:
    """Read MODEL@URL, or MODEL alone for a preset with a URL.

    A trailing slash and a trailing `/chat/completions` are removed from the URL. Its query and its user name
    and password are kept apart. For Azure, a URL without a path gets the path of the deployment MODEL.

    Raises:
        ConfigError: The text has another form.
    """
    model, *rest = _AT_URL.split(target, maxsplit=1)
    url = rest[0] if rest else preset.url
    if not rest and "@" in target and "://" in target:
        url = ""  # a URL of another kind
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise ConfigError(f"the URL of {target!r} cannot be read: {error}") from error
    if not model or not host:
        raise ConfigError(
            "write openai:MODEL@URL, for example openai:gpt@http://host:8000/v1, "
            f"got {_without_password(target)!r}"
        )
    path = parts.path.rstrip("/").removesuffix(_ENDPOINT).rstrip("/")
    query = dict(parse_qsl(parts.query))
    if preset.deployments:
        path = path or f"/openai/deployments/{model}"
        if "/deployments/" in path:
            query.setdefault("api-version", AZURE_API_VERSION)
    user, at, place = parts.netloc.rpartition("@")
    basic = base64.b64encode(unquote(user).encode()).decode() if at else ""
    return Target(
        model=model,
        url=urlunsplit((parts.scheme, place, path, "", "")),
        query=query,
        basic_auth=f"Basic {basic}" if basic else "",
    )


def read_key(target: Target, preset: ServerPreset, variable: str) -> str:
    """Return the API key from an environment variable, or `NO_KEY` if it is empty and no key is needed.

    Raises:
        ConfigError: The server needs a key, and the variable is empty.
    """
    key = os.environ.get(variable, "").strip()
    needed = preset.needs_key or (urlsplit(target.url).hostname or "").endswith("openai.com")
    if not key and needed and not target.basic_auth:
        raise ConfigError(f"{target.url} needs an API key: set the environment variable {variable}")
    return key or NO_KEY


def _without_password(target: str) -> str:
    return re.sub(r"://[^/@]*@", "://***@", target)

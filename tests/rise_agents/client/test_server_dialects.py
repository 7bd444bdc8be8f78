"""The dialects of servers: URLs, keys, headers, and the fields of requests."""

import base64
from typing import Any

import pytest

from rise_agents.client.server_presets import PRESETS, find_preset
from rise_agents.client.target import read_target
from rise_agents.registry import load_agent
from rise_agents.types import SamplingConfig
from rise_env.errors import ConfigError
from tests.rise_agents.backends.faulty_server import FaultyServer
from tests.rise_agents.backends.test_openai_agent import asked

pytest.importorskip("openai")
SAMPLING = SamplingConfig(max_new_tokens=50)
SEED = 2**62 + 12345


def request_of(healthy: FaultyServer, url: str = "/v1", **settings: Any) -> tuple[dict[str, Any], str, str]:
    """Send a request; return its body, its headers and its path."""
    host = healthy.url.removesuffix("/v1").removeprefix("http://")
    agent = load_agent(
        f"openai:m@http://{url if '@' in url else '{host}' + url}".format(host=host), **settings
    )
    assert agent.act(asked(1), SAMPLING, [SEED])[0].text == "reply to 0"
    agent.close()
    return healthy.bodies[-1], healthy.headers[-1], healthy.paths[-1]


@pytest.mark.parametrize("url", ["/v1", "/v1/", "/v1//", "/v1/chat/completions", "/v1/chat/completions/"])
def test_urls_are_read_in_the_forms_in_which_people_paste_them(healthy: FaultyServer, url: str) -> None:
    assert request_of(healthy, url)[2] == "/v1/chat/completions"


def test_a_user_name_and_a_query_in_the_url_are_sent(healthy: FaultyServer) -> None:
    _, headers, path = request_of(healthy, "me:p%40ss@{host}/v1?api-version=2&x=y", query={"z": "1"})
    assert path == "/v1/chat/completions?api-version=2&x=y&z=1"
    assert f"authorization: Basic {base64.b64encode(b'me:p@ss').decode()}" in headers


def test_headers_and_the_organization_are_sent(healthy: FaultyServer) -> None:
    _, headers, _ = request_of(healthy, headers={"X-Title": "sums"}, organization="org-1")
    assert {"x-title: sums", "openai-organization: org-1"} <= set(headers.lower().splitlines())


@pytest.mark.parametrize(
    ("target", "url", "query"),
    [
        ("g@https://r.openai.azure.com", "https://r.openai.azure.com/openai/deployments/g", "2024-10-21"),
        (
            "g@https://r.openai.azure.com/openai/deployments/d/chat/completions?api-version=2025-01-01",
            "https://r.openai.azure.com/openai/deployments/d",
            "2025-01-01",
        ),
        ("g@https://r.openai.azure.com/openai/v1/", "https://r.openai.azure.com/openai/v1", None),
    ],
)
def test_azure_urls_have_the_deployment_and_the_version(target: str, url: str, query: str | None) -> None:
    read = read_target(target, find_preset("azure"))
    assert (read.url, read.query.get("api-version")) == (url, query)


def test_azure_has_the_key_in_a_header_of_its_own(
    healthy: FaultyServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AZURE_OPENAI_API_KEY", "azure-key")
    body, headers, path = request_of(healthy, "", server="azure")
    assert path == "/openai/deployments/m/chat/completions?api-version=2024-10-21"
    assert "api-key: azure-key" in headers
    assert "authorization" not in headers.lower()
    assert body["max_completion_tokens"] == 50
    assert "max_tokens" not in body


@pytest.mark.parametrize("name", PRESETS)
def test_each_preset_sends_what_its_server_reads(
    healthy: FaultyServer, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    preset = PRESETS[name]
    monkeypatch.setenv(preset.key_variable, "preset-key")
    body, headers, _ = request_of(healthy, server=name)
    assert body["seed"] == SEED & (2**preset.seed_bits - 1)
    assert body[preset.parameters.get("max_tokens") or "max_tokens"] == 50
    assert {key: body[key] for key in preset.body} == dict(preset.body)
    assert "preset-key" in headers


def test_a_preset_with_a_url_needs_only_a_model(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENROUTER_API_KEY", "k")
    agent = load_agent("openai:qwen/qwen-2.5@7b", server="openrouter")
    assert (agent.name, agent._client.url) == (
        "openai:qwen/qwen-2.5@7b",
        "https://openrouter.ai/api/v1/chat/completions",
    )
    agent.close()


def test_parameters_are_renamed_or_left_out(healthy: FaultyServer) -> None:
    body, _, _ = request_of(
        healthy,
        parameters={"temperature": None, "top_p": None, "max_tokens": "max_output", "seed": "random_seed"},
        seed_bits=8,
    )
    assert set(body) == {"model", "messages", "max_output", "random_seed"}
    assert body["random_seed"] == SEED & 255


def test_a_policy_without_a_temperature_has_another_name(healthy: FaultyServer) -> None:
    names = {
        load_agent(f"openai:m@{healthy.url}", parameters=changes).name
        for changes in ({}, {"max_tokens": "max_completion_tokens"}, {"temperature": None})
    }
    assert len(names) == 2


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"server": "vlm"}, "no preset 'vlm' for the setting server; did you mean 'vllm'"),
        ({"parameters": {"temprature": None}}, "parameters must have the names temperature, top_p"),
        ({"parameters": {"seed": ""}}, "the parameter seed must be the name that the server reads"),
        ({"seed_bits": 64}, "seed_bits must be from 1 to 63"),
        ({"timeout": 0.0}, "timeout must be above 0"),
        ({"max_failures": 0}, "at least 1"),
        ({"server": "azure"}, "set the environment variable AZURE_OPENAI_API_KEY"),
    ],
)
def test_wrong_settings_of_a_dialect_are_named(
    settings: dict[str, Any], message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AZURE_OPENAI_API_KEY", raising=False)
    with pytest.raises(ConfigError, match=message):
        load_agent("openai:m@http://127.0.0.1:1/v1", **settings)


@pytest.mark.parametrize("target", ["m", "m@http://", "m@http://[::1/v1", "m@ftp://me:secret@host/v1"])
def test_a_wrong_url_is_named_without_its_password(target: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load_agent(f"openai:{target}")
    assert "secret" not in str(caught.value)

"""The dialects of known servers: where they listen, which fields they read, and which defaults they have.

All of them speak the chat protocol of OpenAI, with differences: some call the maximal length
`max_completion_tokens`, some read seeds of 31 bits only, some cut the distribution (top-k, min-p) unless a
request says otherwise, and Azure has a header and a query of its own. To support a further server, add an
entry to `PRESETS`.

Sources: the API references of the providers; `transformers/cli/serving/chat_completion.py` of transformers
5.19; `tools/server/README.md` of llama.cpp; `vllm/entrypoints/openai` of vLLM.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from rise_env.errors import ConfigError
from rise_env.utils.suggestions import did_you_mean

PARAMETERS = ("temperature", "top_p", "max_tokens", "seed")
"""The fields of a request that say how to sample; a setting or a preset can rename them or leave them out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerPreset:
    """What a server expects, beyond the plain protocol."""

    url: str = ""
    """The URL if the target names none; empty if the target must have one."""
    key_variable: str = "OPENAI_API_KEY"
    """The environment variable that holds the API key."""
    needs_key: bool = False
    """Whether the server answers nobody without a key."""
    key_header: str = ""
    """The header that has the key; empty is `Authorization: Bearer KEY`."""
    parameters: Mapping[str, str | None] = field(default_factory=dict)
    """Name in `PARAMETERS` -> the server's name for it, or None to leave it out."""
    seed_bits: int = 63
    """Seeds are reduced to this number of bits."""
    body: Mapping[str, Any] = field(default_factory=dict)
    """Further fields of each request, which turn off what the server would do to the distribution."""
    deployments: bool = False
    """Whether the server has Azure's paths `/openai/deployments/MODEL` and its query `api-version`."""


GENERIC = "generic"
"""The name of the preset without differences from the protocol."""

_WHOLE_VOCABULARY = {"top_k": -1, "min_p": 0.0, "repetition_penalty": 1.0}

PRESETS: Mapping[str, ServerPreset] = {
    GENERIC: ServerPreset(),
    "openai": ServerPreset(
        url="https://api.openai.com/v1",
        needs_key=True,
        parameters={"max_tokens": "max_completion_tokens"},
    ),
    "azure": ServerPreset(
        key_variable="AZURE_OPENAI_API_KEY",
        needs_key=True,
        key_header="api-key",
        parameters={"max_tokens": "max_completion_tokens"},
        deployments=True,
    ),
    "openrouter": ServerPreset(
        url="https://openrouter.ai/api/v1",
        key_variable="OPENROUTER_API_KEY",
        needs_key=True,
        seed_bits=31,  # it passes them on to providers that read 32-bit integers
    ),
    "together": ServerPreset(
        url="https://api.together.xyz/v1", key_variable="TOGETHER_API_KEY", needs_key=True, seed_bits=31
    ),
    "vllm": ServerPreset(url="http://127.0.0.1:8000/v1", body=_WHOLE_VOCABULARY),
    "sglang": ServerPreset(url="http://127.0.0.1:30000/v1", seed_bits=31, body=_WHOLE_VOCABULARY),
    "llama.cpp": ServerPreset(
        url="http://127.0.0.1:8080/v1",
        seed_bits=31,  # unsigned 32-bit integers, the highest of which means "random"
        body={"top_k": 0, "min_p": 0.0, "repeat_penalty": 1.0},
    ),
    "ollama": ServerPreset(
        url="http://127.0.0.1:11434/v1", key_variable="OLLAMA_API_KEY", seed_bits=31
    ),  # its chat endpoint reads no top_k: set `PARAMETER top_k` in the Modelfile
    "transformers": ServerPreset(
        url="http://127.0.0.1:8000/v1",
        # without it, the server decodes greedily, whatever temperature and seed say
        body={"generation_config": '{"do_sample": true, "top_k": 0}'},
    ),
}
"""Name -> preset: the values of the setting `server`."""


def find_preset(name: str) -> ServerPreset:
    """Return the preset with this name.

    Raises:
        ConfigError: There is none; the message suggests a name or lists them.
    """
    if name not in PRESETS:
        raise ConfigError(f"no preset {name!r} for the setting server; {did_you_mean(name, PRESETS)}")
    return PRESETS[name]


def parameter_names(preset: ServerPreset, changes: Mapping[str, str | None] | None) -> dict[str, str | None]:
    """Return the server's name of each parameter, None for those to leave out.

    Args:
        preset: The preset of the server.
        changes: The setting `parameters`, which overrides the preset.

    Raises:
        ConfigError: A parameter is unknown, or a name is no text.
    """
    names: dict[str, str | None] = {**dict(zip(PARAMETERS, PARAMETERS, strict=True)), **preset.parameters}
    for name, value in (changes or {}).items():
        if name not in names:
            raise ConfigError(f"parameters must have the names {', '.join(PARAMETERS)}; got {name!r}")
        if value is not None and (not isinstance(value, str) or not value):
            raise ConfigError(
                f"the parameter {name} must be the name that the server reads, or null; got {value!r}"
            )
        names[name] = value
    return names

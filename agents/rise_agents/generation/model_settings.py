"""The settings that the agents with a local model share: `TransformersAgent` and `VLLMAgent`."""

from dataclasses import dataclass
from typing import Literal, get_args

from rise_env.errors import ConfigError

Dtype = Literal["auto", "float32", "bfloat16", "float16"]

MAX_CONCURRENT_REQUESTS = 256
"""Default of the setting `max_concurrent_requests` of both agents."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelSettings:
    """The settings that `TransformersAgent` and `VLLMAgent` share, under the same names, with their checks.

    Raises:
        ConfigError: A value is unknown or out of range.
    """

    model: str
    """Folder, or repository id on the Hugging Face hub."""
    dtype: Dtype = "auto"
    """Number format of the weights. "auto" is float32 on a CPU. On a GPU it is bfloat16 with transformers,
    and the type in the model's configuration with vLLM."""
    revision: str | None = None
    """Branch, tag or commit of the hub repository; None is its main branch."""
    chat_template: str | None = None
    """Path of a Jinja file, required for a model that has no chat template."""
    max_concurrent_requests: int = MAX_CONCURRENT_REQUESTS
    """Maximal number of conversations that are processed together."""
    logprobs: bool = False
    """Whether replies contain the log-probabilities of their tokens."""

    def __post_init__(self) -> None:
        if self.dtype not in get_args(Dtype):
            raise ConfigError(f"dtype must be {', '.join(get_args(Dtype))}, got {self.dtype!r}")
        if self.max_concurrent_requests < 1:
            raise ConfigError(
                f"max_concurrent_requests must be at least 1, got {self.max_concurrent_requests}"
            )

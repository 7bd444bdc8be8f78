"""The settings that the agents with a local model share: `TransformersAgent` and `VLLMAgent`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from rise_agents.chat.chat_settings import DEFAULT_DATE, ChatSettings, Thinking
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
    """Number format of the weights. "auto" on a CPU is float32, or bfloat16 where the processor has
    instructions for it and the model is large enough to be faster; the log says which. On a GPU it is
    bfloat16 with transformers, and the type in the model's configuration with vLLM."""
    revision: str | None = None
    """Branch, tag or commit of the hub repository; None is its main branch."""
    chat_template: str | None = None
    """Path of a Jinja file, required for a model that has no chat template."""
    template_options: Mapping[str, Any] = field(default_factory=dict)
    """See `ChatSettings`, as for the next two."""
    thinking: Thinking = "template"
    date: str = DEFAULT_DATE
    adapter: str | None = None
    """Folder of a LoRA adapter to apply; None is the model alone."""
    max_concurrent_requests: int = MAX_CONCURRENT_REQUESTS
    """Maximal number of conversations that are processed together."""
    logprobs: bool = True
    """Whether replies contain the log-probabilities of their tokens."""

    @property
    def chat(self) -> ChatSettings:
        """How conversations become prompts."""
        return ChatSettings(
            chat_template=self.chat_template,
            template_options=self.template_options,
            thinking=self.thinking,
            date=self.date,
        )

    def __post_init__(self) -> None:
        if self.dtype not in get_args(Dtype):
            raise ConfigError(f"dtype must be {', '.join(get_args(Dtype))}, got {self.dtype!r}")
        if self.max_concurrent_requests < 1:
            raise ConfigError(
                f"max_concurrent_requests must be at least 1, got {self.max_concurrent_requests}"
            )
        _ = self.chat  # checks its settings


def shared_settings(model: str, settings: Mapping[str, Any]) -> ModelSettings:
    """Return the shared settings from arguments of an agent; an option that is None keeps its default."""
    return ModelSettings(
        model=model, **{name: value for name, value in settings.items() if value is not None}
    )

"""The settings of how a model reads conversations: agents, fits and `rise mask` share names and defaults."""

import datetime
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Self, get_args

from rise_env.errors import ConfigError
from rise_env.types import ModelFormat

Thinking = Literal["template", "show", "hide"]

DEFAULT_DATE = "2024-07-26"
"""The date that templates write if no other is set: that in the template of Llama 3.1. It is fixed, so that a
seed gives the same replies on every day."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatSettings:
    """How conversations become prompts, besides what the model itself brings.

    Raises:
        ConfigError: A value is unknown, or JSON cannot represent the template options.
    """

    chat_template: str | None = None
    """Path of a Jinja file, or the text of a template; None is the model's own template."""
    template_options: Mapping[str, Any] = field(default_factory=dict)
    """Arguments of the chat template, for example {"enable_thinking": False}."""
    thinking: Thinking = "template"
    """Whether prompts show what the model thought at earlier turns: as the chat template decides
    ("template"), always ("show") or never ("hide")."""
    date: str = DEFAULT_DATE
    """The date for templates that write one, as YYYY-MM-DD."""

    @classmethod
    def of(cls, played: ModelFormat) -> Self:
        """Return the settings with which a model was played."""
        return cls(
            chat_template=played.template_text,
            template_options=played.template_options,
            thinking=played.thinking,
            date=played.date or DEFAULT_DATE,
        )

    def __post_init__(self) -> None:
        if self.thinking not in get_args(Thinking):
            raise ConfigError(f"thinking must be {', '.join(get_args(Thinking))}, got {self.thinking!r}")
        try:
            datetime.date.fromisoformat(self.date)
        except (TypeError, ValueError):
            raise ConfigError(f"date must be YYYY-MM-DD, got {self.date!r}") from None
        try:
            json.dumps(dict(self.template_options), allow_nan=False)
        except (TypeError, ValueError) as error:
            raise ConfigError(
                f"template_options must be JSON values, got {self.template_options!r}: {error}"
            ) from None
        taken = {"messages", "add_generation_prompt", "tokenize", "tools", "documents"} & set(
            self.template_options
        )
        if taken:
            raise ConfigError(
                f"template_options must not hold {', '.join(sorted(taken))}: RISE sets it for every prompt"
            )

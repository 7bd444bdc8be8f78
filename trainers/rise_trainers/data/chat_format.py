"""How the model of a fit reads conversations: as the agents did whose replies it trains.

Stores hold a `ModelFormat` for every agent with a local model. A fit takes over chat template, template
options, treatment of thoughts and date from there. Where its own settings or the files of its model say
something else, it stops: it would train other tokens than the agents saw and sampled.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from rise_agents.chat.chat import Chat, tokenizer_hash
from rise_agents.chat.chat_settings import ChatSettings, Thinking
from rise_agents.chat.loading import load_generation_config, load_tokenizer, read_template
from rise_env.errors import ConfigError
from rise_env.types import ModelFormat

COMPARED = ("chat_template", "template_options", "stop_tokens", "thinking", "date")
"""The fields of `ModelFormat` that must be the same at play and in a fit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenChat:
    """What the settings of a fit say about conversations; None takes over what the stores say."""

    model: str
    """Folder, or repository id on the Hugging Face hub."""
    revision: str | None = None
    chat_template: str | None = None
    template_options: Mapping[str, Any] | None = None
    thinking: Thinking | None = None
    date: str | None = None
    allow_format_change: bool = False


def load_fit_chat(
    given: GivenChat, formats: Mapping[str, Sequence[ModelFormat]], *, first_agent: str = ""
) -> tuple[Chat, tuple[str, ...]]:
    """Return how the model of a fit reads conversations, and sentences for the log.

    Args:
        given: The settings of the fit.
        formats: Agent -> its formats, of all stores that the fit trains on.
        first_agent: The agent that plays with the model of the fit. What the settings leave open is as this
            agent played; if it did not play, as the first agent with the same tokenizer.

    Raises:
        ConfigError: A store was played with another format, and `allow_format_change` is false.
        DataNotFoundError: The tokenizer of the model cannot be loaded.
    """
    tokenizer = load_tokenizer(given.model, revision=given.revision)
    mine = tokenizer_hash(tokenizer)
    same = [(agent, one) for agent, played in formats.items() for one in played if one.tokenizer == mine]
    same.sort(key=lambda found: found[0] != first_agent)
    settings = chat_settings(given, same[0][1] if same else None)
    if settings.chat_template is not None:
        tokenizer.chat_template = read_template(settings.chat_template)
    chat = Chat(tokenizer, load_generation_config(given.model, given.revision), settings)
    notes = check_formats(chat.format(given.model), same, allow_change=given.allow_format_change)
    others = sorted(formats.keys() - {agent for agent, _ in same})
    if others:
        notes.append(f"the replies of {', '.join(others)} are tokenised from their text: other tokenizers")
    return chat, tuple(notes)


def chat_settings(given: GivenChat, played: ModelFormat | None) -> ChatSettings:
    """Return the settings of the fit; what it leaves open is as its replies were played."""
    names = ("chat_template", "template_options", "thinking", "date")
    given_settings = {name: getattr(given, name) for name in names if getattr(given, name) is not None}
    return replace(ChatSettings() if played is None else ChatSettings.of(played), **given_settings)


def check_formats(
    trained: ModelFormat, played: Sequence[tuple[str, ModelFormat]], *, allow_change: bool = False
) -> list[str]:
    """Compare the format of a fit with those of the agents that played.

    Args:
        trained: The format of the fit.
        played: Agents with their formats.
        allow_change: Return the differences as sentences and raise nothing.

    Raises:
        ConfigError: They differ.
    """
    different = [
        f"{agent} played with {name} {getattr(format, name)!r}, "
        f"and this fit trains with {getattr(trained, name)!r}"
        for agent, format in played
        for name in COMPARED
        if not _equal(getattr(format, name), getattr(trained, name))
    ]
    if different and not allow_change:
        raise ConfigError(
            f"{'; '.join(different)}: give the fit the settings of the agent, or set allow_format_change "
            "to true"
        )
    return different


def _equal(played: Any, trained: Any) -> bool:
    if isinstance(played, tuple):  # stop tokens: their order does not matter
        return set(played) == set(trained)
    if isinstance(played, Mapping):
        return dict(played) == dict(trained)
    return bool(played == trained)

"""Shows conversations to people: as plain text, and printed in colour."""

from collections.abc import Iterable

from rise_env.errors import ConfigError
from rise_env.types import Message

_STYLES = {"system": "dim", "user": "cyan", "assistant": "green"}


def check_render_mode(render_mode: str | None, known: Iterable[str]) -> None:
    """Check an argument `render_mode`.

    Raises:
        ConfigError: It is neither None nor one of `known`.
    """
    if render_mode is not None and render_mode not in known:
        raise ConfigError(f"render_mode must be None or one of {sorted(known)}, got {render_mode!r}")


def transcript(messages: Iterable[Message]) -> str:
    r"""Return a conversation as text, one paragraph per message.

    >>> transcript([{"role": "user", "content": "2 + 2?"}, {"role": "assistant", "content": "4"}])
    'user: 2 + 2?\n\nassistant: 4'
    """
    return "\n\n".join(f"{message['role']}: {message['content']}" for message in messages)


def print_messages(messages: Iterable[Message]) -> None:
    """Print messages, in colour where the terminal supports it."""
    from rich.console import Console
    from rich.text import Text

    console = Console(soft_wrap=True)
    for message in messages:
        style = _STYLES[message["role"]]
        console.print(
            Text(f"{message['role']}: ", style=f"bold {style}") + Text(message["content"], style=style)
        )

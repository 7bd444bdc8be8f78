"""An agent that writes down when it is loaded, forgets and is closed."""

import os
from collections.abc import Sequence
from pathlib import Path

from rise_agents.types import Reply, SamplingConfig
from rise_env.types import Conversation


class CountedAgent:
    """Answers 7 always.

    Args:
        file: File to which it appends its events, with the id of its process.
        dies: Whether its process ends at the first request, as if it had been killed.
    """

    name = "counted"

    def __init__(self, file: str, *, dies: bool = False) -> None:
        self._file = Path(file)
        self._dies = dies
        self._write("load")
        if "RAY_ADDRESS" in os.environ:
            self._write(f"in:{os.environ['RAY_ADDRESS']}")

    def act(
        self,
        conversations: Sequence[Conversation],
        sampling: SamplingConfig,
        seeds: Sequence[int] | None = None,
    ) -> list[Reply]:
        """Answer each conversation."""
        if self._dies:
            os._exit(9)
        return [Reply(text="\\boxed{7}", finish="stop") for _ in conversations]

    def forget(self) -> None:
        """Write it down."""
        self._write("forget")

    def close(self) -> None:
        """Write it down."""
        self._write("close")

    def _write(self, event: str) -> None:
        with open(self._file, "a") as file:
            file.write(f"{event} {os.getpid()}\n")

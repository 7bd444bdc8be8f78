"""Closing what is done with: its own failure is worth a line in the log, not the run."""

import logging
from typing import Protocol

_log = logging.getLogger(__name__)


class Closable(Protocol):
    """An agent, or an environment."""

    def close(self) -> None:
        """Free what it holds."""


def close(*things: Closable) -> None:
    """Close each, whatever the others raise."""
    for thing in things:
        try:
            thing.close()
        except Exception as error:
            _log.warning("%s did not close: %r", type(thing).__name__, error)

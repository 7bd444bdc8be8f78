"""Closes agents and environments; all are closed even if closing one of them fails."""

import logging
from typing import Protocol

_log = logging.getLogger(__name__)


class Closable(Protocol):
    """An agent or an environment."""

    def close(self) -> None:
        """Free the resources."""


def close_all(*resources: Closable) -> None:
    """Close each resource. An exception is logged as a warning and does not end the call."""
    for resource in resources:
        try:
            resource.close()
        except Exception as error:
            _log.warning("%s did not close: %r", type(resource).__name__, error)

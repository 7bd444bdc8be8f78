"""Reaches the hub with one try, so that loading a data set fails at once if the hub does not answer."""

import ssl
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

TIMEOUT = 5.0
"""Seconds to wait for the hub's answer."""


@contextmanager
def one_try() -> Iterator[None]:
    """Ask the hub once; if it does not answer, its clients use only their cache within this context.

    Without this, they retry for about 25 seconds. If HF_HUB_OFFLINE is set, the hub is not asked.

    Raises:
        ConnectionError: The hub does not answer, and the code in the context raised.
    """
    from huggingface_hub import constants

    if constants.HF_HUB_OFFLINE:
        yield
        return
    why = unreachable(constants.ENDPOINT)
    if why is None:
        yield
        return
    with _offline(constants):
        try:
            yield
        except Exception as error:
            raise ConnectionError(
                f"no connection to {constants.ENDPOINT} ({why}), and no copy in the cache"
            ) from error


def unreachable(address: str) -> str | None:
    """Return why one request cannot reach a server; None if the server answers, whatever the answer is.

    Args:
        address: An http(s) address. The proxies of the environment variables are used.
    """
    try:
        urllib.request.urlopen(urllib.request.Request(address, method="HEAD"), timeout=TIMEOUT).close()
    except urllib.error.HTTPError:
        return None
    except urllib.error.URLError as error:
        # the hub's clients may trust other certificates
        return None if isinstance(error.reason, ssl.SSLError) else str(error.reason)
    except OSError as error:
        return str(error) or type(error).__name__
    return None


@contextmanager
def _offline(constants: Any) -> Iterator[None]:
    """Set the offline mode of the hub's clients, which they read from the environment on import only."""
    import datasets

    modules = (constants, datasets.config)
    for module in modules:
        module.HF_HUB_OFFLINE = True
    try:
        yield
    finally:
        for module in modules:
            module.HF_HUB_OFFLINE = False

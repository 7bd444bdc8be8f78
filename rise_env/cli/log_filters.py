"""Keeps what libraries say for themselves out of the output of our commands.

Only `rise` as a program calls this; who imports RISE decides alone what is shown. Errors are always shown,
and so is the warning of transformers that a model's weights and its file do not fit. What the ranks of a fit
say is in their log, all of it.
"""

import logging
import os

PATIENCE = "10"
"""Seconds after which a progress bar of a library appears: for downloads, not for loading a small model."""
CHATTY = (
    "DeepSpeed",
    "transformers.generation.configuration_utils",
    "transformers.generation.utils",
    "transformers.tokenization_utils_base",
)
"""Loggers whose warnings say nothing to who runs a command."""


def quiet() -> None:
    """Hide warnings of chatty loggers and short progress bars, in this process and those it starts."""
    os.environ.setdefault("TQDM_DELAY", PATIENCE)
    for name in CHATTY:
        logging.getLogger(name).addFilter(_is_error)  # a level would be set anew when the library loads


def _is_error(record: logging.LogRecord) -> bool:
    return record.levelno >= logging.ERROR

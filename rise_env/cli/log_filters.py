"""Hides routine warnings and short progress bars of libraries in the output of our commands.

Only the program `rise` calls this. `import rise_env` changes no logging. Errors are always shown, and so is
the warning of transformers that weights do not fit the configuration of their model. The logs of the ranks of
a fit hold all messages.
"""

import logging
import os

PATIENCE = "10"
"""Seconds after which a progress bar of a library appears: soon enough for downloads, and late enough that
loading a small model shows none."""
CHATTY = (
    "DeepSpeed",
    "transformers.generation.configuration_utils",
    "transformers.generation.utils",
    "transformers.tokenization_utils_base",
)
"""Loggers whose warnings do not help a person who runs a command."""


def quiet() -> None:
    """Hide the warnings of `CHATTY`, and short progress bars, in this process and in those that it starts."""
    os.environ.setdefault("TQDM_DELAY", PATIENCE)
    for name in CHATTY:
        logging.getLogger(name).addFilter(
            _is_error
        )  # not a level: the library sets its level again when it loads


def _is_error(record: logging.LogRecord) -> bool:
    return record.levelno >= logging.ERROR

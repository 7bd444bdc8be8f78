"""The errors that RISE raises. Each is also a subclass of the builtin error that it resembles.

RiseError
├── ConfigError (ValueError)            a setting that is unknown, out of range or contradicts another
│   └── UnknownArgumentError (TypeError)   an argument that an environment id does not have
├── ProblemError (ValueError)           a problem that cannot be posed, or whose reference cannot be read
├── DataNotFoundError (FileNotFoundError)  a data set, model, store or run that is not there
├── StoreError (ValueError)             a file of trajectories that is damaged or of another run
├── EpisodeError (RuntimeError)         an episode used out of order
├── AgentError (RuntimeError)           an agent that broke its contract or could not reply
│   └── DeadAgentError                  an agent that no longer answers any request
├── TrainingError (RuntimeError)        a fit whose processes failed
├── PhaseError (RuntimeError)           a process of a run that failed
└── MissingDependencyError (ImportError)   an optional library that is not installed

The content of a reply is never an error: it gets a `Verdict`.
"""


class RiseError(Exception):
    """Base class of all errors that RISE raises on purpose."""


class ConfigError(RiseError, ValueError):
    """A setting is unknown, out of range, or contradicts another one."""


class UnknownArgumentError(ConfigError, TypeError):
    """An environment id has no argument with this name.

    Libraries such as TorchRL try an argument, and make the environment without it after a TypeError with
    Python's words "unexpected keyword argument". So this is a TypeError with these words.
    """


class ProblemError(RiseError, ValueError):
    """A problem cannot be posed or checked; the message names it."""


class DataNotFoundError(RiseError, FileNotFoundError):
    """A data set, model, store or run folder is not at the given place."""


class StoreError(RiseError, ValueError):
    """A file of trajectories is damaged, or belongs to another run."""


class BusyError(StoreError):
    """Another process is writing to the same folder or file."""


class EpisodeError(RiseError, RuntimeError):
    """An episode was used out of order."""


class AgentError(RiseError, RuntimeError):
    """An agent broke its contract or could not reply."""


class DeadAgentError(AgentError):
    """An agent no longer answers any request."""


class TrainingError(RiseError, RuntimeError):
    """The processes of a fit failed; the message says where their log is."""


class PhaseError(RiseError, RuntimeError):
    """A process of a run failed; the message says why and where its log is."""


class MissingDependencyError(RiseError, ImportError):
    """An optional library is not installed; the message says what to install."""

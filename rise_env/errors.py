"""What RISE raises. Each error is also the builtin that it resembles.

RiseError
├── ConfigError (ValueError)            a setting that is unknown, out of range or contradicts another
├── ProblemError (ValueError)           a problem whose fields cannot be used, a reference nobody can read
├── DataNotFoundError (FileNotFoundError)  a data set, model, store or run that is not there
├── StoreError (ValueError)             a file of trajectories that is damaged or of another run
├── EpisodeError (RuntimeError)         an episode used out of order
├── AgentError (RuntimeError)           an agent that broke its contract or could not answer
├── TrainingError (RuntimeError)        a fit whose processes failed
├── PhaseError (RuntimeError)           a process of a run that failed
└── MissingDependencyError (ImportError)   an optional library that is not installed

What a model says is never an error: it gets a `Verdict`.
"""


class RiseError(Exception):
    """Base of everything that RISE raises on purpose."""


class ConfigError(RiseError, ValueError):
    """A setting is unknown, out of range, or contradicts another one."""


class ProblemError(RiseError, ValueError):
    """A problem cannot be posed or checked; names the problem."""


class DataNotFoundError(RiseError, FileNotFoundError):
    """A data set, model, store or run folder is not where it was said to be."""


class StoreError(RiseError, ValueError):
    """A file of trajectories is damaged, or belongs to another run."""


class BusyError(StoreError):
    """Another process is writing there."""


class EpisodeError(RiseError, RuntimeError):
    """An episode was used out of order."""


class AgentError(RiseError, RuntimeError):
    """An agent broke its contract or could not answer."""


class TrainingError(RiseError, RuntimeError):
    """The processes of a fit failed; says where their log is."""


class PhaseError(RiseError, RuntimeError):
    """A process of a run failed; says why and where its log is."""


class MissingDependencyError(RiseError, ImportError):
    """An optional library is not installed; says which extra to install."""

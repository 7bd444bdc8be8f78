"""The settings of the critic stage. This module imports neither torch nor transformers."""

from dataclasses import asdict, dataclass, field
from typing import Any

from rise_env.errors import ConfigError
from rise_trainers.data.targets import Selection

CRITIC_FIT: dict[str, Any] = {
    "weights": "uniform",
    "negative_weights": False,
    "signal": "reward",
    "selection": asdict(Selection()),
}
"""Settings of the fit of a critic that differ from those of the loop; `critic.fit` overrides them. All
examples are right answers and have the same weight."""


@dataclass(frozen=True, kw_only=True)
class CriticConfig:
    """A critic: the first model, fitted to say whether replies and beginnings of replies are right.

    Source: AlphaLLM (arXiv:2404.12253), which trains a value head and two judges. Here one language model
    answers all questions; see `rise_agents.evaluation.verifier_questions`.

    Raises:
        ConfigError: A number is out of range, or a setting is one that the loop decides.
    """

    train: int = 1000
    """Problems that the first model plays for it, from the start of the training split."""
    samples: int = 4
    """Independent replies per problem. Problems without right and wrong replies give no example."""
    examples: dict[str, Any] = field(default_factory=dict)
    """Which examples are made of the replies: kinds, per_reply, balance; see `rise label --help`. `option` is
    that of the search, `improve.teacher_settings.option`, unless it is given."""
    fit: dict[str, Any] = field(default_factory=dict)
    """Settings of its fit, which override those of the loop's fits. The default is {"weights": "uniform"},
    without a selection."""
    again: bool = False
    """Fit the critic again before every iteration from the second one on, also with the replies of the
    collections so far, those that a search did not give included. The paper keeps its critics."""

    def __post_init__(self) -> None:
        if self.train < 1:
            raise ConfigError(f"critic.train must be at least 1, got {self.train}")
        if self.samples < 2:
            raise ConfigError(
                f"critic.samples must be at least 2, got {self.samples}: a critic learns from right "
                "and wrong replies to one problem"
            )
        for name in ("seed", "considered"):
            if name in self.examples:
                raise ConfigError(f"critic.examples.{name} is set by the loop; leave it out")

"""The settings of a search. `presets.py` has the values of published systems."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from rise_agents.mcts.options import check_kind
from rise_agents.mcts.tree import Backup
from rise_env.errors import ConfigError
from rise_env.utils.suggestions import validate_choice

Schedule = Literal["const", "linear", "exp"]
Choice = Literal["vote", "best", "greedy", "visits"]
Insert = Literal["option", "path"]

CRITICS = ("agreement", "confidence", "told", "verifier:AGENT")
"""The critics; AGENT is written as `load_agent` reads it."""

DEFAULT_SIMULATIONS = 40
"""Number of simulations of a search without a budget of tokens. Source: run_mcts.sh of AlphaLLM."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchSettings:
    """How one reply is searched. The defaults are those of AlphaLLM (arXiv:2404.12253) where it has them.

    Raises:
        ConfigError: A value is out of range, or contradicts another one.
    """

    simulations: int | None = None
    """Number of simulations, each of which adds a child to the tree; None is 40, and without a limit if
    `tokens` is given."""
    tokens: int | None = None
    """Generated tokens per reply, those of the critic included. The search stops after the round that
    reaches it."""
    option: str = "line"
    """Where one step of the tree ends: line, paragraph, block, sentence, words:N or reply; see `options`."""
    insert: Insert = "option"
    """What a completion adds to the tree: its first option, whose rest is a roll-out, or its whole path, so
    that all its options become nodes."""
    exploration: float = 1.0
    """The constant k0 of the selection; 0 follows the best child only."""
    schedule: Schedule = "const"
    """How the constant falls while the budget is spent: const, linear or exp."""
    selection: Literal["uct", "puct"] = "uct"
    """Formula of the selection; see `selection`."""
    root_least: int = 10
    """Least number of children of the root."""
    root_most: int = 60
    """Most children that importance gives to the root."""
    least: int = 2
    """Least number of children of other nodes."""
    most: int = 10
    """Most children that importance gives to other nodes."""
    alpha: float = 1.0
    """Children per importance. Values are in [0, 1], so importance adds children only from about 4 on."""
    importance: Literal["node", "siblings"] = "node"
    """What the values of the children are compared with: the critic's value of the node, or their mean."""
    depth: int = 10
    """Options after which a node has one child, the whole rest of the reply."""
    rollouts: int = 1
    """Completions of a new child. The first one is the rest of the reply that made it."""
    rollout_agent: str | None = None
    """Agent that makes all completions, for example a smaller model; None is the searched agent."""
    least_distance: int = 0
    """Edit distance in characters below which an option repeats a sibling and is drawn again; 0 is off."""
    redraws: int = 5
    """Number of further draws of an option that repeats a sibling."""
    greedy_first: bool = False
    """Decode the first child of each node greedily."""
    leaves: int = 1
    """Simulations per round. Those after the first one avoid the nodes of the ones before."""
    loss: float = 1.0
    """What a pending simulation takes from the value of a node (virtual loss)."""
    backup: Backup = "mean"
    """Value of a node: the mean of its simulations, or the max of its children."""
    value_weight: float = 1.0
    """Weight of the critic's value of the beginning, if the critic gives one."""
    outcome_weight: float = 1.0
    """Weight of the critic's mean score of the completed replies."""
    process_weight: float = 0.0
    """Weight of the critic's score of the last option, if the critic gives one."""
    critic: str = "agreement"
    """What scores replies: agreement, confidence, verifier:AGENT, or told (by the reference answer)."""
    critic_settings: Mapping[str, Any] = field(default_factory=dict)
    """Settings of the verifier, or {"of": "least"} and {"of": "mean"} for confidence."""
    votes: int = 1
    """Ratings per question to a verifier whose probabilities of yes and no are unknown."""
    choose: Choice = "vote"
    """Which finished reply is given: vote, best, greedy or visits; see `choosing`."""
    keep: int = 16
    """How many other finished replies the store keeps, those with the best scores."""
    refuted: bool = False
    """Give the score 0 to replies whose answer an earlier reply had and the feedback called wrong."""

    def __post_init__(self) -> None:
        check_kind(self.option)
        self._check_counts()
        self._check_choices()
        for least, most in (("root_least", "root_most"), ("least", "most")):
            if getattr(self, most) < getattr(self, least):
                raise ConfigError(
                    f"{most} must be at least {least}, got {getattr(self, most)} and {getattr(self, least)}"
                )
        if self.insert == "path" and (self.rollouts > 1 or self.rollout_agent is not None):
            raise ConfigError(
                "insert=path makes nodes of the whole completion, so that there is nothing left to roll out: "
                f"leave out rollouts and rollout_agent, got {self.rollouts} and {self.rollout_agent}"
            )
        weights = (self.value_weight, self.outcome_weight, self.process_weight)
        if not all(weight >= 0 for weight in weights) or not self.outcome_weight:
            raise ConfigError(
                "value_weight and process_weight must be at least 0 and outcome_weight above 0, got "
                f"{', '.join(map(str, weights))}"
            )

    @property
    def limit(self) -> int | None:
        """The number of simulations after which the search ends; None if only tokens limit it."""
        if self.simulations is None and self.tokens is None:
            return DEFAULT_SIMULATIONS
        return self.simulations

    @property
    def verifier(self) -> str | None:
        """The agent that the critic asks; None if it asks none."""
        name, _, agent = self.critic.partition(":")
        return agent if name == "verifier" else None

    def _check_counts(self) -> None:
        for name in ("simulations", "tokens", "root_least", "least", "depth", "rollouts", "leaves", "votes"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise ConfigError(f"{name} of a search must be at least 1, got {value}")
        for name in ("least_distance", "redraws", "keep", "exploration", "alpha", "loss"):
            if not getattr(self, name) >= 0:
                raise ConfigError(f"{name} of a search must be at least 0, got {getattr(self, name)}")

    def _check_choices(self) -> None:
        name, colon, agent = self.critic.partition(":")
        if name == "verifier" and not agent:
            raise ConfigError(
                f"write the critic as 'verifier:AGENT', such as verifier:tiny; got {self.critic!r}"
            )
        if name != "verifier" or not colon:
            validate_choice(self.critic, CRITICS, "critic")
        for name, known in (
            ("schedule", ("const", "linear", "exp")),
            ("selection", ("uct", "puct")),
            ("importance", ("node", "siblings")),
            ("backup", ("mean", "max")),
            ("insert", ("option", "path")),
            ("choose", ("vote", "best", "greedy", "visits")),
        ):
            validate_choice(getattr(self, name), known, name)
        if self.critic == "confidence":
            of = {"of": "least", **self.critic_settings}
            if set(of) != {"of"}:
                raise ConfigError(f"confidence has the one setting of, got {sorted(self.critic_settings)}")
            validate_choice(of["of"], ("least", "mean"), "confidence of")
        elif self.critic_settings and self.verifier is None:
            raise ConfigError(f"the critic {self.critic!r} has no settings, got {dict(self.critic_settings)}")


def differing(settings: SearchSettings) -> dict[str, Any]:
    """Return the settings that differ from the defaults, in the order of the fields."""
    default = SearchSettings()
    return {
        name: getattr(settings, name)
        for name in SearchSettings.__dataclass_fields__
        if getattr(settings, name) != getattr(default, name)
    }

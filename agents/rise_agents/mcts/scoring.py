"""Scores of the completions of a search by its critic, and the values of its simulations."""

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence

from rise_agents.mcts.answers import agreement, answer_class
from rise_agents.mcts.choosing import Candidate
from rise_agents.mcts.critics import Reading, confidence
from rise_agents.mcts.settings import SearchSettings
from rise_agents.mcts.simulation import Completion, Simulation
from rise_agents.mcts.tree import Node, blend
from rise_env.errors import ConfigError

Told = Callable[[str], bool]
"""Whether a reply is right: only the critic "told" knows this."""


class Scorer:
    """Scores replies as one search goes on, and remembers what it has scored.

    Args:
        settings: See `SearchSettings`.
        refuted: Answers that count as wrong.
        told: For the critic "told".
    """

    def __init__(self, settings: SearchSettings, refuted: Collection[str], told: Told | None = None) -> None:
        self._settings = settings
        self._refuted = refuted
        self._told = told
        self._votes: Counter[str] = Counter()
        self._ratings: dict[Reading, float] = {}
        self._found: list[tuple[Completion, str | None, Node]] = []

    def unread(self, wanted: Sequence[Reading]) -> list[Reading]:
        """Return those of some readings of the verifier that are not known yet, each once."""
        return [reading for reading in dict.fromkeys(wanted) if reading not in self._ratings]

    def note_ratings(self, ratings: Mapping[Reading, float]) -> None:
        """Remember what the verifier said."""
        self._ratings.update(ratings)

    def rating(self, term: str, text: str) -> float | None:
        """Return what the verifier said for a term of the value; None if it was not asked."""
        return self._ratings.get(Reading(term, text))

    def value_of(self, simulation: Simulation) -> float:
        """Take in the completions of a simulation, and return its value; see `blend`.

        Raises:
            ConfigError: The critic is "confidence", and the log-probabilities of a reply are unknown.
        """
        child = simulation.child
        assert child is not None
        classes = [answer_class(completed.text) for completed in simulation.completions]
        self._votes.update(answer for answer in classes if answer is not None)
        self._found += [(c, answer, child) for c, answer in zip(simulation.completions, classes, strict=True)]
        scores = [self._score(c, answer) for c, answer in zip(simulation.completions, classes, strict=True)]
        child.own = self.rating("value", child.beginning)
        terms = [
            (self._settings.value_weight, None if child.finished else child.own),
            (self._settings.outcome_weight, sum(scores) / len(scores)),
            (self._settings.process_weight, self.rating("process", child.beginning)),
        ]
        value = blend(terms)
        assert value is not None
        return value

    def candidates(self) -> list[tuple[Candidate, Completion]]:
        """Return all completions with their scores at the end of the search."""
        return [
            (Candidate(completed.text, answer, self._score(completed, answer), node), completed)
            for completed, answer, node in self._found
        ]

    def _score(self, completed: Completion, answer: str | None) -> float:
        if answer is not None and answer in self._refuted:
            return 0.0
        critic = self._settings.critic
        if critic == "agreement":
            return agreement(self._votes, answer)
        if critic == "confidence":
            if completed.logprobs is None:
                raise ConfigError(
                    "the critic confidence needs log-probabilities of replies, which the agent does not "
                    "return: set logprobs=true for it, or choose another critic"
                )
            return confidence(completed.logprobs, self._settings.critic_settings.get("of", "least"))
        if critic == "told":
            assert self._told is not None
            return float(self._told(completed.text))
        rating = self.rating("outcome", completed.text)
        return 0.0 if rating is None else rating

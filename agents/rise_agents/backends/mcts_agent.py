"""An agent that searches its replies with another one by Monte Carlo tree search; see `rise_agents.mcts`."""

import inspect
import json
import logging
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from rise_agents.deliberation.deliberating_agent import DeliberatingAgent, composed_name
from rise_agents.deliberation.script import Script
from rise_agents.evaluation.likelihood_verifier import as_verifier
from rise_agents.mcts.critics import question_of
from rise_agents.mcts.presets import search_settings
from rise_agents.mcts.search import SearchAgents, search
from rise_agents.mcts.settings import SearchSettings, differing
from rise_agents.registry import calls_per_reply, check_agent, load_agent
from rise_agents.rollouts.cleanup import close_all
from rise_agents.types import Agent, FormattedAgent, Reply, SamplingConfig, TokenizingAgent, can_continue
from rise_env.checkers import check_answer
from rise_env.errors import ConfigError
from rise_env.types import Conversation, Problem

_log = logging.getLogger(__name__)

_TREES_BEFORE_WARNING = 20
_FLAT_SHARE = 0.9
"""After this many trees, the agent warns once if this share of them has one option per reply."""


class MCTSAgent(DeliberatingAgent):
    """Searches each reply with an agent.

    Args:
        agent: The agent that writes replies and their parts. `close` closes it, and the others.
        settings: How replies are searched. The agents that it names are `rollout_agent` and `verifier`.
        rollout_agent: Completes new children; None: `agent` does.
        verifier: Rates replies, if the critic is a verifier. An agent that can score texts is asked for the
            probability of yes; another one for `votes` answers.

    Raises:
        ConfigError: An agent cannot continue a reply and options are not whole replies, the critic and the
            agents do not fit, or an agent must know the problems.
    """

    def __init__(
        self,
        agent: Agent,
        settings: SearchSettings | None = None,
        *,
        rollout_agent: Agent | None = None,
        verifier: Agent | None = None,
    ) -> None:
        self.settings = settings = settings or SearchSettings()
        if (verifier is None) != (settings.verifier is None):
            raise ConfigError(f"the critic {settings.critic!r} and the verifier {verifier!r} do not fit")
        judge = None if verifier is None else as_verifier(verifier)
        others = [one for one in (rollout_agent, judge) if one is not None]
        super().__init__(_name(agent, settings, rollout_agent, judge), [agent, *others])
        for one in (agent, rollout_agent):
            if one is not None and settings.option != "reply" and not can_continue(one):
                raise ConfigError(
                    f"{one.name} cannot continue a reply: search over whole replies with option=reply, or "
                    "use an agent that continues replies, such as transformers or vllm"
                )
        tokens = agent if isinstance(agent, TokenizingAgent) else None
        if settings.critic == "confidence" and tokens is None and settings.option != "reply":
            raise ConfigError(
                f"{agent.name} does not tell which tokens a part of a reply has, which the critic confidence "
                "needs: set option=reply, or choose another critic"
            )
        if isinstance(agent, FormattedAgent):
            self.format = agent.format  # only then it is a `FormattedAgent`
        self._search_agents = SearchAgents(
            agent, rollout_agent, judge, None if tokens is None else tokens.tokens_before
        )
        self._trees = self._flat = 0

    def script(self, conversation: Conversation, sampling: SamplingConfig, seed: int) -> Script[Reply]:
        """Return the script that searches a reply; see `DeliberatingAgent.script`."""
        told = self._told(conversation)
        reply, flat = yield from search(
            self._search_agents, conversation, sampling, seed, self.settings, told
        )
        self._note_shape(flat=flat)
        return reply

    def _told(self, conversation: Conversation) -> Any:
        """Return the function that knows whether a reply is right; None: nothing does."""
        return None

    def _note_shape(self, *, flat: bool) -> None:
        """Warn once if nearly all trees have one option per reply."""
        self._trees += 1
        self._flat += flat
        if self._trees != _TREES_BEFORE_WARNING or self.settings.option == "reply":
            return
        if self._flat >= _FLAT_SHARE * self._trees:
            _log.warning(
                "option %r finds one option per reply in %d of %d searches: try sentence or words:20",
                self.settings.option,
                self._flat,
                self._trees,
            )


class ToldMCTSAgent(MCTSAgent):
    """A search whose critic knows the reference answers: an upper bound for every other critic.

    It is a `ProblemAwareAgent`, which `rise evaluate` measures only in a marked row.
    """

    def __init__(self, *arguments: Any, **settings: Any) -> None:
        super().__init__(*arguments, **settings)
        self._problems: tuple[Problem, ...] = ()

    def set_problems(self, problems: Sequence[Problem]) -> None:
        """Receive the problems of the next batch; see `ProblemAwareAgent`."""
        self._problems = tuple(problems)

    def _told(self, conversation: Conversation) -> Any:
        posed = question_of(conversation)
        known = [problem for problem in self._problems if problem.question in posed]
        if not known:
            raise ConfigError("the critic told does not know the problem of a conversation")
        return partial(_is_right, max(known, key=lambda problem: len(problem.question)))


def _is_right(problem: Problem, reply: str) -> bool:
    return check_answer(reply, problem.reference, question=problem.question).correct


def load_mcts_agent(
    agent: str, *, inner: Mapping[str, Any] | None = None, preset: str | None = None, **settings: Any
) -> MCTSAgent:
    """Load the agents of a search, and return the agent that searches.

    Args:
        agent: The agent that writes replies, as `load_agent` reads it.
        inner: Its settings.
        preset: Settings of a published system: alphallm, alphallm_code, rstar, rest or mctsr.
        **settings: Fields of `SearchSettings`; they win over those of the preset.

    Raises:
        ConfigError: A setting is wrong, or the agents do not fit; see `MCTSAgent`.
    """
    chosen = search_settings(preset, **settings)
    made = MCTSAgent if chosen.critic != "told" else ToldMCTSAgent
    loaded: list[Agent] = []
    try:
        loaded.append(load_agent(agent, **(inner or {})))
        rollout = verifier = None
        if chosen.rollout_agent is not None:
            rollout = load_agent(chosen.rollout_agent)
            loaded.append(rollout)
        if chosen.verifier == agent and chosen.critic_settings in ({}, inner or {}):
            verifier = loaded[0]
        elif chosen.verifier is not None:
            verifier = load_agent(chosen.verifier, **chosen.critic_settings)
            loaded.append(verifier)
        return made(loaded[0], chosen, rollout_agent=rollout, verifier=verifier)
    except BaseException:
        close_all(*loaded)
        raise


def check_mcts_settings(
    agent: str, *, inner: Mapping[str, Any] | None = None, preset: str | None = None, **settings: Any
) -> None:
    """Check the settings of a search and those of its agents; see `registry.check_agent`.

    Raises:
        ConfigError, DataNotFoundError, MissingDependencyError, StoreError: See `load_mcts_agent`.
    """
    chosen = search_settings(preset, **settings)
    check_agent(agent, inner, here=True)
    if chosen.rollout_agent is not None:
        check_agent(chosen.rollout_agent, here=True)
    if chosen.verifier is not None:
        check_agent(chosen.verifier, chosen.critic_settings, here=True)


def most_calls(
    agent: str, *, inner: Mapping[str, Any] | None = None, preset: str | None = None, **settings: Any
) -> int | None:
    """Return how many calls of its agents one search makes at most; see `registry.calls_per_reply`.

    Returns:
        None if only tokens limit the search, or if the calls of one of its agents are unknown.
    """
    chosen = search_settings(preset, **settings)
    of_agent = calls_per_reply(agent, inner)
    of_rollout = of_agent if chosen.rollout_agent is None else calls_per_reply(chosen.rollout_agent)
    of_verifier = 0 if chosen.verifier is None else calls_per_reply(chosen.verifier, chosen.critic_settings)
    if chosen.limit is None or of_agent is None or of_rollout is None or of_verifier is None:
        return None
    draws = 1 + (chosen.redraws if chosen.least_distance else 0)
    # without an agent of its own, the first roll-out is the rest of the reply that was drawn
    rollouts = chosen.rollouts - (chosen.rollout_agent is None)
    questions = chosen.rollouts + bool(chosen.value_weight) + bool(chosen.process_weight)
    rated = chosen.votes * of_verifier
    # the verifier may rate the root as well, once
    return chosen.limit * (draws * of_agent + rollouts * of_rollout + questions * rated) + rated


load_mcts_agent.check_settings = check_mcts_settings  # type: ignore[attr-defined]
load_mcts_agent.calls_per_reply = most_calls  # type: ignore[attr-defined]
_own = [p for p in inspect.signature(load_mcts_agent).parameters.values() if p.kind is not p.VAR_KEYWORD]
_fields = inspect.signature(SearchSettings).parameters.values()
# the settings of the agent are the fields of `SearchSettings`, which `load_agent` checks by this signature
load_mcts_agent.__signature__ = inspect.Signature([*_own, *_fields])  # type: ignore[attr-defined]


def _name(agent: Agent, settings: SearchSettings, rollout: Agent | None, verifier: Agent | None) -> str:
    changed = differing(settings)
    if rollout is not None:
        changed["rollout_agent"] = rollout.name
    if verifier is not None:
        changed["critic"] = f"verifier:{verifier.name}"
        changed.pop("critic_settings", None)
    parts = [f"{key}={json.dumps(value, sort_keys=True).strip(chr(34))}" for key, value in changed.items()]
    return composed_name("mcts", agent.name, *parts)

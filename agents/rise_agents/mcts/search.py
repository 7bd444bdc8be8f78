"""The script of a search: which agents it asks for what, until it gives one reply.

    until the budget is spent:
        node = select(tree)                                  # a finished node is only visited again
        reply = policy continues the text of node to its end
        child = node + first option of reply                 # or the equal child that is there
        completions = reply, and further roll-outs of child
        value = what the critic says of completions, child and its last option
        add value to child and to all nodes above it
    give one of all completions

Source: AlphaLLM (arXiv:2404.12253). There one request writes one option and four others complete it; here one
request completes the text, and its rest is the first roll-out, so that nothing that is generated is lost.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from rise_agents.chat.beginnings import begun
from rise_agents.deliberation.script import Ask, Script, ask_seeds
from rise_agents.evaluation.verifier_questions import mean_rating
from rise_agents.mcts.answers import refuted_answers
from rise_agents.mcts.choosing import choose, considered
from rise_agents.mcts.critics import Reading, question_of, readings
from rise_agents.mcts.scoring import Scorer, Told
from rise_agents.mcts.selection import select
from rise_agents.mcts.settings import DEFAULT_SIMULATIONS, SearchSettings
from rise_agents.mcts.simulation import Simulation, TokensBefore, add_child, completion, repeats_sibling
from rise_agents.mcts.tree import Node, back_up, begin, end, leaves
from rise_agents.types import Agent, Considered, Reply, SamplingConfig
from rise_env.metrics.budgets.search_quality import SEARCH_ROLE
from rise_env.types import Conversation

ROUNDS_PER_SIMULATION = 10
"""A search ends after this many rounds per simulation, so that a tree whose nodes are all finished ends."""

MAX_FAILED_ROUNDS = 8
"""A search ends after this many rounds in a row in which every request failed."""


@dataclass(frozen=True, slots=True)
class SearchAgents:
    """The agents that a search asks."""

    policy: Agent
    """Writes replies; it continues a reply whose beginning is given, unless options are whole replies."""
    rollout: Agent | None = None
    """Completes new children; None: the policy does."""
    verifier: Agent | None = None
    """Rates replies; None: another critic scores them."""
    tokens_before: TokensBefore | None = None
    """See `TokenizingAgent`; None if the policy does not know its tokens."""


def search(
    agents: SearchAgents,
    conversation: Conversation,
    sampling: SamplingConfig,
    seed: int,
    settings: SearchSettings,
    told: Told | None = None,
) -> Script[tuple[Reply, bool]]:
    """Return a script that searches one reply.

    Args:
        agents: The agents to ask.
        conversation: See `Agent.act`.
        sampling: How completions are sampled; each may have `max_new_tokens`.
        seed: Seed of the search.
        settings: See `SearchSettings`.
        told: For the critic "told": whether a reply is right.

    Returns:
        The reply, without its usage, and whether every first option was a whole reply.
    """
    run = _Search(agents, conversation, sampling, ask_seeds(seed), settings, told)
    while run.goes_on():
        simulations = run.selected()
        if simulations:
            yield from run.simulate(simulations)
    return run.result(), all(child.finished for child in run.root.children)


class _Search:
    """The state of one search."""

    def __init__(
        self,
        agents: SearchAgents,
        conversation: Conversation,
        sampling: SamplingConfig,
        seeds: Iterator[int],
        settings: SearchSettings,
        told: Told | None,
    ) -> None:
        self.root = Node()
        self._agents, self._settings, self._seeds = agents, settings, seeds
        self._conversation, self._sampling = conversation, sampling
        self._scorer = Scorer(
            settings, refuted_answers(conversation) if settings.refuted else frozenset(), told
        )
        self._failed_reply: Reply | None = None
        self._failed_rounds = 0
        self._rounds = 0
        self._simulations = 0
        self._tokens = 0
        self._draws = 0
        self._added = 0

    def goes_on(self) -> bool:
        """Return whether the budget allows another round."""
        limit, tokens = self._settings.limit, self._settings.tokens
        rounds = ROUNDS_PER_SIMULATION * (limit or max(self._simulations, DEFAULT_SIMULATIONS))
        return (
            (limit is None or self._simulations < limit)
            and (tokens is None or self._tokens < tokens)
            and self._rounds < rounds
            and self._failed_rounds < MAX_FAILED_ROUNDS
        )

    def selected(self) -> list[Simulation]:
        """Select the nodes of one round; finished ones are visited again and not returned."""
        simulations = []
        limit = self._settings.limit
        left = self._settings.leaves if limit is None else limit - self._simulations
        for _ in range(min(self._settings.leaves, left)):
            node = select(self.root, self._settings, self._share())
            if node is None:
                break
            self._rounds += 1
            if node.finished:
                assert node.score is not None
                back_up(node, node.score, self._settings.backup)
            else:
                begin(node, opens=True)
                simulations.append(Simulation(node))
        return simulations

    def simulate(self, simulations: Sequence[Simulation]) -> Script[None]:
        """Expand nodes, complete and score their new children, and back the values up."""
        self._simulations += len(simulations)
        yield from self._draw(simulations)
        for simulation in simulations:
            end(simulation.parent, opens=True)
            kept = add_child(simulation, self._settings, self._agents.tokens_before)
            self._draws += sum(reply.finish != "error" for reply in simulation.draws)
            if kept is None or simulation.child is None:
                continue
            self._added += not simulation.merged
            if self._agents.rollout is None or simulation.child.finished:
                simulation.completions.append(completion(simulation.parent, kept))
        grown = [simulation for simulation in simulations if simulation.child is not None]
        yield from self._roll_out(grown)
        scored = [simulation for simulation in grown if simulation.completions]
        self._failed_rounds = 0 if scored else self._failed_rounds + 1
        if self._agents.verifier is not None:
            yield from self._rate(scored)
        for simulation in scored:
            assert simulation.child is not None
            value = self._scorer.value_of(simulation)
            if simulation.child.score is None:
                simulation.child.score = value
            back_up(simulation.child, value, self._settings.backup)

    def result(self) -> Reply:
        """Return the chosen reply, or a failed one if nothing was completed."""
        found = self._scorer.candidates()
        if not found:
            assert self._failed_reply is not None
            return self._failed_reply
        candidates = [candidate for candidate, _ in found]
        given = choose(candidates, self._settings.choose)
        of_given = next(completed for candidate, completed in found if candidate is given)
        different = {candidate.text: candidate for candidate in reversed(candidates)}
        different.pop(given.text)
        others = considered(list(reversed(different.values())), given, self._settings.keep)
        return Reply(
            text=given.text,
            finish=of_given.reply.finish,
            score=given.score,
            considered=tuple(Considered(other.text, other.score) for other in others),
            messages=(self._record(),),
        )

    def _record(self) -> dict[str, Any]:
        """Return what the report shows of a search; see `rise_env.metrics.budgets.search_quality`."""
        depths = [leaf.depth for leaf in leaves(self.root)]
        return {
            "role": SEARCH_ROLE,
            "rounds": self._rounds,
            "simulations": self._simulations,
            "draws": self._draws,
            "merged": self._draws - self._added,
            "depth": round(sum(depths) / len(depths), 3),
        }

    def _share(self) -> float:
        """Return the share of the budget that is spent, in [0, 1]."""
        limit, tokens = self._settings.limit, self._settings.tokens
        parts = [self._simulations / limit if limit else 0.0, self._tokens / tokens if tokens else 0.0]
        return min(1.0, max(parts))

    def _draw(self, simulations: Sequence[Simulation]) -> Script[None]:
        """Draw completions, and again those whose options are too near to their siblings'."""
        waiting = list(simulations)
        for _ in range(1 + self._settings.redraws):
            replies = yield [self._continue(self._agents.policy, one.parent, first=True) for one in waiting]
            self._count(replies)
            for simulation, reply in zip(waiting, replies, strict=True):
                simulation.draws.append(reply)
            waiting = [one for one in waiting if repeats_sibling(one, self._settings)]
            if not waiting:
                return

    def _roll_out(self, simulations: Sequence[Simulation]) -> Script[None]:
        """Complete children: new ones as often as wanted, and one that was there before once."""
        agent = self._agents.rollout or self._agents.policy
        wanted = [
            one
            for one in simulations
            if one.child is not None and not one.child.finished
            for _ in range((1 if one.merged else self._settings.rollouts) - len(one.completions))
        ]
        if not wanted:
            return
        replies = yield [self._continue(agent, one.child) for one in wanted if one.child is not None]
        self._count(replies)
        for simulation, reply in zip(wanted, replies, strict=True):
            if reply.finish != "error" and simulation.child is not None:
                simulation.completions.append(completion(simulation.child, reply))

    def _rate(self, simulations: Sequence[Simulation]) -> Script[None]:
        """Ask the verifier about the completions and the new children."""
        verifier = self._agents.verifier
        assert verifier is not None
        wanted: list[Reading] = []
        if self.root.own is None and self._importance_reads_values():
            wanted.append(Reading("value", ""))  # importance compares the root's children with it
        for simulation in simulations:
            assert simulation.child is not None
            wanted += readings(
                self._settings,
                beginning=simulation.child.beginning,
                finished=simulation.child.finished,
                replies=[completed.text for completed in simulation.completions],
            )
        new = self._scorer.unread(wanted)
        votes = self._settings.votes
        question = question_of(self._conversation)
        replies = yield [
            Ask(verifier, reading.prompt(question), next(self._seeds), self._sampling)
            for reading in new
            for _ in range(votes)
        ]
        self._count(replies)
        texts = ["" if reply.finish == "error" else reply.text for reply in replies]
        parts = (texts[place : place + votes] for place in range(0, len(texts), votes))
        self._scorer.note_ratings({one: mean_rating(part) for one, part in zip(new, parts, strict=True)})
        self.root.own = self._scorer.rating("value", "")

    def _importance_reads_values(self) -> bool:
        settings = self._settings
        return bool(settings.value_weight and settings.alpha and settings.importance == "node")

    def _continue(self, agent: Agent, node: Node | None, *, first: bool = False) -> Ask:
        """Return the request that completes the text of a node."""
        assert node is not None
        greedy = first and self._settings.greedy_first and not node.children and node.opening <= 1
        sampling = replace(self._sampling, temperature=0.0) if greedy else self._sampling
        return Ask(agent, begun(self._conversation, node.beginning), next(self._seeds), sampling)

    def _count(self, replies: Sequence[Reply]) -> None:
        self._tokens += sum(reply.usage.completion_tokens for reply in replies)
        if self._failed_reply is None:
            self._failed_reply = next((reply for reply in replies if reply.finish == "error"), None)

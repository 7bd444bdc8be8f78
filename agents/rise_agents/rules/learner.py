"""Learns rules from failures; the algorithm of MetaReflection (arXiv:2405.13009) with our choices.

    pool = problems that fail without rules
    until the budget is spent, or `patience` steps in a row change nothing:
        batch = next problems of the pool                          # used up: a new pool, played with the book
        old   = episodes of the book on batch and others           # never the recorded failures
        s     = reflections on the failures of old
        old   = episodes of the book on batch and others           # never the recorded failures
        new   = episodes of the changed book, with the same seeds
        keep the changed book if new is better than old; else go back to the old one, and say what was tried

MetaReflection has no public code. Its batches, its test and its limits are unknown: those here are ours.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from rise_agents.backends.instructed_agent import InstructedAgent
from rise_agents.learning import prompts
from rise_agents.learning.config import RulesSettings
from rise_agents.learning.json_lines import JsonLines, read_lines
from rise_agents.learning.plays import Part, Player, added, spent
from rise_agents.learning.reflector import Reflector
from rise_agents.rules.acceptance import Array, Decision, decide, mean_scores, score_of
from rise_agents.rules.book import RuleBook, numbered, to_json, write_book
from rise_agents.rules.edits import Edit, as_lines, edited, read_edits
from rise_agents.rules.leaks import leaks, pieces
from rise_agents.rules.state import State, after, folded
from rise_agents.types import Agent
from rise_env.types import Trajectory
from rise_env.utils.permutation import permute
from rise_env.utils.seeding import derive

_log = logging.getLogger(__name__)

STEPS, RULES = "steps.jsonl", "rules.json"
_NOTHING = "it changes nothing, or was proposed before"
"""Why a change is not tested."""
_POOL, _STEP, _FINAL = 0, 1, 2
"""First number of the seeds of plays."""
_REFLECT, _GENERALISE = 0, 1
"""Second number of the seeds of the reflector."""


@dataclass(frozen=True, slots=True)
class _Test:
    """What the changes of one step are compared with."""

    old: list[list[Trajectory]]
    scores: Array
    parts: tuple[Part, Part]
    batch: int


class RulesLearner:
    """Learns a book of rules in a folder.

    Args:
        folder: Folder of the run.
        agent: The agent that plays. It is not closed.
        reflector: Writes reflections and changes.
        train: Problems to learn from.
        validate: Further problems to test with.
        player: How problems are played.
        settings: See `RulesSettings`.
        reference: See `LearnConfig`.
        seed: Seed of the run.
        made_from: Entries of rules.json that say what the rules were learned from.
        say: Called with a line after each step.
    """

    def __init__(
        self,
        folder: Path,
        agent: Agent,
        reflector: Reflector,
        train: Part,
        validate: Part,
        player: Player,
        settings: RulesSettings,
        *,
        reference: str,
        seed: int,
        made_from: dict[str, Any],
        say: Callable[[str], None],
    ) -> None:
        self._folder, self._agent, self._reflector = folder, agent, reflector
        self._train, self._validate, self._player = train, validate, player
        self._settings, self._reference, self._seed = settings, reference, seed
        self._made_from, self._say = made_from, say
        questions = [problem.question for part in (train, validate) for problem in part.problems()]
        self._pieces = pieces(questions)

    def run(self) -> dict[str, Any]:
        """Learn until the end, and return the result. A run that was killed goes on where it was.

        Raises:
            AgentError: An agent no longer answers any request.
            StoreError: A file cannot be written, or is damaged.
        """
        path = self._folder / STEPS
        state = folded(read_lines(path))
        self._write_book(state)
        file = JsonLines(path)
        try:
            while line := self._next_line(state):
                file.append(line)
                state = after(state, line)
                if line["decision"] == "accepted":
                    self._write_book(state)
                self._say(_sentence(line, state))
        finally:
            file.close()
        return self._result(state)

    def _next_line(self, state: State) -> dict[str, Any] | None:
        """Do one step and return its line; None at the end."""
        settings = self._settings
        if state.refused >= settings.patience or state.calls >= settings.calls:
            return None
        if state.position >= state.failed:
            return None if state.pool >= 0 and not state.failed else self._new_pool(state)
        episodes = self._play_pool(state.pool, state.pool_book)
        failed = [place for place, [episode] in enumerate(episodes) if self._score(episode) < 1]
        order = permute(
            np.arange(len(failed), dtype=np.uint64), len(failed), derive(self._seed, _POOL, state.pool)
        ).tolist()
        return self._step(
            state, [failed[at] for at in order[state.position : state.position + settings.batch]]
        )

    def _new_pool(self, state: State) -> dict[str, Any]:
        """Play the training problems with the present book, to find those that fail."""
        pool, total = state.pool + 1, len(self._train.indices)
        episodes = self._play_pool(pool, state.book)
        failed = sum(self._score(episode) < 1 for [episode] in episodes)
        if pool == 0 and not failed:
            _log.warning("the agent solves all %d training problems: there is nothing to learn from", total)
        elif pool == 0 and failed == total:
            _log.warning("no solved problem among %d: accuracy cannot fall", total)
        return self._line(
            state, "new pool", pool=pool, failed=failed, position=0, agent=spent(episodes), step=state.step
        )

    def _play_pool(self, pool: int, book: RuleBook) -> list[list[Trajectory]]:
        seed = derive(self._seed, _POOL, pool)
        return self._player.play(f"pool-{pool}", self._with(book), [self._train], seed=seed)

    def _step(self, state: State, places: Sequence[int]) -> dict[str, Any]:
        """Test changes of the book on one batch."""
        name = f"step-{state.step + 1}"
        test = self._old(state, places, name)
        agent_spent = spent(test.old)
        failures = [
            next(episode for episode in episodes if self._score(episode) < 1)
            for episodes, score in zip(test.old[: test.batch], test.scores, strict=False)
            if score < 1
        ]
        failures = [episode for episode in failures if episode.turns]
        position = state.position + len(places)
        fixed: dict[str, Any] = {"batch": [self._train.indices[place] for place in places]}
        if not failures:
            return self._line(state, "solved", position=position, agent=agent_spent, **fixed)
        asked = [
            prompts.reflect_prompt(episode, outcome=prompts.WRONG, reference=self._reference)
            for episode in failures
        ]
        texts = self._reflector.ask(asked, _STEP, state.step, _REFLECT)
        fixed["reflections"] = [text for text in texts if text.strip()]
        proposals: list[dict[str, Any]] = []
        best: tuple[Decision, RuleBook] | None = None
        tried = list(state.tried)
        references = [episode.problem.reference for episode in failures]
        for trial in range(1 + self._settings.retries):
            prompt = prompts.generalise_prompt(state.book, fixed["reflections"], tried)
            wanted = [prompt] * self._settings.proposals
            for reply in self._reflector.ask(wanted, _STEP, state.step, _GENERALISE, trial):
                book, proposal = self._candidate(
                    state, reply, references, known=[one["edits"] for one in proposals]
                )
                proposals.append(proposal)
                if book is None:
                    if proposal.get("dropped") == _NOTHING and proposal["edits"] != "KEEP":
                        proposal["tried"] = f"- {_on_one_line(proposal['edits'])} (it changes nothing)"
                        tried.append(proposal["tried"])
                    continue
                agent = self._with(book)
                new = self._play(f"{name}-candidate-{len(proposals)}", agent, test.parts, state)
                agent_spent = added(agent_spent, spent(new))
                decision = self._decide(test, new, state)
                lost = self._lost(test.scores, new)
                proposal |= {**asdict(decision), "tried": tried_line(proposal["edits"], decision, lost)}
                tried.append(proposal["tried"])
                if decision.accepted and (best is None or decision.probability > best[0].probability):
                    best = (decision, book)
            if best is not None:
                break
        book = state.book if best is None else best[1]
        word = "refused" if best is None else "accepted"
        more = {**fixed, "book": to_json(book), "proposals": proposals}
        return self._line(state, word, position=position, agent=agent_spent, **more)

    def _old(self, state: State, places: Sequence[int], name: str) -> _Test:
        count = min(self._settings.step_validate, len(self._validate.indices))
        first = state.step * count
        fresh = [(first + at) % len(self._validate.indices) for at in range(count)]
        parts = (self._train.at(places), self._validate.at(fresh))
        old = self._play(f"{name}-old", self._with(state.book), parts, state)
        return _Test(old, self._scores(old), parts, len(places))

    def _candidate(
        self, state: State, reply: str, references: Sequence[str], known: Sequence[str]
    ) -> tuple[RuleBook | None, dict[str, Any]]:
        """Return the changed book, None if it is not worth a test, and what the step's line says of it."""
        edits = read_edits(reply)
        if edits is None:
            return None, {"edits": reply[:500], "unreadable": True}
        clean = [edit for edit in edits if not (edit.text and leaks(edit.text, references, self._pieces))]
        proposal: dict[str, Any] = {"edits": as_lines(clean)}
        if len(clean) < len(edits):
            proposal["leaked"] = len(edits) - len(clean)
        book = self._edited(state, clean)
        if numbered(book) == numbered(state.book) or proposal["edits"] in known:
            return None, {**proposal, "dropped": _NOTHING}
        if len(numbered(book).split()) - len(book.rules) > self._settings.words:
            return None, {**proposal, "dropped": f"more than {self._settings.words} words"}
        return book, proposal

    def _edited(self, state: State, edits: Sequence[Edit]) -> RuleBook:
        return edited(state.book, edits, step=state.step + 1, limit=self._settings.limit)

    def _decide(self, test: _Test, new: list[list[Trajectory]], state: State) -> Decision:
        return decide(
            test.scores,
            self._scores(new),
            test.batch,
            accept=self._settings.accept,
            confidence=self._settings.confidence,
            seed=derive(self._seed, _STEP, state.step),
        )

    def _lost(self, old: Array, new: list[list[Trajectory]]) -> int:
        return int((self._scores(new) < old).sum())

    def _play(self, name: str, agent: Agent, parts: Sequence[Part], state: State) -> list[list[Trajectory]]:
        seed = derive(self._seed, _STEP, state.step)
        return self._player.play(name, agent, parts, seed=seed, draws=self._settings.draws)

    def _with(self, book: RuleBook) -> Agent:
        return InstructedAgent(self._agent, book, self._settings.place)

    def _score(self, episode: Trajectory) -> float:
        return score_of(episode, self._settings.score, self._player.turns)

    def _scores(self, episodes: Sequence[Sequence[Trajectory]]) -> Array:
        return mean_scores(episodes, self._settings.score, self._player.turns)

    def _line(self, state: State, decision: str, *, agent: dict[str, int], **more: Any) -> dict[str, Any]:
        """Return the line of a step; what `more` does not say is as before."""
        return {
            "step": state.step + 1,
            "decision": decision,
            "pool": state.pool,
            "failed": state.failed,
            "spent": {"agent": agent, "reflector": self._reflector.take_spent()},
            "book": to_json(state.book),
            **more,
        }

    def _write_book(self, state: State) -> None:
        write_book(self._folder / RULES, state.book, self._made_from)

    def _result(self, state: State) -> dict[str, Any]:
        """Play the validation problems with and without the rules, and return what was learned."""
        seed = derive(self._seed, _FINAL)
        plays = {
            name: self._player.play(f"final-{name}", self._with(book), [self._validate], seed=seed)
            for name, book in (("without", RuleBook()), ("rules", state.book))
            if name == "without" or book.rules
        }
        scores = {name: float(self._scores(episodes).mean()) for name, episodes in plays.items()}
        if state.book.rules and scores["rules"] <= scores["without"]:
            _log.warning(
                "with the rules, the agent is not better on the %d validation problems: %.3f, and %.3f "
                "without them",
                len(self._validate.indices),
                scores["rules"],
                scores["without"],
            )
        if state.refused and state.unreadable == state.proposed:
            _log.warning("no reply of the reflector held a change of the rules: %d replies", state.proposed)
        return {
            "rules": [rule.text for rule in state.book.rules],
            "validation": scores,
            "steps": state.step,
            "proposed": state.proposed,
            "kept": state.kept,
            "leaked": state.leaked,
            "unreadable": state.unreadable,
            "spent": {**state.spent, "final": added(*(spent(episodes) for episodes in plays.values()))},
        }


def tried_line(edits: str, decision: Decision, lost: int) -> str:
    """Return what the reflector is told about a change that was tested."""
    scores = f"score {decision.old:.3f} before and {decision.new:.3f} after"
    return f"- {_on_one_line(edits)} ({scores}; {lost} problems got worse)"


def _on_one_line(edits: str) -> str:
    return "; ".join(edits.splitlines())


def _sentence(line: dict[str, Any], state: State) -> str:
    tests = [one for one in line.get("proposals", []) if "probability" in one]
    shown = "; ".join(f"{one['old']:.3f} -> {one['new']:.3f}, P {one['probability']:.2f}" for one in tests)
    ending = f" ({shown})" if shown else ""
    rules = f"{len(state.book.rules)} rules, {state.calls} calls"
    return f"step {line['step']}: {line['decision']}{ending}; {rules}"

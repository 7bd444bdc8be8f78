"""Fills a memory between episodes, in generations; after SAGE (arXiv:2409.00872) with our choices.

    per generation of problems, in a fixed order:
        play the problems; all of them see the memory as it was when the generation began
        reflect on their episodes
        write the events in the order of the problems: what was recalled, whether it helped, what is new

A memory that changed after every problem would make each episode depend on all before it. With generations,
an episode does not depend on how many are played at a time. A generation of 1 problem is the paper's order.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from rise_agents.backends.sage_agent import SageAgent
from rise_agents.learning import prompts
from rise_agents.learning.json_lines import JsonLines, read_lines
from rise_agents.learning.plays import Part, added, spent
from rise_agents.learning.reflector import Reflector
from rise_agents.mcts.critics import question_of
from rise_agents.memory.events import after, complete, end, event, head
from rise_agents.memory.items import Memory, digest, place_of
from rise_agents.memory.settings import MemorySettings
from rise_env.envs.math_env import math_env_of
from rise_env.errors import StoreError
from rise_env.problems.conventions import Convention, is_stated
from rise_env.types import Trajectory

_COMPRESS = 1
"""Second number of the seeds of compressions."""

MEMORY = "memory.jsonl"
"""File name of the memory in the folder of a run."""

Play = Callable[[int, SageAgent, Part], Sequence[Trajectory]]
"""(number of the generation, agent, problems) -> one episode per problem, in order."""


class MemoryLearner:
    """Fills a memory.

    Args:
        path: File of the memory.
        agent: The agent that plays; its memory is the first state. It is not closed.
        reflector: Writes reflections.
        problems: The problems, in order.
        play: Plays a generation.
        settings: How the memory is kept.
        env: Name of the environment, for the file.
        reference: What reflectors may see; see `LearnConfig`.
        say: Called with a line after each generation.
    """

    def __init__(
        self,
        path: Path,
        agent: SageAgent,
        reflector: Reflector,
        problems: Part,
        play: Play,
        settings: MemorySettings,
        *,
        env: str,
        reference: str,
        say: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._path, self._agent, self._reflector = path, agent, reflector
        self._problems, self._play, self._settings = problems, play, settings
        self._reference, self._say = reference, say
        self._head = head(env, settings)
        if agent.memory.items:
            self._head["first"] = digest(agent.memory)
        found = math_env_of(problems.make_env()).problems
        self._conventions: Sequence[Convention] = getattr(found, "conventions", ())

    def run(self) -> dict[str, Any]:
        """Play and reflect until the end, and return the result. A run that was killed goes on.

        Raises:
            AgentError: An agent no longer answers any request.
            StoreError: A file cannot be written, is damaged, or is of another run.
        """
        lines = read_lines(self._path)
        if lines and lines[0] != self._head:
            raise StoreError(
                f"{self._path} is of a run with other settings: choose another folder or the same settings"
            )
        file = JsonLines(self._path, keep=complete(lines))
        lines = lines[: complete(lines)]
        try:
            if not lines:
                file.append(self._head)
                lines = [self._head]
            memory = after(self._first(), lines[1:])
            ends = [line for line in lines if "end" in line]
            size = self._settings.generation
            for start in range(len(ends) * size, len(self._problems.indices), size):
                part = self._problems.at(range(start, min(start + size, len(self._problems.indices))))
                events, last = self._generation(len(ends), memory, part)
                file.append(*events, last)
                memory = after(memory, events)
                ends.append(last)
                self._say(
                    f"generation {len(ends)}: {last['right']} of {last['problems']} right, "
                    f"{len(memory.items)} items"
                )
        finally:
            file.close()
        return self._result(memory, ends)

    def _first(self) -> Memory:
        """Return the first state: the memory of the agent, under the settings of this run."""
        given = self._agent.memory
        return Memory(self._settings, given.items, given.clock, given.made)

    def _generation(
        self, number: int, memory: Memory, part: Part
    ) -> tuple[list[dict[str, Any]], dict[str, Any]]:
        """Play one generation; return its events, and the one that ends it."""
        agent = self._agent.with_memory(memory)
        episodes = self._play(number, agent, part)
        right = [bool(one.turns) and one.turns[-1].action.check.correct for one in episodes]
        told = self._settings.told_verdict
        reflected = [
            place
            for place, episode in enumerate(episodes)
            if episode.turns and (not told or self._settings.reflect == "all" or not right[place])
        ]
        asked = [
            prompts.reflect_prompt(
                episodes[place],
                outcome=prompts.UNKNOWN if not told else prompts.RIGHT if right[place] else prompts.WRONG,
                reference=self._reference,
            )
            for place in reflected
        ]
        if self._settings.policy == "none":
            reflected, asked = [], []
        texts = dict(zip(reflected, self._reflector.ask(asked, number), strict=True))
        shorter = self._compressed(number, texts)
        events, hits, recalled_hits, long_texts = [], 0, 0, 0
        for place, episode in enumerate(episodes):
            conversation = episode.turns[0].observation if episode.turns else ()
            items = agent.recalled(conversation)
            hits += self._states(episode, [item.text for item in memory.items])
            recalled_hits += self._states(episode, [item.text for item in items])
            words = shorter.get(place, texts.get(place, "")).split()
            long_texts += len(words) > self._settings.words
            text = " ".join(words[: self._settings.words])
            new = [(text, question_of(conversation))] if text else []
            numbers = [item.number for item in items]
            success = right[place] or not told
            events.append(
                event(episode.problem.id, numbers, success=success, new=new, compressed=place in shorter)
            )
        last = {
            **end(number, memory.clock + len(episodes)),
            "problems": len(episodes),
            "right": sum(right),
            "first_right": sum(bool(e.turns) and e.turns[0].action.check.correct for e in episodes),
            "hits": hits,
            "recalled_hits": recalled_hits,
            "cut": long_texts,
            "spent": {"agent": spent([[one] for one in episodes]), "reflector": self._reflector.take_spent()},
        }
        return events, last

    def _compressed(self, number: int, texts: Mapping[int, str]) -> dict[int, str]:
        """Return the shorter forms of reflections, by place, for those that became shorter."""
        if not self._settings.compress:
            return {}
        wanted = {place: text for place, text in texts.items() if text.strip()}
        asked = [prompts.compress_prompt(text) for text in wanted.values()]
        found = dict(zip(wanted, self._reflector.ask(asked, number, _COMPRESS), strict=True))
        return {
            place: text for place, text in found.items() if 0 < len(text.split()) < len(wanted[place].split())
        }

    def _states(self, episode: Trajectory, texts: Sequence[str]) -> bool:
        """Return whether one of some texts states the convention of a problem, where it has one."""
        if not self._conventions:
            return False
        convention = self._conventions[episode.problem.meta["number"]]
        return any(convention.word in text and is_stated(convention, text) for text in texts)

    def _result(self, memory: Memory, ends: Sequence[dict[str, Any]]) -> dict[str, Any]:
        problems = sum(line["problems"] for line in ends)
        fifth = max(1, len(ends) // 5)
        places = [place_of(memory, item) for item in memory.items]
        result: dict[str, Any] = {
            "problems": problems,
            "m1@t1": _share(ends, "first_right"),
            "last reply right": _share(ends, "right"),
            "first fifth": _share(ends[:fifth], "right"),
            "last fifth": _share(ends[-fifth:], "right"),
            "by generation": [line["right"] / line["problems"] for line in ends],
            "items": len(memory.items),
            "short-term": places.count("short"),
            "cut": sum(line["cut"] for line in ends),
            "spent": {
                role: added(*(line["spent"][role] for line in ends)) for role in ("agent", "reflector")
            },
        }
        if self._conventions:
            texts = [item.text for item in memory.items]
            stated = sum(any(is_stated(one, text) for text in texts) for one in self._conventions)
            result |= {
                "hit rate": _share(ends, "hits"),
                "recalled": _share(ends, "recalled_hits"),
                "conventions": {"stated": stated, "all": len(self._conventions)},
            }
        return result


def _share(ends: Sequence[dict[str, Any]], name: str) -> float:
    return float(sum(line[name] for line in ends) / max(1, sum(line["problems"] for line in ends)))

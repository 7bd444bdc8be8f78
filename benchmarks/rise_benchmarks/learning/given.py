"""What rows are given instead of learning it: worked examples, and a memory of true statements."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rise_agents.learning.json_lines import JsonLines
from rise_agents.memory.events import end, event, head
from rise_agents.memory.settings import MemorySettings
from rise_env.envs import prompts
from rise_env.problems.arithmetic.steps import Draws
from rise_env.problems.conventions.conventions import statement
from rise_env.problems.conventions.generator import ConventionProblems, draw_story, write_question


def examples(env_settings: Mapping[str, Any], seed: int, count: int) -> list[tuple[str, str]]:
    """Return training problems of RISE-Conventions with their solutions.

    Args:
        env_settings: Arguments of the set.
        seed: Other seeds give other problems.
        count: Number of problems.
    """
    problems = ConventionProblems(split="train", **env_settings)
    found = (problems[seed * count + place] for place in range(count))
    return [(problem.question, str(problem.solution)) for problem in found]


def write_told_memory(path: Path, env: str, env_settings: Mapping[str, Any]) -> None:
    """Write a memory that holds the statement of every convention of RISE-Conventions, each with a problem.

    Args:
        path: The file; an existing one is replaced.
        env: Name of the environment.
        env_settings: Arguments of the set.
    """
    path.unlink(missing_ok=True)
    problems = ConventionProblems(split="train", **env_settings)
    events = []
    for number, convention in enumerate(problems.conventions):
        draws = Draws((number,))
        question = write_question(draw_story(draws, convention, problems.largest), draws)
        new = [(statement(convention), prompts.FIRST.format(question=question))]
        events.append(event(f"told/{number}", [], success=True, new=new))
    file = JsonLines(path)
    file.append(head(env, MemorySettings(policy="all")), *events, end(0, len(events)))
    file.close()
